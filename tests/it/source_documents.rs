//! The examples of the documents that this API was asked for in, as they stand there, and the documented answers: the
//! `curl` lines of the inbox (S0 L593–617) through `curl` itself, and the exchanges of messaging (S2 L187–260).
//!
//! What stands there for somebody's token, host or id is put in; nothing else is changed.

use std::process::Stdio;

use harness::{Person, World};
use serde_json::{Value, json};
use tokio::process::Command;

/// Runs a line of a document in a shell; the status and the body. None where there is no `curl`.
async fn run(line: &str) -> Option<(u16, Value)> {
    let line = format!("{line} -s -w '\\n%{{http_code}}'");
    let output = Command::new("sh")
        .args(["-c", &line])
        .stdin(Stdio::null())
        .output()
        .await
        .expect("there is a shell");
    if output.status.code() == Some(127) {
        println!("skipped: there is no curl");
        return None;
    }
    let text = String::from_utf8(output.stdout).expect("text");
    let (body, status) = text.rsplit_once('\n').expect("a body and a status");
    let json = serde_json::from_str(body).unwrap_or(Value::Null);
    Some((status.parse().expect("a status"), json))
}

fn put_in(line: &str, world: &World, person: &Person, id: &str) -> String {
    line.replace("http://localhost:8000", &world.desk().http_url())
        .replace("<jwt_token>", &person.token)
        .replace("550e8400-e29b-41d4-a716-446655440000", id)
}

/// S0 L593–617
#[tokio::test]
async fn the_commands_of_the_inbox_scenario_work() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let sending = r#"curl -X POST "http://localhost:8000/api/v2/messages/" \
  -H "Authorization: Bearer <jwt_token>" \
  -H "Content-Type: application/json" \
  -d '{
    "recipient_id": "550e8400-e29b-41d4-a716-446655440000",
    "subject": "Meeting Follow-up",
    "body": "Hi, I wanted to follow up on our meeting from yesterday..."
  }'"#;
    let Some((status, sent)) = run(&put_in(sending, &world, &ada, &bob.id.to_string())).await else {
        return;
    };
    assert_eq!(status, 201, "{sent}");
    assert_eq!(sent["subject"], "Meeting Follow-up");

    let listing = r#"curl -X GET "http://localhost:8000/api/v2/messages/?folder=inbox&page=1&per_page=20" \
  -H "Authorization: Bearer <jwt_token>""#;
    let (status, page) = run(&put_in(listing, &world, &bob, "")).await.unwrap();
    assert_eq!(status, 200, "{page}");
    assert_eq!(
        (&page["total"], &page["messages"][0]["id"]),
        (&json!(1), &sent["id"])
    );
    assert_eq!(page["messages"][0]["is_read"], false);

    let reading = r#"curl -X PUT "http://localhost:8000/api/v2/messages/550e8400-e29b-41d4-a716-446655440000" \
  -H "Authorization: Bearer <jwt_token>" \
  -H "Content-Type: application/json" \
  -d '{"is_read": true}'"#;
    let reading = put_in(reading, &world, &bob, sent["id"].as_str().unwrap());
    let (status, read) = run(&reading).await.unwrap();
    assert_eq!((status, &read["is_read"]), (200, &json!(true)), "{read}");
}

/// S2 L187–208
#[tokio::test]
async fn a_message_is_sent_and_answered_as_documented() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let body = r#"{
  "receiver_id": "user_123",
  "content": "Hello!",
  "message_type": "text",
  "attachments": []
}"#;
    let body: Value = serde_json::from_str(&body.replace("user_123", &bob.id.to_string())).unwrap();
    let answer = ada.post("/api/v2/messages/send", body).await.is(200);
    assert_eq!(answer["sender_id"], json!(ada.id));
    assert_eq!(answer["receiver_id"], json!(bob.id));
    for (field, value) in [
        ("content", "Hello!"),
        ("message_type", "text"),
        ("status", "sent"),
    ] {
        assert_eq!(answer[field], value);
    }
    let at = answer["created_at"].as_str().unwrap();
    assert!(at.ends_with('Z') && answer["id"].is_string());
}

/// S2 L211–224
#[tokio::test]
async fn messages_are_marked_as_read_as_documented() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let one = ada.writes_to(&bob, "One").await.is(200);
    let two = ada.writes_to(&bob, "Two").await.is(200);
    let body = r#"{
  "message_ids": ["msg_abc123", "msg_def456"]
}"#;
    let body = body
        .replace("msg_abc123", one["id"].as_str().unwrap())
        .replace("msg_def456", two["id"].as_str().unwrap());
    let answer = bob
        .post("/api/v2/messages/mark-read", serde_json::from_str(&body).unwrap())
        .await
        .is(200);
    assert_eq!(answer, json!({ "success": true, "marked_count": 2 }));
}

/// S2 L230–241
#[tokio::test]
async fn messages_are_searched_as_documented() {
    let world = World::start().await;
    let admin = world.with_roles("admin", &["admin"]).await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let sent = ada.writes_to(&bob, "Hello!").await.is(200);
    let path = format!("/api/admin/messages/search?user_id={}&limit=50", ada.id);
    let answer = admin.get(&path).await.is(200);
    assert_eq!(
        (&answer["total"], &answer["page"], &answer["limit"]),
        (&json!(1), &json!(1), &json!(50))
    );
    assert_eq!(answer["messages"][0]["id"], sent["id"]);
}

/// S2 L244–260
#[tokio::test]
async fn a_message_is_moderated_as_documented() {
    let world = World::start().await;
    let admin = world.with_roles("admin", &["admin"]).await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let sent = ada.writes_to(&bob, "Hello!").await.is(200);
    let body = r#"{
  "moderation_status": "flagged",
  "reason": "Inappropriate content"
}"#;
    let path = format!("/api/admin/messages/{}/moderate", sent["id"].as_str().unwrap());
    let answer = admin
        .post(&path, serde_json::from_str(body).unwrap())
        .await
        .is(200);
    assert_eq!(
        answer,
        json!({ "success": true, "message_id": sent["id"], "moderation_status": "flagged" })
    );
}
