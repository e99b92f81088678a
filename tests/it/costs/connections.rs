//! The cost of a connection: opening it, and its catch-up.

use std::time::Duration;

use shared::domain::user::Claims;

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
        // Older entries have already been delivered.
        world.advance(Duration::from_mins(1));
        let mut socket = None;
        let opened = Cost::of(&world, &ledger, async { socket = Some(ada.connect().await) }).await;
        let opened = opened.part("OpenConnection");
        let caught_up = Cost::of(&world, &ledger, world.caught_up()).await;
        let caught_up = caught_up.part("Deliver");
        table.row(&format!("opened, {count} conversations"), &opened);
        table.row(&format!("caught up with, {count} conversations"), &caught_up);
        assert_eq!(caught_up.posts(), 0, "nothing happened meanwhile");
        // The connection, and the marker of its expiry.
        assert!(opened.bill.writes() <= 2.0, "{opened:#?}");
        costs.push(caught_up.bill.reads());
        socket.unwrap().close().await;
    }
    table.print();
    let [none, many] = costs[..] else { unreachable!() };
    #[expect(clippy::cast_precision_loss, reason = "twenty")]
    let each = (many - none) / CONVERSATIONS as f64;
    assert!(none <= 1.5 && each <= 0.5, "{none} and {each} for each");
}

#[tokio::test]
async fn sweeping_costs_a_read_for_each_minute_and_each_person_and_a_write_for_what_is_closed() {
    const PEOPLE: usize = 20;
    let (world, ledger) = world().await;
    let names: Vec<String> = (0..PEOPLE).map(|number| format!("person{number}")).collect();
    let people = futures::future::join_all(names.iter().map(|name| world.person(name))).await;
    let sweep = async |turn: usize| {
        world.advance(Duration::from_secs(120));
        world
            .logged(turn, |line| line["function"] == "end_expired_connections")
            .await;
    };
    // The first run looks back two hours.
    sweep(1).await;
    let idle = Cost::of(&world, &ledger, sweep(2))
        .await
        .part("EndExpiredConnections");
    let mut sockets = Vec::new();
    for person in &people {
        let token = world.token(person.id, Claims::default(), Duration::from_secs(1));
        sockets.push(person.with_token(&token).connect().await);
    }
    let busy = Cost::of(&world, &ledger, sweep(3))
        .await
        .part("EndExpiredConnections");
    let closed = Cost::of(&world, &ledger, sweep(4))
        .await
        .part("EndExpiredConnections");
    let mut table = Table::new("a sweep of ended connections");
    table.row("nothing ended", &idle);
    table.row(&format!("{PEOPLE} connections ended, first turn"), &busy);
    table.row("the turn after", &closed);
    table.print();
    assert!(idle.bill.reads() <= 3.0 && idle.bill.writes() <= 1.0, "{idle:#?}");
    let (reads, writes) = (
        busy.bill.reads() + closed.bill.reads(),
        busy.bill.writes() + closed.bill.writes(),
    );
    #[expect(clippy::cast_precision_loss, reason = "twenty")]
    let people = PEOPLE as f64;
    assert!(reads <= 2.0 * 4.0 + people, "{reads} reads");
    assert!(writes <= 2.0 + people, "{writes} writes");
    assert_eq!(
        busy.posts() + closed.posts(),
        2 * PEOPLE,
        "a frame and an end for each"
    );
}
