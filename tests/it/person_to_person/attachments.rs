//! Messages that bring files along (S2-F01, contract §4 *attachments*).

use harness::files::{PNG, follow};
use harness::{Person, World};
use serde_json::{Value, json};
use uuid::Uuid;

use super::with;

async fn complete(person: &Person, filename: &str) -> String {
    let file = person.uploads(filename, "image/png", PNG).await;
    person.completes(&file).await.is(200);
    file
}

/// Sends a message with files.
async fn brings(sender: &Person, receiver: &Person, files: &[&str]) -> harness::Answer {
    let body = json!({
        "receiver_id": receiver.id, "content": "Look!", "message_type": "image", "attachments": files
    });
    sender.post("/api/v2/messages/send", body).await
}

#[tokio::test]
async fn a_message_brings_files_for_its_receiver_and_for_nobody_else() {
    let world = World::start().await;
    let [ada, bob, eve] = world.people(["ada", "bob", "eve"]).await;
    let (one, two) = (complete(&ada, "one.png").await, complete(&ada, "two.png").await);
    bob.file(&one).await.is_error(404, "NOT_FOUND");
    let message = brings(&ada, &bob, &[&one, &two]).await.is(200);
    let attachment = |id: &str, name: &str| json!({ "file_id": id, "filename": name, "content_type": "image/png", "size_bytes": PNG.len() });
    assert_eq!(
        message["attachments"],
        json!([attachment(&one, "one.png"), attachment(&two, "two.png")])
    );
    assert_eq!(with(&bob, &ada).await, std::slice::from_ref(&message));
    let url = bob.file(&two).await.is(200)["url"].as_str().unwrap().to_owned();
    assert_eq!(follow(&url).await.is(200), PNG);
    eve.file(&two).await.is_error(404, "NOT_FOUND");

    // With the message they go.
    let path = format!("/api/v2/messages/{}", message["id"].as_str().unwrap());
    ada.delete(&path).await.is(204);
    bob.file(&two).await.is_error(404, "NOT_FOUND");
    assert_eq!(with(&bob, &ada).await[0]["attachments"], json!([]));
}

#[tokio::test]
async fn a_blocked_message_brings_nothing_until_it_is_approved() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let moderator = world.with_roles("moderator", &["moderator"]).await;
    let file = complete(&ada, "one.png").await;
    let message = brings(&ada, &bob, &[&file]).await.is(200);
    let path = format!("/api/admin/messages/{}/moderate", message["id"].as_str().unwrap());
    let decide = async |status: &str| {
        let body = json!({ "moderation_status": status, "reason": "a look" });
        moderator.post(&path, body).await.is(200);
    };
    decide("blocked").await;
    bob.file(&file).await.is_error(404, "NOT_FOUND");
    assert_eq!(with(&bob, &ada).await[0]["attachments"], json!([]));
    decide("approved").await;
    bob.file(&file).await.is(200);
    assert_eq!(with(&bob, &ada).await[0]["attachments"], message["attachments"]);
}

#[tokio::test]
async fn an_invalid_attachment_is_reported_and_costs_nothing() {
    let world = World::with(&[("CREDITS_INITIAL", "10")]).await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let own = complete(&ada, "own.png").await;
    let foreign = complete(&bob, "foreign.png").await;
    let begun = ada.uploads("begun.png", "image/png", PNG).await;
    let nothing = Uuid::new_v4().to_string();
    for (files, field, issue) in [
        (vec![&own, &foreign], "attachments.1", "unknown_file"),
        (vec![&nothing], "attachments.0", "unknown_file"),
        (vec![&begun], "attachments.0", "incomplete"),
        (vec![&own, &own], "attachments.1", "duplicate"),
    ] {
        let files: Vec<&str> = files.iter().map(|file| file.as_str()).collect();
        brings(&ada, &bob, &files).await.blames(field, issue);
    }
    let many = vec![own.as_str(); 11];
    brings(&ada, &bob, &many).await.blames("attachments", "too_long");
    assert_eq!(ada.balance().await, 10);
    assert_eq!(with(&bob, &ada).await, Vec::<Value>::new());
}

/// Contract §1 *Idempotency*: the files are part of what may not change.
#[tokio::test]
async fn a_message_with_files_that_is_sent_again_is_the_same_message() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let (one, two) = (complete(&ada, "one.png").await, complete(&ada, "two.png").await);
    let body = |file: &str| json!({ "receiver_id": bob.id, "content": "Look!", "attachments": [file], "client_message_id": "look-1" });
    let first = ada.post("/api/v2/messages/send", body(&one)).await.is(200);
    assert_eq!(ada.post("/api/v2/messages/send", body(&one)).await.is(200), first);
    ada.post("/api/v2/messages/send", body(&two))
        .await
        .is_error(422, "IDEMPOTENCY_KEY_REUSED");
}

/// A moderator who sees that a reported message has an attachment can look at it, which is audited; until the message
/// is deleted for good.
#[tokio::test]
async fn a_moderator_gets_the_files_of_a_message_and_is_audited() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let moderator = world.with_roles("moderator", &["moderator"]).await;
    let root = world.with_roles("root", &["super_admin"]).await;
    let (file, other) = (complete(&ada, "one.png").await, complete(&ada, "two.png").await);
    let message = brings(&ada, &bob, &[&file]).await.is(200);
    let id = message["id"].as_str().unwrap();
    let path = |file: &str| format!("/api/admin/messages/{id}/attachments/{file}");
    moderator.file(&file).await.is_error(404, "NOT_FOUND");
    for person in [&ada, &bob] {
        person.get(&path(&file)).await.is_error(403, "FORBIDDEN");
    }
    let look = async |when: &str| {
        let found = moderator.get(&path(&file)).await.is(200);
        assert_eq!(
            (&found["file_id"], &found["filename"]),
            (&json!(file), &json!("one.png")),
            "{when}"
        );
        assert_eq!(
            follow(found["url"].as_str().unwrap()).await.is(200),
            PNG,
            "{when}"
        );
    };
    look("as it was sent").await;
    // A file that did not come with this message, and a message that is not there.
    moderator.get(&path(&other)).await.is_error(404, "NOT_FOUND");
    let nowhere = format!("/api/admin/messages/{}/attachments/{file}", Uuid::new_v4());
    moderator.get(&nowhere).await.is_error(404, "NOT_FOUND");
    let body = json!({ "moderation_status": "blocked", "reason": "a look" });
    moderator
        .post(&format!("/api/admin/messages/{id}/moderate"), body)
        .await
        .is(200);
    look("blocked").await;
    ada.delete(&format!("/api/v2/messages/{id}")).await.is(204);
    look("deleted by its sender").await;
    root.delete(&format!("/api/admin/messages/{id}/hard-delete"))
        .await
        .is(200);
    moderator.get(&path(&file)).await.is_error(404, "NOT_FOUND");
    let log = root
        .get("/api/admin/audit?action=messages.view_attachment")
        .await
        .is(200);
    let entries = log["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 3);
    assert_eq!(entries[0]["actor"]["id"], json!(moderator.id));
    assert_eq!(entries[0]["metadata"]["file_id"], json!(file));
}
