//! The costs of person-to-person messages and credits, with a short and with a long history: the same.

use harness::ledger::Ledger;
use harness::{Person, World, history};
use serde_json::{Value, json};

use super::prices::{dollars_per_million, rounds};
use super::{Cost, Table, world};

/// The maximum write units of a paid message, without its delivery.
const MOST_WRITES: f64 = 14.0;

/// Every operation between two people with this many messages.
async fn operations(world: &World, ledger: &Ledger, length: u64) -> Vec<(&'static str, Cost)> {
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    ada.says(&conversation, "first").await;
    history::lengthen(world.services(), &conversation, length - 6).await;
    let mut messages = Vec::new();
    for content in ["one", "two", "three", "four", "five", "six"] {
        messages.push(ada.writes_to(&bob, content).await.is(200));
    }
    let mut costs = Vec::new();
    let sent = Cost::of(world, ledger, ada.writes_to(&bob, "counted"));
    costs.push(("paid message, receiver away", sent.await));
    let id = |message: &Value| message["id"].as_str().unwrap().to_owned();
    let arrives = async |message: &Value| {
        let path = format!("/api/v2/messages/mark-delivered/{}", id(message));
        bob.post_nothing(&path).await.is(200);
    };
    arrives(&messages[0]).await;
    costs.push((
        "marking as delivered",
        Cost::of(world, ledger, arrives(&messages[1])).await,
    ));
    let reads = async |messages: &[Value]| {
        let ids: Vec<String> = messages.iter().map(id).collect();
        let body = json!({ "message_ids": ids });
        bob.post("/api/v2/messages/mark-read", body).await.is(200);
    };
    reads(&messages[..1]).await;
    costs.push((
        "marking one as read",
        Cost::of(world, ledger, reads(&messages[2..3])).await,
    ));
    costs.push((
        "marking three as read",
        Cost::of(world, ledger, reads(&messages[3..6])).await,
    ));
    let pages = [
        (
            "newest page of 5",
            format!("/api/v2/messages/conversation/{}?limit=5", ada.id),
        ),
        ("list of people", "/api/v2/messages/conversations".to_owned()),
        ("unread, all senders", "/api/v2/messages/unread-count".to_owned()),
        (
            "unread, one sender",
            format!("/api/v2/messages/unread-count?sender_id={}", ada.id),
        ),
        ("figures", "/api/v2/messages/stats".to_owned()),
        ("balance", "/api/v1/credits".to_owned()),
    ];
    for (name, path) in &pages {
        bob.get(path).await.is(200);
        let read = Cost::of(world, ledger, async { bob.get(path).await.is(200) });
        costs.push((*name, read.await));
    }
    costs
}

#[tokio::test]
async fn what_two_people_do_costs_the_same_with_ten_and_with_ten_thousand_messages() {
    let mut costs = Vec::new();
    for length in [10, 10_000] {
        let (world, ledger) = world().await;
        costs.push(operations(&world, &ledger, length).await);
    }
    let [short, long] = &costs[..] else {
        panic!("two lengths")
    };
    let mut table = Table::new("between two people with 10,000 messages");
    for (name, cost) in long {
        table.row(name, cost);
    }
    table.print();
    for ((name, short), (_, long)) in short.iter().zip(long) {
        let figures = |cost: &Cost| {
            (
                cost.bill.reads(),
                cost.bill.writes(),
                cost.bill.calls(),
                cost.queue_requests(),
            )
        };
        assert_eq!(figures(short), figures(long), "{name}");
    }
}

/// Contract: a paid send within 14 write units and, like any send, within three waits.
#[tokio::test]
async fn a_paid_message_is_one_transaction() {
    let (world, ledger) = world().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let mut socket = bob.connect().await;
    let mut pay = async |person: &Person| {
        person.writes_to(&bob, "Hello").await.is(200);
        socket.next_of("new_message").await;
    };
    pay(&ada).await;
    let cost = Cost::of(&world, &ledger, pay(&ada)).await;
    let of_send = cost.part("SendDirectMessage");
    let mut table = Table::new("paid message, receiver online, at rest");
    table.row("send", &of_send);
    table.row("deliver", &cost.part("Deliver"));
    table.row("in all", &cost);
    let dollars = dollars_per_million(&cost, &rounds(&cost), 1);
    table.line("dollars per million", &format!("{dollars:.2}"));
    table.print();
    assert!(
        of_send.bill.writes() <= MOST_WRITES && of_send.bill.reads() <= 2.0,
        "{of_send:#?}"
    );
    assert!(of_send.bill.rounds() <= 3, "{of_send:#?}");
    assert_eq!((cost.posts(), cost.queue_requests()), (1, 3));
}
