//! Long polling: returns at once if there is something, as soon as something happens, or empty at the end.

use std::time::{Duration, Instant};

use harness::faults::{Faults, Point};
use harness::{Person, World};
use serde_json::{Value, json};

use super::{Follower, NONE};

/// Long enough to distinguish an immediate response from one after the wait, on a slow machine.
const SOON: Duration = Duration::from_secs(12);

/// The registered waiting requests of a person.
async fn waiters(world: &World, person: &Person) -> usize {
    let item = world
        .stored(&format!("U#{}", person.id), "CONNECTIONS")
        .await
        .unwrap_or_default();
    item.as_object().map_or(0, |fields| {
        fields.keys().filter(|name| name.starts_with("p#")).count()
    })
}

async fn until_one_waits(world: &World, person: &Person) {
    while waiters(world, person).await == 0 {
        tokio::task::yield_now().await;
    }
}

async fn poll(follower: &Follower<'_>, wait: u32) -> Value {
    follower
        .person
        .get(&format!("/api/events?after={}&wait={wait}", follower.token))
        .await
        .is(200)
}

/// S4-C55
#[tokio::test]
async fn a_poll_is_answered_at_once_where_something_is_there() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let follower = Follower::of(&bob).await;
    ada.says(&conversation, "already there").await;
    let begun = Instant::now();
    let page = poll(&follower, 25).await;
    assert!(begun.elapsed() < SOON);
    assert_eq!(page["events"][0]["message"]["content"], "already there");
    assert_eq!(waiters(&world, &bob).await, 0);
}

/// S4-C55: for each kind of event.
#[tokio::test]
async fn a_waiting_poll_wakes_when_something_happens() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let mut follower = Follower::of(&bob).await;
    let mut message = Value::Null;
    let mut conversation = String::new();
    for expected in [
        "conversation_created",
        "new_message",
        "message_read",
        "message_deleted",
    ] {
        // Events of the test's own steps are synced first.
        follower.catch_up(100).await;
        world.settled().await;
        let happens = async {
            until_one_waits(&world, &bob).await;
            match expected {
                "conversation_created" => conversation = ada.open_direct(&bob).await,
                "new_message" => message = ada.says(&conversation, "wake up").await,
                "message_read" => {
                    bob.reads(&conversation, &message).await;
                }
                _ => super::delete(&ada, &conversation, &message).await,
            }
        };
        let begun = Instant::now();
        let (page, ()) = tokio::join!(poll(&follower, 25), happens);
        assert!(begun.elapsed() < SOON, "{expected} woke nobody");
        assert_eq!(page["events"][0]["type"], expected);
        assert_eq!(page["events"].as_array().unwrap().len(), 1, "{page}");
    }
}

/// S4-C55
#[tokio::test]
async fn a_poll_without_events_ends_empty_and_leaves_nothing_behind() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    world.settled().await;
    let mut follower = Follower::of(&bob).await;
    let begun = Instant::now();
    let page = poll(&follower, 1).await;
    assert!(begun.elapsed() >= Duration::from_millis(900));
    assert_eq!((&page["events"], &page["recovered"]), (&NONE, &json!(true)));
    assert_eq!(waiters(&world, &bob).await, 0);

    follower.token = super::token(&page);
    ada.says(&conversation, "later").await;
    assert_eq!(follower.catch_up(100).await.len(), 1);
}

/// S4-C55: a function that died while its request waited leaves an item, which expires.
#[tokio::test]
async fn a_poll_forgets_those_before_it_that_are_over() {
    let world = World::start().await;
    let bob = world.person("bob").await;
    let follower = Follower::of(&bob).await;
    let partition = format!("U#{}", bob.id);
    let over = json!({ "S": "1 0" });
    let item = json!({ "pk": { "S": partition }, "sk": { "S": "CONNECTIONS" }, "p#dead": over });
    world.store(&[item]).await;
    poll(&follower, 1).await;
    assert_eq!(waiters(&world, &bob).await, 0);
}

/// S4-C55, S1-J03: all waiting requests wake, and a WebSocket of the same person gets its frame.
#[tokio::test]
async fn several_polls_and_a_socket_of_one_person_all_hear_of_a_message() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    world.settled().await;
    let follower = Follower::of(&bob).await;
    let mut socket = bob.connect().await;
    let says = async {
        while waiters(&world, &bob).await < 2 {
            tokio::task::yield_now().await;
        }
        ada.says(&conversation, "to all of you").await
    };
    let begun = Instant::now();
    let (one, other, message) = tokio::join!(poll(&follower, 25), poll(&follower, 25), says);
    assert!(begun.elapsed() < SOON);
    for page in [one, other] {
        assert_eq!(page["events"][0]["message"]["id"], message["id"]);
    }
    assert_eq!(
        socket.next_of("new_message").await["message"]["id"],
        message["id"]
    );
}

/// S4-C55: a person with a waiting request is not offline.
#[tokio::test]
async fn what_happens_between_two_polls_is_told_by_the_second() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let mut follower = Follower::of(&bob).await;
    follower.catch_up(100).await;
    for number in 0..5 {
        let content = format!("number {number}");
        let (page, _) = tokio::join!(poll(&follower, 25), ada.says(&conversation, &content));
        ada.says(&conversation, "in between").await;
        let told: Vec<Value> = page["events"].as_array().unwrap().clone();
        follower.told.extend(told);
        follower.token = super::token(&page);
    }
    follower.catch_up(100).await;
    let seqs: Vec<u64> = follower
        .told
        .iter()
        .filter_map(|event| event["seq"].as_u64())
        .collect();
    assert_eq!(seqs, (1..=10).collect::<Vec<_>>());
}

/// S4-C55: a lagging read may hide a waiting request from a delivery.
#[tokio::test]
async fn a_poll_looks_once_more_when_every_copy_knows_that_it_waits() {
    let world = World::with(&[("CATCH_UP_SECONDS", "2")]).await;
    let [ada, bob, cem] = world.people(["ada", "bob", "cem"]).await;
    let conversation = ada.open_group("circle", &[&bob, &cem]).await;
    world.settled().await;
    let mut follower = Follower::of(&bob).await;
    follower.catch_up(100).await;
    world.services().hold_eventual_reads().unwrap();
    let faults = Faults::install(world.services());
    faults.watch();
    let looks_for_signal = |point: &Point| {
        point.function == "SyncEvents"
            && point.call.starts_with("GetItem")
            && point.call.ends_with("/CONNECTIONS")
    };
    let says = async {
        while !faults.so_far().iter().any(looks_for_signal) {
            tokio::task::yield_now().await;
        }
        ada.says(&conversation, "into the dark").await
    };
    let begun = Instant::now();
    let (page, message) = tokio::join!(poll(&follower, 25), says);
    assert!(begun.elapsed() < SOON, "it waited to its end");
    assert_eq!(page["events"][0]["message"]["id"], message["id"]);
}
