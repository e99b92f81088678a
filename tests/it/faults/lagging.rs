//! Lagging reads: an eventually consistent read may return an earlier state (AWS, *`DynamoDB` read consistency*). What
//! is acknowledged reaches every live connection anyway.

use std::time::Duration;

use harness::faults::{Fault, Faults, Point};
use harness::{Socket, World};
use serde_json::Value;

/// The log entries among what came so far: type and number.
async fn entries(socket: &mut Socket) -> Vec<(String, u64)> {
    let frames = socket.so_far().await;
    let entry = |frame: &Value| {
        let text = frame["type"].as_str().unwrap().to_owned();
        let is_entry = text == "new_message" || text == "message_deleted";
        is_entry.then(|| (text, frame["seq"].as_u64().unwrap()))
    };
    frames.iter().filter_map(entry).collect()
}

fn said(numbers: std::ops::RangeInclusive<u64>) -> Vec<(String, u64)> {
    numbers.map(|number| ("new_message".to_owned(), number)).collect()
}

/// S1-E05: events reach every live connection, even one that a delivery could not see yet.
#[tokio::test]
async fn a_connection_that_a_delivery_missed_gets_the_frame_a_little_later() {
    let world = World::start().await;
    let faults = Faults::install(world.services());
    let [ada, bob, cem] = world.people(["ada", "bob", "cem"]).await;
    for conversation in [
        ada.open_direct(&bob).await,
        ada.open_group("circle", &[&bob, &cem]).await,
    ] {
        world.settled().await;
        let mut before = bob.connect().await;
        faults.watch();
        ada.says(&conversation, "seen by all").await;
        world.settled().await;
        let looks = faults.seen();
        let looks = looks.iter().find(|point| is_look_for_listeners(point)).unwrap();
        world.caught_up().await;
        assert_eq!(entries(&mut before).await.last(), said(1..=1).last());

        // A delivery sees the message, but not yet the new connection.
        faults.inject(looks, Fault::WaitsBefore);
        ada.says(&conversation, "said in between").await;
        faults.was_injected().await;
        world.services().hold_eventual_reads().unwrap();
        let mut after = bob.connect().await;
        faults.release();
        world.settled().await;
        world.services().release_eventual_reads();
        assert_eq!(
            entries(&mut before).await,
            said(2..=2),
            "a device of before is told"
        );
        assert_eq!(entries(&mut after).await, [], "that of a moment ago is not");

        ada.says(&conversation, "when it is known").await;
        world.settled().await;
        assert_eq!(
            entries(&mut after).await,
            said(3..=3),
            "a hole is seen by its number"
        );
        entries(&mut before).await;
        world.caught_up().await;
        // Messages from just before it was opened may come as well.
        let told = entries(&mut after).await;
        assert_eq!(told[told.len() - 2..], said(2..=3), "and filled");
        assert_eq!(entries(&mut before).await, [], "whoever knew is not told again");
        before.close().await;
        after.close().await;
    }
}

/// Whether a delivery sees the connection.
fn is_look_for_listeners(point: &Point) -> bool {
    point.function == "Deliver" && point.call.contains("/CONNECTIONS")
}

/// Messages from after all reads showed the connection are not repeated.
#[tokio::test]
async fn what_is_said_some_seconds_after_a_connect_comes_once() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    ada.says(&conversation, "long before").await;
    world.settled().await;
    world.advance(Duration::from_mins(1));
    let mut socket = bob.connect().await;
    ada.says(&conversation, "at once").await;
    world.advance(Duration::from_secs(4));
    ada.says(&conversation, "some seconds later").await;
    world.settled().await;
    assert_eq!(entries(&mut socket).await, said(2..=3));
    world.caught_up().await;
    assert_eq!(entries(&mut socket).await, said(2..=2));
}

/// A conversation that was just opened is not mistaken for empty.
#[tokio::test]
async fn a_new_member_gets_the_first_message() {
    let world = World::start().await;
    let [ada, bob, cem] = world.people(["ada", "bob", "cem"]).await;
    let mut sockets = [bob.connect().await, cem.connect().await];
    world.services().hold_eventual_reads().unwrap();
    let group = ada.open_group("new", &[&bob, &cem]).await;
    let direct = ada.open_direct(&bob).await;
    ada.says(&group, "hello").await;
    ada.says(&direct, "hello, Bob").await;
    world.settled().await;
    let [of_bob, of_cem] = &mut sockets;
    assert_eq!(entries(of_bob).await.len(), 2);
    assert_eq!(entries(of_cem).await, said(1..=1));
}

/// The effect is limited to what a client may see anyway: a late frame.
#[tokio::test]
async fn a_deletion_is_delivered_although_reads_lag() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let mut socket = bob.connect().await;
    world.settled().await;
    world.services().hold_eventual_reads().unwrap();
    let message = ada.says(&conversation, "oh").await;
    let id = message["id"].as_str().unwrap();
    ada.delete(&format!("/api/conversations/{conversation}/messages/{id}"))
        .await
        .is(204);
    world.settled().await;
    let told = entries(&mut socket).await;
    assert!(told.contains(&("message_deleted".to_owned(), 2)), "{told:?}");
}
