//! Mail: sending, folders, and the flags of each side (S0, contract §4).

mod boxes;
mod flags;
mod frames;
mod model;
mod sending;

use harness::{Answer, Person};
use serde_json::{Value, json};

/// Gets a mail without marking it as read.
async fn peek(person: &Person, mail: &Value) -> Answer {
    person.get(&format!("{}?peek=true", path(mail))).await
}

/// Changes flags.
async fn flag(person: &Person, mail: &Value, flags: Value) -> Answer {
    person.put(&path(mail), flags).await
}

/// Changes the flags of a version.
async fn flag_if(person: &Person, mail: &Value, version: u64, flags: &Value) -> Answer {
    let request = person.request("PUT", &path(mail)).json(flags);
    person
        .send(request.header("if-match", format!("\"{version}\"")))
        .await
}

fn path(mail: &Value) -> String {
    format!("/api/v2/messages/{}", mail["id"].as_str().unwrap())
}

async fn stats(person: &Person) -> Value {
    person.get("/api/v2/messages/stats/summary").await.is(200)
}

fn subjects(mails: &[Value]) -> Vec<&str> {
    mails
        .iter()
        .map(|mail| mail["subject"].as_str().unwrap())
        .collect()
}

/// A mail to somebody, as a body.
fn to(person: &Person, subject: &str, body: &str) -> Value {
    json!({ "recipient_id": person.id, "subject": subject, "body": body })
}
