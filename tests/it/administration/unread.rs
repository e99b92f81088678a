//! What is blocked is nothing to read: unread counts, and what absent members are told of.

use harness::{Person, World};
use serde_json::{Value, json};

use super::{moderate, talk};

async fn unread(person: &Person, conversation: &str) -> Value {
    person.sees(conversation).await["unread_count"].clone()
}

/// Contract §2: derived, and right for every member of a group, however often it goes back and forth.
#[tokio::test]
async fn a_blocked_message_does_not_count_as_unread_until_it_is_approved() {
    let world = World::start().await;
    let [ada, bob, cem] = world.people(["ada", "bob", "cem"]).await;
    let admin = world.with_roles("root", &["admin"]).await;
    let group = ada.open_group("circle", &[&bob, &cem]).await;
    let mut messages = Vec::new();
    for (number, person) in [&ada, &bob, &cem, &bob].into_iter().enumerate() {
        messages.push(person.says(&group, &format!("{number}")).await);
    }
    // Of the four, two are Bob's own; Ada has read the first two.
    ada.reads(&group, &messages[1]).await;
    let counts = async || {
        [
            unread(&ada, &group).await,
            unread(&bob, &group).await,
            unread(&cem, &group).await,
        ]
    };
    assert_eq!(counts().await, [2, 2, 3].map(Value::from));
    for _ in 0..2 {
        moderate(&admin, &messages[3], "blocked").await.is(200);
        assert_eq!(counts().await, [1, 2, 2].map(Value::from));
        moderate(&admin, &messages[0], "blocked").await.is(200);
        assert_eq!(counts().await, [1, 1, 1].map(Value::from));
        moderate(&admin, &messages[0], "flagged").await.is(200);
        moderate(&admin, &messages[3], "approved").await.is(200);
        assert_eq!(counts().await, [2, 2, 3].map(Value::from));
    }
    let all = cem.get("/api/events").await.is(200);
    assert_eq!(all["unread"]["total"], 3);
}

/// The count of somebody who is further behind than the newest entry remembers.
#[tokio::test]
async fn a_message_beyond_the_window_counts_by_its_own_status() {
    let world = World::start().await;
    let (ada, bob, admin, conversation, message) = talk(&world).await;
    // The window has room for 128 entries; most of these are Bob's own, which he has not to read.
    for number in 0..130 {
        bob.says(&conversation, &format!("{number}")).await;
    }
    assert_eq!(unread(&bob, &conversation).await, 1);
    moderate(&admin, &message, "blocked").await.is(200);
    assert_eq!(unread(&bob, &conversation).await, 0);
    moderate(&admin, &message, "approved").await.is(200);
    assert_eq!(unread(&bob, &conversation).await, 1);
    assert_eq!(unread(&ada, &conversation).await, 99);
}

/// S0-J01: what was blocked before the grace time was over is noted for nobody.
#[tokio::test]
async fn a_message_that_was_blocked_in_the_meantime_is_not_missed() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let admin = world.with_roles("root", &["admin"]).await;
    let conversation = ada.open_direct(&bob).await;
    let missed = async || {
        world
            .stored(&format!("U#{}#NOTE", bob.id), &format!("MISSED#{conversation}"))
            .await
    };
    let message = ada.says(&conversation, "rude").await;
    moderate(&admin, &message, "blocked").await.is(200);
    world.bring_offline_forward().await;
    assert_eq!(missed().await, None);
    // Neither is a decision something to miss.
    moderate(&admin, &message, "approved").await.is(200);
    world.bring_offline_forward().await;
    assert_eq!(missed().await, None);
    ada.says(&conversation, "kind").await;
    world.bring_offline_forward().await;
    assert_eq!(missed().await.unwrap()["q"], json!({ "N": "4" }));
}
