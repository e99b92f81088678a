//! What a connection costs: to open it, and to push what may have passed it by until every copy of the table knew of
//! it.

use std::time::Duration;

use super::{Cost, Table, world};

#[tokio::test]
async fn catching_up_with_a_connection_costs_half_a_unit_for_each_conversation_that_rests() {
    const CONVERSATIONS: usize = 20;
    let (world, ledger) = world().await;
    let ada = world.person("ada").await;
    let mut costs = Vec::new();
    let mut table = Table::new("a connection");
    for (count, more) in [(0, 0), (CONVERSATIONS, CONVERSATIONS)] {
        for number in 0..more {
            let other = world.person(&format!("person{number}")).await;
            let conversation = ada.open_direct(&other).await;
            other.says(&conversation, "long ago").await;
        }
        world.settled().await;
        // What is older than any request can be when it takes effect has been told.
        world.advance(Duration::from_mins(1));
        let mut socket = None;
        let opened = Cost::of(&world, &ledger, async { socket = Some(ada.connect().await) }).await;
        let caught_up = Cost::of(&world, &ledger, world.caught_up()).await;
        table.row(&format!("opened, {count} conversations"), &opened);
        table.row(&format!("caught up with, {count} conversations"), &caught_up);
        assert_eq!(caught_up.posts(), 0, "nothing happened meanwhile");
        costs.push(caught_up.bill.reads());
        socket.unwrap().close().await;
    }
    table.print();
    let [none, many] = costs[..] else { unreachable!() };
    #[expect(clippy::cast_precision_loss, reason = "twenty")]
    let each = (many - none) / CONVERSATIONS as f64;
    assert!(none <= 1.5 && each <= 0.5, "{none} and {each} for each");
}
