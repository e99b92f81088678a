//! Messages: sending, listing, deleting (S1-E03, S1-E04, S1-E06).

mod deleting;
mod idempotency;
mod listing;
mod log;
mod sending;

use harness::World;
use serde_json::Value;

/// S1-E04, S1-W03
#[tokio::test]
async fn a_message_reaches_the_other_one_live_and_in_the_list() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let mut socket = bob.connect().await;

    let message = ada.says(&conversation, "Hello, Bob!").await;
    assert_eq!(message["seq"], 1);
    assert_eq!(message["sender_username"], "ada");

    let frame = socket.next_of("new_message").await;
    assert_eq!(frame["message"]["id"], message["id"]);
    assert_eq!(frame["unread_count"], 1);
    assert_eq!(frame["namespace"], "conversations");
    assert_eq!(bob.messages(&conversation).await, [message]);
}

/// A field of each value.
fn each(values: &Value, field: &str) -> Vec<Value> {
    values
        .as_array()
        .unwrap()
        .iter()
        .map(|value| value[field].clone())
        .collect()
}

/// Where the messages of a conversation are.
fn messages_path(conversation: &str) -> String {
    format!("/api/conversations/{conversation}/messages")
}

/// Where one message is.
fn message_path(conversation: &str, message: &Value) -> String {
    format!(
        "/api/conversations/{conversation}/messages/{}",
        message["id"].as_str().unwrap()
    )
}
