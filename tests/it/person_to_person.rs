//! Person-to-person messages: the direct conversation as S2 sees it, with receipts, for credits (contract §4).

mod attachments;
mod facades;
mod receipts;
mod scenarios;
mod sending;

use harness::Person;
use serde_json::{Value, json};

/// The messages with somebody, as far as one page goes, oldest first.
async fn with(person: &Person, partner: &Person) -> Vec<Value> {
    let path = format!("/api/v2/messages/conversation/{}?limit=100", partner.id);
    let page = person.get(&path).await.is(200);
    page["messages"].as_array().unwrap().clone()
}

/// Marks just these messages as read; how many were not before.
async fn marks(person: &Person, messages: &[&Value]) -> u64 {
    let ids: Vec<&Value> = messages.iter().map(|message| &message["id"]).collect();
    let answer = person
        .post("/api/v2/messages/mark-read", json!({ "message_ids": ids }))
        .await
        .is(200);
    assert_eq!(answer["success"], true);
    answer["marked_count"].as_u64().unwrap()
}

/// What is unread for somebody, in all and by sender.
async fn unread(person: &Person) -> Value {
    person.get("/api/v2/messages/unread-count").await.is(200)
}
