//! Unread counts: exact up to 99, without one's own and deleted messages (contract §2).

use harness::{Person, World};
use serde_json::{Value, json};

async fn unread(person: &Person, conversation: &str) -> u64 {
    let alone = person.sees(conversation).await["unread_count"].clone();
    let listed = person.get("/api/conversations").await.is(200);
    let listed = listed["conversations"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["id"] == conversation)
        .unwrap()
        .clone();
    assert_eq!(
        listed["unread_count"], alone,
        "the list and the conversation agree"
    );
    alone.as_u64().unwrap()
}

async fn says_many(person: &Person, conversation: &str, count: usize) -> Vec<Value> {
    let mut messages = Vec::with_capacity(count);
    for index in 0..count {
        messages.push(person.says(conversation, &format!("number {index}")).await);
    }
    messages
}

async fn deletes(person: &Person, conversation: &str, message: &Value) {
    let path = format!(
        "/api/conversations/{conversation}/messages/{}",
        message["id"].as_str().unwrap()
    );
    person.delete(&path).await.is(204);
}

/// S1-E05
#[tokio::test]
async fn the_unread_count_is_exact_to_99_and_stays_there() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let mut messages = says_many(&ada, &conversation, 98).await;
    assert_eq!(unread(&bob, &conversation).await, 98);
    for _ in 0..3 {
        messages.extend(says_many(&ada, &conversation, 1).await);
        assert_eq!(unread(&bob, &conversation).await, 99);
    }
    assert_eq!(unread(&ada, &conversation).await, 0);
    for (up_to, left) in [(0, 99), (1, 99), (2, 98), (50, 50), (100, 0)] {
        assert_eq!(
            bob.reads(&conversation, &messages[up_to]).await["unread_count"],
            json!(left),
            "up to {up_to}"
        );
        assert_eq!(unread(&bob, &conversation).await, left);
    }
}

/// S1-E05: one's own messages are not unread.
#[tokio::test]
async fn own_messages_are_never_unread() {
    let world = World::start().await;
    let [ada, bob, chen] = world.people(["ada", "bob", "chen"]).await;
    let group = ada.open_group("three", &[&bob, &chen]).await;
    for (person, count) in [(&ada, 1), (&bob, 2), (&chen, 4)] {
        says_many(person, &group, count).await;
    }
    for (person, expected) in [(&ada, 6), (&bob, 5), (&chen, 3)] {
        assert_eq!(unread(person, &group).await, expected);
    }
}

/// S1-E05: a deleted message does not count as unread, nor does its deletion.
#[tokio::test]
async fn deleting_an_unread_message_lowers_the_count_once() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let messages = says_many(&ada, &conversation, 5).await;
    bob.reads(&conversation, &messages[1]).await;
    assert_eq!(unread(&bob, &conversation).await, 3);

    deletes(&ada, &conversation, &messages[0]).await;
    assert_eq!(unread(&bob, &conversation).await, 3, "it had been read");
    for _ in 0..2 {
        deletes(&ada, &conversation, &messages[3]).await;
        assert_eq!(unread(&bob, &conversation).await, 2);
    }
    deletes(&ada, &conversation, &messages[4]).await;
    deletes(&ada, &conversation, &messages[2]).await;
    assert_eq!(unread(&bob, &conversation).await, 0);
}

/// S1-E05: the window does not suffice, so the log is read.
#[tokio::test]
async fn somebody_far_behind_still_gets_an_exact_count() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let early = says_many(&ada, &conversation, 20).await;
    // Bob writes more messages than the window covers; none of them is unread for him.
    let own = says_many(&bob, &conversation, 130).await;
    assert_eq!(unread(&bob, &conversation).await, 20);
    assert_eq!(unread(&ada, &conversation).await, 99);

    deletes(&ada, &conversation, &early[3]).await;
    assert_eq!(
        unread(&bob, &conversation).await,
        19,
        "a deletion beyond the window counts too"
    );
    assert_eq!(bob.reads(&conversation, &early[9]).await["unread_count"], 10);
    let late = says_many(&ada, &conversation, 3).await;
    assert_eq!(unread(&bob, &conversation).await, 13);
    assert_eq!(bob.reads(&conversation, &own[5]).await["unread_count"], 3);
    assert_eq!(bob.reads(&conversation, &late[2]).await["unread_count"], 0);
    assert_eq!(ada.reads(&conversation, &own[60]).await["unread_count"], 69);
}

/// S1-W03: the frame has the new count, each member's own.
#[tokio::test]
async fn a_pushed_message_says_how_much_is_unread_by_now() {
    let world = World::start().await;
    let [ada, bob, chen] = world.people(["ada", "bob", "chen"]).await;
    let group = ada.open_group("three", &[&bob, &chen]).await;
    world.settled().await;
    let mut sockets = [ada.connect().await, bob.connect().await, chen.connect().await];
    let mut last = Value::Null;
    for (person, expected) in [(&ada, [0, 1, 1]), (&bob, [1, 1, 2]), (&ada, [1, 2, 3])] {
        last = person.says(&group, "Hello").await;
        for (socket, expected) in sockets.iter_mut().zip(expected) {
            assert_eq!(
                socket.next_of("new_message").await["unread_count"],
                json!(expected)
            );
        }
    }
    deletes(&ada, &group, &last).await;
    for (socket, expected) in sockets.iter_mut().zip([1, 1, 2]) {
        assert_eq!(
            socket.next_of("message_deleted").await["unread_count"],
            json!(expected)
        );
    }
}
