//! The log of a conversation, with which a client fills gaps: `GET …/events` (contract §2).

use harness::{Person, World};
use serde_json::{Value, json};

use super::{each, message_path};

async fn events(person: &Person, conversation: &str, query: &str) -> Value {
    person
        .get(&format!("/api/conversations/{conversation}/events?{query}"))
        .await
        .is(200)
}

/// A group with six entries: four messages, two deletions.
async fn group(world: &World) -> ([Person; 3], String, Vec<Value>) {
    let people = world.people(["ada", "bob", "chen"]).await;
    let [ada, bob, chen] = &people;
    let group = ada.open_group("three", &[bob, chen]).await;
    let mut messages = vec![ada.says(&group, "one").await, bob.says(&group, "two").await];
    ada.delete(&message_path(&group, &messages[0])).await.is(204);
    messages.push(chen.says(&group, "three").await);
    bob.delete(&message_path(&group, &messages[1])).await.is(204);
    messages.push(ada.says(&group, "four").await);
    (people, group, messages)
}

/// S1-F04, contract §2
#[tokio::test]
async fn the_log_is_every_entry_in_order_with_where_everybody_stands() {
    let world = World::start().await;
    let ([ada, bob, chen], group, messages) = group(&world).await;
    let read = bob.reads(&group, &messages[2]).await;
    assert_eq!(read["last_read_seq"], 4);

    let log = events(&chen, &group, "").await;
    assert_eq!((&log["last_seq"], &log["has_more"]), (&json!(6), &json!(false)));
    assert_eq!(each(&log["events"], "seq"), [1, 2, 3, 4, 5, 6]);
    let types = [
        "new_message",
        "new_message",
        "message_deleted",
        "new_message",
        "message_deleted",
        "new_message",
    ];
    assert_eq!(each(&log["events"], "type"), types.map(Value::from));
    assert_eq!(
        log["events"][0]["message"]["content"],
        Value::Null,
        "a deleted one is its tombstone"
    );
    assert_eq!(log["events"][2]["message_id"], messages[0]["id"]);
    assert_eq!(log["events"][3]["message"]["content"], "three");

    let mut cursors = log["cursors"].as_array().unwrap().clone();
    cursors.sort_by_key(|cursor| cursor["user_id"].to_string());
    let mut expected = [ada.id, bob.id, chen.id].map(|id| {
        let (seq, message) = if id == bob.id {
            (4, messages[2]["id"].clone())
        } else {
            (0, Value::Null)
        };
        json!({ "user_id": id, "last_read_seq": seq, "last_read_message_id": message, "read_at": null })
    });
    expected.sort_by_key(|cursor| cursor["user_id"].to_string());
    for (cursor, expected) in cursors.iter_mut().zip(&expected) {
        let has_read = cursor["last_read_seq"] != 0;
        assert_eq!(cursor["read_at"].is_string(), has_read, "{cursor}");
        cursor["read_at"] = Value::Null;
        assert_eq!(cursor, expected);
    }
}

/// Contract §2: continue after the `seq` of the last one.
#[tokio::test]
async fn the_log_is_read_in_stretches() {
    let world = World::start().await;
    let ([ada, ..], group, _) = group(&world).await;
    let whole = events(&ada, &group, "").await["events"].clone();
    for limit in [1, 2, 4, 5, 6, 100] {
        let (mut after, mut found) = (json!(0), Vec::new());
        loop {
            let stretch = events(&ada, &group, &format!("after_seq={after}&limit={limit}")).await;
            assert_eq!(stretch["last_seq"], 6);
            let entries = stretch["events"].as_array().unwrap();
            assert!(entries.len() <= limit);
            found.extend(entries.iter().cloned());
            if stretch["has_more"] == false {
                break;
            }
            after = entries.last().unwrap()["seq"].clone();
        }
        assert_eq!(json!(found), whole, "stretches of {limit}");
    }
    for beyond in [6, 7, 999_999_999_999_u64] {
        let end = events(&ada, &group, &format!("after_seq={beyond}")).await;
        assert_eq!(
            (&end["events"], &end["has_more"], &end["last_seq"]),
            (&json!([]), &json!(false), &json!(6))
        );
    }
}

/// Contract §2: each event equals the posted frame.
#[tokio::test]
async fn an_event_is_the_frame_that_was_pushed() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    world.settled().await;
    let mut socket = bob.connect().await;
    let first = ada.says(&conversation, "first").await;
    world.settled().await;
    ada.delete(&message_path(&conversation, &first)).await.is(204);
    bob.says(&conversation, "second").await;
    world.settled().await;

    let mut frames = socket.so_far().await;
    frames.sort_by_key(|frame| frame["seq"].as_u64());
    assert_eq!(frames.len(), 3);
    let log = events(&bob, &conversation, "").await;
    for (frame, event) in frames.iter_mut().zip(log["events"].as_array().unwrap()) {
        // A posted frame's count is that of its moment, and deleted messages have become tombstones.
        assert!(frame["unread_count"].is_u64(), "{frame}");
        frame.as_object_mut().unwrap().remove("unread_count");
        if event["message"]["is_deleted"] == true {
            frame["message"] = event["message"].clone();
        }
        assert_eq!(frame, event);
    }
}

/// Contract §2
#[tokio::test]
async fn a_fresh_conversation_has_an_empty_log() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let log = events(&bob, &conversation, "").await;
    assert_eq!(
        (&log["events"], &log["has_more"], &log["last_seq"]),
        (&json!([]), &json!(false), &json!(0))
    );
    assert_eq!(log["cursors"].as_array().unwrap().len(), 2);
}

/// S1-N04
#[tokio::test]
async fn where_and_how_much_of_the_log_has_bounds() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let path = format!("/api/conversations/{}/events", ada.open_direct(&bob).await);
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=-1", "limit"),
        ("after_seq=-1", "after_seq"),
        ("after_seq=1000000000000", "after_seq"),
    ] {
        ada.get(&format!("{path}?{query}"))
            .await
            .blames(field, "out_of_range");
    }
}
