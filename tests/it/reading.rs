//! Reading: up to and including a message, never backwards, and everybody is told (S1-E05).

mod counts;
mod live;
mod marks;

use serde_json::{Value, json};

/// Where somebody says how far they have read.
fn read_path(conversation: &str) -> String {
    format!("/api/conversations/{conversation}/read")
}

/// What is asked for up to a message.
fn up_to(message: &Value) -> Value {
    json!({ "message_id": message["id"] })
}
