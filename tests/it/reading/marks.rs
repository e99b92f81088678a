//! Marking as read, and the read status of messages for sender and readers (S1-E05, S1-F08).

use std::time::Duration;

use harness::{Person, World};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{read_path, up_to};

/// S1-E05: up to and including.
#[tokio::test]
async fn everything_up_to_and_including_a_message_is_read() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let mut messages = Vec::new();
    for index in 1..=5 {
        messages.push(ada.says(&conversation, &format!("number {index}")).await);
    }
    let read = bob
        .patch(&read_path(&conversation), up_to(&messages[2]))
        .await
        .is(200);
    let expected = json!({
        "conversation_id": conversation, "last_read_message_id": messages[2]["id"], "last_read_seq": 3,
        "unread_count": 2
    });
    assert_eq!(read, expected);

    for person in [&bob, &ada] {
        let marks: Vec<Value> = person
            .messages(&conversation)
            .await
            .iter()
            .rev()
            .map(|message| message["is_read"].clone())
            .collect();
        assert_eq!(marks, [true, true, true, false, false].map(Value::from));
    }
    assert_eq!(bob.sees(&conversation).await["unread_count"], 2);
}

/// S1-E05: a read mark never moves back, and the response has the current one.
#[tokio::test]
async fn reading_never_goes_backwards() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let first = ada.says(&conversation, "first").await;
    let second = ada.says(&conversation, "second").await;
    ada.says(&conversation, "third").await;

    let stands = bob.reads(&conversation, &second).await;
    let before = bob
        .get(&format!("/api/conversations/{conversation}/events"))
        .await
        .is(200)["cursors"]
        .clone();
    world.advance(Duration::from_secs(10));
    for earlier in [&first, &second, &first] {
        assert_eq!(bob.reads(&conversation, earlier).await, stands);
    }
    assert_eq!(
        (&stands["last_read_message_id"], &stands["unread_count"]),
        (&second["id"], &json!(1))
    );
    let after = bob
        .get(&format!("/api/conversations/{conversation}/events"))
        .await
        .is(200)["cursors"]
        .clone();
    assert_eq!(after, before, "not even the time");
}

/// S1-E05: concurrent marks; the furthest wins.
#[tokio::test]
async fn of_many_marks_at_once_the_furthest_stands() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let mut messages = Vec::new();
    for index in 0..10 {
        messages.push(ada.says(&conversation, &format!("number {index}")).await);
    }
    let order = [3, 9, 0, 7, 5, 1, 8, 2, 6, 4];
    let marks = order.map(|index| bob.reads(&conversation, &messages[index]));
    for (index, stands) in order.into_iter().zip(futures::future::join_all(marks).await) {
        assert!(stands["last_read_seq"].as_u64() > Some(index as u64), "{stands}");
    }
    assert_eq!(bob.sees(&conversation).await["unread_count"], 0);
    let log = ada
        .get(&format!("/api/conversations/{conversation}/events"))
        .await
        .is(200);
    let cursors = log["cursors"].as_array().unwrap();
    let cursor = cursors
        .iter()
        .find(|cursor| cursor["user_id"] == json!(bob.id))
        .unwrap();
    assert_eq!(
        (&cursor["last_read_seq"], &cursor["last_read_message_id"]),
        (&json!(10), &messages[9]["id"])
    );
}

/// S1-E05: one's own and deleted messages can be marked too.
#[tokio::test]
async fn one_may_read_up_to_an_own_or_a_deleted_message() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    ada.says(&conversation, "theirs").await;
    let own = bob.says(&conversation, "own").await;
    let deleted = ada.says(&conversation, "deleted").await;
    ada.says(&conversation, "later").await;
    let path = format!(
        "/api/conversations/{conversation}/messages/{}",
        deleted["id"].as_str().unwrap()
    );
    ada.delete(&path).await.is(204);

    assert_eq!(bob.reads(&conversation, &own).await["unread_count"], 1);
    let stands = bob.reads(&conversation, &deleted).await;
    assert_eq!(
        (&stands["last_read_seq"], &stands["unread_count"]),
        (&json!(3), &json!(1))
    );
}

/// S1-E05: messages of other conversations do not exist here.
#[tokio::test]
async fn only_messages_of_the_conversation_can_be_read() {
    let world = World::start().await;
    let [ada, bob, chen] = world.people(["ada", "bob", "chen"]).await;
    let (with_bob, with_chen) = (ada.open_direct(&bob).await, ada.open_direct(&chen).await);
    let message = bob.says(&with_bob, "from bob").await;
    chen.says(&with_chen, "from chen").await;

    ada.patch(&read_path(&with_chen), up_to(&message))
        .await
        .is_error(404, "NOT_FOUND");
    let nothing = json!({ "message_id": Uuid::new_v4() });
    ada.patch(&read_path(&with_bob), nothing)
        .await
        .is_error(404, "NOT_FOUND");
    chen.patch(&read_path(&with_bob), up_to(&message))
        .await
        .is_error(404, "NOT_FOUND");
    ada.patch(&read_path(&with_bob), json!({ "message_id": "x" }))
        .await
        .blames("message_id", "wrong_format");
    ada.patch(&read_path(&with_bob), json!({}))
        .await
        .blames("message_id", "missing");
    for conversation in [&with_bob, &with_chen] {
        assert_eq!(ada.sees(conversation).await["unread_count"], 1);
    }
}

/// A message as somebody sees it.
async fn seen_by(person: &Person, conversation: &str) -> Value {
    person.messages(conversation).await[0].clone()
}

/// S1-F08: for the sender, that somebody else has read it; for others, that they have.
#[tokio::test]
async fn whether_a_message_is_read_depends_on_who_looks() {
    let world = World::start().await;
    let [ada, bob, chen] = world.people(["ada", "bob", "chen"]).await;
    let group = ada.open_group("three", &[&bob, &chen]).await;
    let message = ada.says(&group, "Hello").await;

    // Reading one's own message does not count.
    ada.reads(&group, &message).await;
    for person in [&ada, &bob, &chen] {
        let seen = seen_by(person, &group).await;
        assert_eq!(
            (&seen["is_read"], &seen["read_by"], &seen["read_count"]),
            (&json!(false), &json!([]), &json!(0))
        );
    }
    bob.reads(&group, &message).await;
    for (person, is_read) in [(&ada, true), (&bob, true), (&chen, false)] {
        let seen = seen_by(person, &group).await;
        assert_eq!(seen["is_read"], json!(is_read));
        assert_eq!(
            (&seen["read_by"], &seen["read_count"]),
            (&json!([bob.id]), &json!(1))
        );
        assert_eq!(person.sees(&group).await["last_message"], seen, "in every view");
        let log = person
            .get(&format!("/api/conversations/{group}/events"))
            .await
            .is(200);
        assert_eq!(log["events"][0]["message"], seen);
    }
    chen.reads(&group, &message).await;
    let seen = seen_by(&chen, &group).await;
    assert_eq!((&seen["is_read"], &seen["read_count"]), (&json!(true), &json!(2)));
    let mut readers: Vec<&str> = seen["read_by"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reader| reader.as_str().unwrap())
        .collect();
    readers.sort_unstable();
    let mut expected = [bob.id, chen.id].map(|id| id.to_string());
    expected.sort_unstable();
    assert_eq!(readers, expected);
}

/// Contract §2: `read_by` lists at most 50, `read_count` counts all.
#[tokio::test]
async fn a_message_names_50_of_its_readers_and_counts_all() {
    let world = World::start().await;
    let ada = world.person("ada").await;
    let names: Vec<String> = (0..60).map(|index| format!("reader{index}")).collect();
    let readers = futures::future::join_all(names.iter().map(|name| world.person(name))).await;
    let group = ada.open_group("sixty", &readers.iter().collect::<Vec<_>>()).await;
    let message = ada.says(&group, "Hello, all").await;
    for (count, reader) in readers.iter().enumerate() {
        if [1, 50, 51].contains(&count) {
            let seen = seen_by(&ada, &group).await;
            assert_eq!(seen["read_count"], json!(count));
            assert_eq!(seen["read_by"].as_array().unwrap().len(), count.min(50));
        }
        reader.reads(&group, &message).await;
    }
    for person in [&ada, &readers[0], &readers[59]] {
        let seen = seen_by(person, &group).await;
        assert_eq!(
            (&seen["is_read"], &seen["read_count"]),
            (&json!(true), &json!(60))
        );
        let mut named: Vec<String> = seen["read_by"]
            .as_array()
            .unwrap()
            .iter()
            .map(|reader| reader.as_str().unwrap().to_owned())
            .collect();
        named.sort_unstable();
        named.dedup();
        assert_eq!(named.len(), 50);
        assert!(
            named
                .iter()
                .all(|name| readers.iter().any(|reader| &reader.id.to_string() == name))
        );
    }
}
