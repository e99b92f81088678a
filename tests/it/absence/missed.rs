//! One notification per conversation, after a grace period, for members who have not read in the meantime.

use std::time::Duration;

use harness::world::OFFLINE;
use harness::{Person, World};

use super::{missed, missed_seq};

/// Lets the grace period pass.
async fn grace(world: &World) {
    world.settled().await;
    world.advance(Duration::from_secs(31));
    world.settled().await;
}

async fn delete(person: &Person, conversation: &str, message: &serde_json::Value) {
    let id = message["id"].as_str().unwrap();
    person
        .delete(&format!("/api/conversations/{conversation}/messages/{id}"))
        .await
        .is(204);
}

/// S0-J01
#[tokio::test]
async fn an_absent_member_gets_one_notification_after_the_time_of_grace() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let message = ada.says(&conversation, "are you there?").await;
    world.settled().await;
    assert_eq!(missed(&world, &bob, &conversation).await, None, "not yet");
    let waiting = world.services().queues().depth(OFFLINE).unwrap();
    assert_eq!((waiting.delayed, waiting.visible), (1, 0));

    grace(&world).await;
    let noted = missed(&world, &bob, &conversation).await.unwrap();
    assert_eq!(noted["q"]["N"], "1");
    assert_eq!(noted["u"]["S"], "ada");
    assert!(message["id"].is_string() && noted["m"]["B"].is_string());
    assert!(
        !noted.to_string().contains("are you there"),
        "no content: it may be deleted by the time it is read"
    );
    assert_eq!(
        missed(&world, &ada, &conversation).await,
        None,
        "the sender missed nothing"
    );
}

/// S0-J01: updated in place, per conversation.
#[tokio::test]
async fn more_missed_messages_change_the_notification_and_add_none() {
    let world = World::start().await;
    let [ada, bob, chen] = world.people(["ada", "bob", "chen"]).await;
    let (direct, group) = (
        ada.open_direct(&bob).await,
        chen.open_group("three", &[&ada, &bob]).await,
    );
    ada.says(&direct, "one").await;
    grace(&world).await;
    let first = missed(&world, &bob, &direct).await.unwrap();
    ada.says(&direct, "two").await;
    ada.says(&direct, "three").await;
    chen.says(&group, "elsewhere").await;
    grace(&world).await;
    let last = missed(&world, &bob, &direct).await.unwrap();
    assert_eq!(last["q"]["N"], "3");
    assert_eq!(
        (&last["i"], &last["f"]),
        (&first["i"], &first["f"]),
        "the same notification, missed since then"
    );
    assert_eq!(missed_seq(&world, &bob, &group).await, Some(1));
    assert_eq!(missed_seq(&world, &ada, &group).await, Some(1));
    assert_eq!(missed_seq(&world, &chen, &group).await, None);
}

/// S0-J03
#[tokio::test]
async fn who_has_a_live_connection_or_has_read_meanwhile_missed_nothing() {
    let world = World::start().await;
    let [ada, bob, chen, dana] = world.people(["ada", "bob", "chen", "dana"]).await;
    let group = ada.open_group("four", &[&bob, &chen, &dana]).await;
    let mut socket = bob.connect().await;
    let message = ada.says(&group, "hello").await;
    socket.next_of("new_message").await;
    world.settled().await;
    chen.reads(&group, &message).await;
    grace(&world).await;
    assert_eq!(missed_seq(&world, &bob, &group).await, None, "was there");
    assert_eq!(missed_seq(&world, &chen, &group).await, None, "has read");
    assert_eq!(missed_seq(&world, &dana, &group).await, Some(1));
}

/// S0-J02
#[tokio::test]
async fn a_message_that_was_deleted_in_the_meantime_is_not_delivered() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let message = ada.says(&conversation, "oops").await;
    world.settled().await;
    delete(&ada, &conversation, &message).await;
    grace(&world).await;
    assert_eq!(missed(&world, &bob, &conversation).await, None);
}

/// S0-J01: only messages are missed; neither an opening, a read nor a deletion is.
#[tokio::test]
async fn nothing_but_a_message_is_missed() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    world.settled().await;
    assert_eq!(world.services().queues().messages(OFFLINE).unwrap().len(), 0);
    let message = ada.says(&conversation, "hello").await;
    grace(&world).await;
    bob.reads(&conversation, &message).await;
    delete(&ada, &conversation, &message).await;
    world.settled().await;
    assert_eq!(world.services().queues().messages(OFFLINE).unwrap().len(), 0);
}

/// Contract §2: the grace period is configurable.
#[tokio::test]
async fn the_grace_period_is_configurable() {
    let world = World::with(&[("OFFLINE_GRACE_SECONDS", "0")]).await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    ada.says(&conversation, "hello").await;
    world.settled().await;
    assert_eq!(missed_seq(&world, &bob, &conversation).await, Some(1));
}
