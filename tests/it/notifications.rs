//! Notifications: listing, reading, deleting, and what was missed in conversations (S0, contract §4).

mod missed;
mod stored;
mod system;

use harness::Person;
use serde_json::Value;

fn path(notification: &Value) -> String {
    format!("/api/v2/notifications/{}", notification["id"].as_str().unwrap())
}

async fn numbers(person: &Person) -> Value {
    person.get("/api/v2/notifications/stats/summary").await.is(200)
}

fn contents(notifications: &[Value]) -> Vec<&str> {
    notifications
        .iter()
        .map(|notification| notification["content"].as_str().unwrap())
        .collect()
}
