//! Reading: up to and including a message, never backwards, delivered to everybody (S1-E05).

mod counts;
mod live;
mod marks;

use serde_json::{Value, json};

/// The path for marking as read.
fn read_path(conversation: &str) -> String {
    format!("/api/conversations/{conversation}/read")
}

/// The body for marking up to a message.
fn up_to(message: &Value) -> Value {
    json!({ "message_id": message["id"] })
}
