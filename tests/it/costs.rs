//! The cost ledger: units, requests and waits of operations, counted on real runs.
//!
//! `cargo t costs -- --nocapture` prints the table.

use std::sync::Arc;

use harness::ledger::{Bill, Ledger};
use harness::{Person, Socket, World};
use local_services::Service;
use serde_json::Value;

/// A world whose calls are written down.
async fn world() -> (World, Arc<Ledger>) {
    let limits = [
        ("RATE_LIMIT_SENDS_PER_MINUTE", "1000000"),
        ("RATE_LIMIT_REQUESTS_PER_MINUTE", "1000000"),
    ];
    let world = World::with(&limits).await;
    let ledger = Arc::new(Ledger::default());
    world
        .services()
        .set_interceptor(Some(Arc::clone(&ledger) as Arc<_>));
    (world, ledger)
}

/// What one send costs, everything that it sets off included, once the function is warm.
async fn send(
    world: &World,
    ledger: &Ledger,
    sender: &Person,
    conversation: &str,
    listeners: &mut [Socket],
) -> Bill {
    // The first send of a process bets on an empty rate bucket and may lose.
    for content in ["warm", "counted"] {
        world.settled().await;
        ledger.take();
        sender.says(conversation, content).await;
        for socket in &mut *listeners {
            socket.next_of("new_message").await;
        }
        world.settled().await;
    }
    ledger.take()
}

fn prices() -> Value {
    serde_json::from_str(include_str!("../data/prices.json")).unwrap()
}

/// Dollars per million, from units, requests, posts and invocations. SQS bills the send and, for a batch of one,
/// a receive and a delete.
fn dollars_per_million(bill: &Bill, invocations: f64) -> f64 {
    let prices = prices();
    let price = |name: &str| prices[name].as_f64().unwrap();
    let count = |service| f64::from(u32::try_from(bill.calls_to(service)).unwrap());
    // 256 MB for 10 ms an invocation, well above what is measured.
    let lambda = price("lambda_request") + 0.25 * 0.010 * price("lambda_gb_second_arm64");
    let queue_requests = count(Service::Sqs) + 2.0 * (invocations - 1.0);
    1e6 * (price("http_api_request")
        + count(Service::Connections) * price("websocket_message")
        + bill.writes() * price("write_request_unit")
        + bill.reads() * price("read_request_unit")
        + queue_requests * price("sqs_request")
        + invocations * lambda)
}

fn row(name: &str, bill: &Bill) {
    println!(
        "{name:<44} {:>5} calls {:>3} waits {:>6.1} RRU {:>5.1} WRU",
        bill.calls(),
        bill.rounds(),
        bill.reads(),
        bill.writes()
    );
}

#[tokio::test]
async fn a_direct_message_costs_three_writes_and_seven_requests_up_to_the_frame() {
    let (world, ledger) = world().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let mut listeners = [bob.connect().await];
    let bill = send(&world, &ledger, &ada, &conversation, &mut listeners).await;
    let of_send = bill.of("SendMessage");
    row("direct message, 1 online: send", &of_send);
    row("direct message, 1 online: in all", &bill);
    let dollars = dollars_per_million(&bill, 2.0);
    println!("{:<44} ${dollars:.2} per million", "direct message, 1 online");
    for spent in &bill.0 {
        println!(
            "  {:<14} {:<18} wait {} {:>4} RRU {:>4} WRU",
            spent.function, spent.operation, spent.round, spent.reads, spent.writes
        );
    }
    assert!(of_send.rounds() <= 3, "{of_send:#?}");
    assert!(of_send.writes() <= 3.0 && of_send.reads() <= 2.0, "{of_send:#?}");
    assert!(bill.calls() <= 7, "{bill:#?}");
}

#[tokio::test]
async fn a_send_costs_the_same_in_a_pair_and_in_a_group_of_a_thousand() {
    let (world, ledger) = world().await;
    let ada = world.person("ada").await;
    let others = futures::future::join_all((0..999).map(|index| {
        let world = &world;
        async move { world.person(&format!("member{index}")).await }
    }))
    .await;
    let mut bills = Vec::new();
    for size in [1, 9, 99, 999] {
        let members: Vec<&Person> = others.iter().take(size).collect();
        let conversation = ada.open_group("Sizes", &members).await;
        let bill = send(&world, &ledger, &ada, &conversation, &mut [])
            .await
            .of("SendMessage");
        row(&format!("send in a group of {}", size + 1), &bill);
        bills.push((bill.calls(), bill.rounds(), bill.reads(), bill.writes()));
    }
    assert!(bills.iter().all(|bill| *bill == bills[0]), "{bills:?}");
    let (_, rounds, reads, writes) = bills[0];
    assert!(rounds <= 3 && reads <= 2.0 && writes <= 8.0, "{bills:?}");
}
