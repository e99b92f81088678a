//! What people get when they ask, and what it must be.

use harness::Person;
use serde_json::{Value, json};

/// Somebody's balance; the ledger must add up to it.
pub(super) async fn adds_up(person: &Person) -> u64 {
    let page = person.get("/api/v1/credits/transactions?limit=100").await.is(200);
    let entries = page["data"]["transactions"].as_array().unwrap();
    let sum: i64 = entries
        .iter()
        .map(|entry| entry["amount"].as_i64().unwrap())
        .sum();
    let balance = person.balance().await;
    assert_eq!(
        i64::try_from(balance).unwrap(),
        sum,
        "the ledger does not add up: {entries:#?}"
    );
    balance
}

/// Sends a request and accepts any response.
pub(super) async fn attempt(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.expect("the gateway answers");
    let status = response.status().as_u16();
    let text = response.text().await.expect("the answer has a body");
    (status, serde_json::from_str(&text).unwrap_or_default())
}

/// The whole log as a member gets it.
pub(super) async fn log(person: &Person, conversation: &str) -> Vec<Value> {
    let mut events: Vec<Value> = Vec::new();
    loop {
        let after = events.len();
        let path = format!("/api/conversations/{conversation}/events?after_seq={after}&limit=100");
        let page = person.get(&path).await.is(200);
        events.extend(page["events"].as_array().unwrap().iter().cloned());
        if page["has_more"] == false {
            assert_eq!(page["last_seq"], events.len(), "the log ends where it says");
            return events;
        }
    }
}

/// All events since a token, and the unread counts.
pub(super) async fn sync(person: &Person, token: &str) -> (Vec<Value>, Value) {
    let (mut told, mut token) = (Vec::new(), token.to_owned());
    loop {
        let page = person
            .get(&format!("/api/events?after={token}&limit=100"))
            .await
            .is(200);
        assert_eq!(page["recovered"], true);
        told.extend(page["events"].as_array().unwrap().iter().cloned());
        page["next"].as_str().unwrap().clone_into(&mut token);
        if page["has_more"] == false {
            return (told, page["unread"].clone());
        }
    }
}

pub(super) fn assert_dense(log: &[Value]) {
    let numbers: Vec<Value> = log.iter().map(frame_seq).collect();
    let expected: Vec<Value> = (1..=log.len()).map(Value::from).collect();
    assert_eq!(numbers, expected, "the numbers of the log");
    let mut ids: Vec<String> = log
        .iter()
        .map(|event| fact(event)["about"].to_string() + event["type"].as_str().unwrap())
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), log.len(), "nothing is there twice");
}

pub(super) fn is_entry(frame: &Value) -> bool {
    frame["type"] == "new_message" || frame["type"] == "message_deleted"
}

pub(super) fn frame_seq(frame: &Value) -> Value {
    if frame["seq"].is_null() {
        frame["message"]["seq"].clone()
    } else {
        frame["seq"].clone()
    }
}

pub(super) fn conversation_of(frame: &Value) -> &str {
    frame["message"]["conversation_id"]
        .as_str()
        .or_else(|| frame["conversation_id"].as_str())
        .unwrap_or_default()
}

/// The part of an entry that is the same for everybody.
pub(super) fn fact(frame: &Value) -> Value {
    let message = &frame["message"];
    json!({
        "seq": frame_seq(frame),
        "type": frame["type"],
        "about": if message.is_null() { &frame["message_id"] } else { &message["id"] },
        "sender": message["sender_id"],
        "content": message["content"],
    })
}

/// The expected unread count of a log: others' messages after the read mark that are not deleted, up to 99.
pub(super) fn unread_of(log: &[Value], reader: &Person, read_up_to: u64) -> u64 {
    let counts = |event: &&Value| {
        let message = &event["message"];
        event["type"] == "new_message"
            && message["sender_id"] != json!(reader.id)
            && message["is_deleted"] == false
            && frame_seq(event).as_u64().unwrap() > read_up_to
    };
    u64::try_from(log.iter().filter(counts).count()).unwrap().min(99)
}

/// The number of the message that a read mark names.
pub(super) fn read_up_to(conversation: &Value, member: &Person, log: &[Value]) -> u64 {
    let participants = conversation["participants"].as_array().unwrap();
    let own = participants
        .iter()
        .find(|participant| participant["user_id"] == json!(member.id));
    let read = &own.expect("a member is listed")["last_read_message_id"];
    let event = log
        .iter()
        .find(|event| !read.is_null() && event["message"]["id"] == *read);
    event.map_or(0, |event| frame_seq(event).as_u64().unwrap())
}
