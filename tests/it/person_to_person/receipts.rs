//! Receipts: each message by itself, live on both sides, and the same in every view (S2-E04, S2-E05, S2-W02).

use harness::{Person, World, history};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use super::{marks, unread, with};

/// S2-W02: both sides hear of it.
#[tokio::test]
async fn both_get_the_status_of_a_message() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let message = ada.writes_to(&bob, "Hello").await.is(200);
    world.settled().await;
    let (mut of_ada, mut of_bob) = (ada.connect().await, bob.connect().await);
    let path = format!(
        "/api/v2/messages/mark-delivered/{}",
        message["id"].as_str().unwrap()
    );
    let delivered = bob.post_nothing(&path).await.is(200);
    let expected = |status: &str, read_at: &Value| {
        json!({
            "type": "message_status", "namespace": "conversations", "conversation_id": message["conversation_id"],
            "message_id": message["id"], "seq": 1, "status": status, "delivered_at": delivered["delivered_at"],
            "read_at": read_at
        })
    };
    for socket in [&mut of_ada, &mut of_bob] {
        assert_eq!(
            socket.next_of("message_status").await,
            expected("delivered", &Value::Null)
        );
    }
    marks(&bob, &[&message]).await;
    let read_at = with(&ada, &bob).await[0]["read_at"].clone();
    for socket in [&mut of_ada, &mut of_bob] {
        assert_eq!(socket.next_of("message_status").await, expected("read", &read_at));
        // Who goes by cursors is told that one has moved.
        let frame = socket.next_of("message_read").await;
        assert_eq!((&frame["message_id"], &frame["seq"]), (&message["id"], &json!(1)));
    }
}

/// Contract §4: just the named ids, and both kinds of reading count everywhere.
#[tokio::test]
async fn a_later_message_is_read_and_an_earlier_one_is_not() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let mut messages = Vec::new();
    for number in 1..=5 {
        messages.push(ada.writes_to(&bob, &number.to_string()).await.is(200));
    }
    let conversation = messages[0]["conversation_id"].as_str().unwrap().to_owned();
    assert_eq!(marks(&bob, &[&messages[2], &messages[4]]).await, 2);
    assert_eq!(marks(&bob, &[&messages[2]]).await, 0, "it was read before");
    let read: Vec<bool> = with(&ada, &bob)
        .await
        .iter()
        .map(|message| message["status"] == "read")
        .collect();
    assert_eq!(read, [false, false, true, false, true]);
    assert_eq!(unread(&bob).await["unread_count"], 3);
    // Conversations (S1) see the same.
    let mut seen = bob.messages(&conversation).await;
    seen.reverse();
    let is_read: Vec<&Value> = seen.iter().map(|message| &message["is_read"]).collect();
    assert_eq!(is_read, [false, false, true, false, true]);
    assert_eq!(seen[2]["read_by"], json!([bob.id]));
    assert_eq!(bob.sees(&conversation).await["unread_count"], 3);
    let sync = bob.get("/api/events").await.is(200);
    assert_eq!(sync["unread"]["by_conversation"][&conversation], 3);
    // A cursor that comes up to the third takes the two before it along.
    assert_eq!(bob.reads(&conversation, &messages[1]).await["unread_count"], 1);
    assert_eq!(unread(&bob).await["unread_count"], 1);
    // And who reads what is left has read everything.
    assert_eq!(marks(&bob, &[&messages[3]]).await, 1);
    assert_eq!(unread(&bob).await["unread_count"], 0);
    assert_eq!(
        bob.sees(&conversation).await["participants"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let cursors = bob
        .get(&format!("/api/conversations/{conversation}/events"))
        .await
        .is(200)["cursors"]
        .clone();
    let of_bob = cursors
        .as_array()
        .unwrap()
        .iter()
        .find(|cursor| cursor["user_id"] == json!(bob.id))
        .unwrap();
    assert_eq!(
        (&of_bob["last_read_seq"], &of_bob["last_read_message_id"]),
        (&json!(5), &messages[4]["id"])
    );
}

/// S3, contract §5: more than 1,000 runs of messages read past others. What was skipped first counts as read from then
/// on, and nothing else.
#[tokio::test]
async fn who_skips_more_than_is_remembered_has_read_what_they_skipped_first() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    ada.says(&conversation, "first").await;
    history::lengthen(world.services(), &conversation, 2004).await;
    let every_second: Vec<Value> = with_ada(&bob, &ada)
        .await
        .into_iter()
        .filter(|message| message["seq"].as_u64().unwrap() % 2 == 0)
        .collect();
    for page in every_second.chunks(100) {
        let page: Vec<&Value> = page.iter().collect();
        assert_eq!(marks(&bob, &page).await, page.len() as u64);
    }
    // 1,002 were read past as many: the first two of them are read now, and the other 1,000 are not.
    let not_read: Vec<u64> = with_ada(&bob, &ada)
        .await
        .iter()
        .filter(|message| message["status"] != "read")
        .map(|message| message["seq"].as_u64().unwrap())
        .collect();
    let expected: Vec<u64> = (2..=1001).rev().map(|half| 2 * half + 1).collect();
    assert_eq!(not_read, expected);
    assert_eq!(unread(&bob).await["unread_count"], 99, "exact to 99");
}

/// All messages with somebody, newest first.
async fn with_ada(bob: &Person, ada: &Person) -> Vec<Value> {
    let mut seen = Vec::new();
    let first = format!("/api/v2/messages/conversation/{}?limit=100", ada.id);
    let mut path = first.clone();
    loop {
        let page = bob.get(&path).await.is(200);
        seen.extend(page["messages"].as_array().unwrap().iter().rev().cloned());
        let Some(cursor) = page["next_cursor"].as_str() else {
            return seen;
        };
        path = format!("{first}&cursor={cursor}");
    }
}

/// A model: sets of read messages, whatever is marked, up to or by itself, sent or deleted in between.
#[tokio::test]
async fn unread_is_what_the_model_says_whatever_is_marked() {
    #[derive(Clone, Debug)]
    enum Step {
        Send,
        Answer,
        Mark(Vec<prop::sample::Index>),
        ReadUpTo(prop::sample::Index),
        Delete(prop::sample::Index),
    }
    let step = prop_oneof![
        4 => Just(Step::Send),
        1 => Just(Step::Answer),
        3 => prop::collection::vec(any::<prop::sample::Index>(), 1..4).prop_map(Step::Mark),
        1 => any::<prop::sample::Index>().prop_map(Step::ReadUpTo),
        1 => any::<prop::sample::Index>().prop_map(Step::Delete),
    ];
    let steps = prop::collection::vec(step, 1..40);
    let mut runner = TestRunner::deterministic();
    for _ in 0..6 {
        let steps = steps.new_tree(&mut runner).unwrap().current();
        let world = World::start().await;
        let [ada, bob] = world.people(["ada", "bob"]).await;
        let conversation = ada.open_direct(&bob).await;
        // Ada's messages with whether Bob has read them and whether they are deleted; Bob's have none.
        let mut messages: Vec<(Value, bool, bool)> = Vec::new();
        for step in &steps {
            match step {
                Step::Send => messages.push((ada.says(&conversation, "x").await, false, false)),
                Step::Answer => {
                    bob.says(&conversation, "y").await;
                }
                Step::Mark(indices) if !messages.is_empty() => {
                    let chosen: Vec<usize> =
                        indices.iter().map(|index| index.index(messages.len())).collect();
                    let named: Vec<&Value> = chosen.iter().map(|index| &messages[*index].0).collect();
                    marks(&bob, &named).await;
                    for index in chosen {
                        messages[index].1 = true;
                    }
                }
                Step::ReadUpTo(index) if !messages.is_empty() => {
                    let index = index.index(messages.len());
                    bob.reads(&conversation, &messages[index].0).await;
                    messages[..=index].iter_mut().for_each(|message| message.1 = true);
                }
                Step::Delete(index) if !messages.is_empty() => {
                    let index = index.index(messages.len());
                    let id = messages[index].0["id"].as_str().unwrap();
                    ada.delete(&format!("/api/conversations/{conversation}/messages/{id}"))
                        .await
                        .is(204);
                    messages[index].2 = true;
                }
                Step::Mark(_) | Step::ReadUpTo(_) | Step::Delete(_) => {}
            }
            let expected = messages
                .iter()
                .filter(|(_, is_read, is_deleted)| !is_read && !is_deleted)
                .count();
            assert_eq!(
                unread(&bob).await["unread_count"],
                expected,
                "after {step:?} in {steps:?}"
            );
        }
        for (seen, (_, is_read, _)) in with(&ada, &bob)
            .await
            .iter()
            .filter(|message| message["sender_id"] == json!(ada.id))
            .zip(&messages)
        {
            assert_eq!(seen["status"] == "read", *is_read, "{seen} in {steps:?}");
        }
    }
}
