//! Mails are moderated and deleted for good as messages are (S2-E12, S2-E15).

use harness::{Person, World};
use serde_json::{Value, json};

use super::{audit_log, hard_delete, id, is_valid, moderate};

const SECRET: &str = "the-treasure-lies-under-the-oak";

async fn get(person: &Person, mail: &Value) -> Value {
    person
        .get(&format!("/api/v2/messages/{}?peek=true", id(mail)))
        .await
        .is(200)
}

async fn folder(person: &Person, folder: &str) -> Vec<Value> {
    let page = person
        .get(&format!("/api/v2/messages?folder={folder}"))
        .await
        .is(200);
    page["messages"].as_array().unwrap().clone()
}

async fn is_stored(world: &World, text: &str) -> bool {
    let items = world.everything_stored().await;
    items.iter().any(|item| item.to_string().contains(text))
}

/// Two people, a mail from one to the other, and a super administrator.
async fn correspond(world: &World) -> (Person, Person, Person, Value) {
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let admin = world.with_roles("root", &["super_admin"]).await;
    let body = json!({
        "recipient_id": bob.id, "subject": format!("About {SECRET}"), "body": SECRET, "client_message_id": "one"
    });
    let mail = ada.post("/api/v2/messages", body).await.is(201);
    world.settled().await;
    (ada, bob, admin, mail)
}

/// A blocked mail keeps its place in both boxes, its flags and its counts, and shows nothing of what it says, in the
/// notification about it neither, until it is approved.
#[tokio::test]
async fn a_blocked_mail_is_hidden_in_both_boxes_until_it_is_approved() {
    let world = World::start().await;
    let (ada, bob, admin, mail) = correspond(&world).await;
    let before = get(&bob, &mail).await;
    let mut socket = bob.connect().await;
    moderate(&admin, &mail, "blocked").await.is(200);
    let frame = socket.next_of("message_updated").await;
    assert_eq!(
        (&frame["message_id"], &frame["moderation_status"]),
        (&mail["id"], &json!("blocked"))
    );
    for (person, box_) in [(&ada, "sent"), (&bob, "inbox")] {
        let seen = get(person, &mail).await;
        assert_eq!(folder(person, box_).await, std::slice::from_ref(&seen));
        assert_eq!((&seen["subject"], &seen["body"]), (&json!(""), &Value::Null));
        assert_eq!(
            (&seen["moderation_status"], &seen["is_deleted"]),
            (&json!("blocked"), &json!(false))
        );
        assert_eq!(seen["version"], 2);
        let notes = person.get("/api/v2/notifications").await.is(200);
        assert!(!notes.to_string().contains(SECRET), "{notes}");
    }
    assert!(!frame.to_string().contains(SECRET));
    assert_eq!(
        bob.get("/api/v2/messages/stats/summary").await.is(200)["unread"],
        1
    );
    // A change of flags leaves it blocked.
    let path = format!("/api/v2/messages/{}", id(&mail));
    let starred = bob.put(&path, json!({ "is_starred": true })).await.is(200);
    assert_eq!(
        (&starred["subject"], &starred["is_starred"]),
        (&json!(""), &json!(true))
    );
    moderate(&admin, &mail, "blocked").await.is(200);
    moderate(&admin, &mail, "approved").await.is(200);
    let after = get(&bob, &mail).await;
    assert_eq!(
        (&after["subject"], &after["body"]),
        (&before["subject"], &before["body"])
    );
    let notes = bob.get("/api/v2/notifications").await.is(200);
    assert_eq!(
        notes["notifications"][0]["content"],
        json!(format!("New message from ada the tester: About {SECRET}"))
    );
    let entries = audit_log(&admin, "action=messages.moderate").await;
    assert_eq!(entries.len(), 3);
    assert_eq!(
        (&entries[2]["before"], &entries[2]["after"]),
        (
            &json!({ "moderation_status": "approved" }),
            &json!({ "moderation_status": "blocked" })
        )
    );
    assert_eq!(entries[1]["before"], entries[1]["after"], "blocked again");
    assert_eq!(entries[0]["metadata"]["sender_id"], json!(ada.id));
    assert!(!json!(entries).to_string().contains(SECRET));
    is_valid(&admin).await;
}

/// Subject and body are gone from every item, both boxes and the notification; the mail keeps its place.
#[tokio::test]
async fn a_mail_that_is_deleted_for_good_is_in_no_item_any_more() {
    let world = World::start().await;
    let (ada, bob, admin, mail) = correspond(&world).await;
    assert!(is_stored(&world, SECRET).await);
    let mut socket = ada.connect().await;
    let answer = hard_delete(&admin, &mail).await.is(200);
    assert_eq!(answer, json!({ "success": true, "message_id": mail["id"] }));
    assert_eq!(socket.next_of("message_updated").await["is_deleted"], true);
    assert!(!is_stored(&world, SECRET).await);
    for (person, box_) in [(&ada, "sent"), (&bob, "inbox")] {
        let seen = get(person, &mail).await;
        assert_eq!(folder(person, box_).await, std::slice::from_ref(&seen));
        assert_eq!(
            (&seen["subject"], &seen["body"], &seen["is_deleted"]),
            (&json!(""), &Value::Null, &json!(true))
        );
    }
    hard_delete(&admin, &mail).await.is(200);
    // A retry of the send finds the place, and does not write it again.
    let body = json!({
        "recipient_id": bob.id, "subject": format!("About {SECRET}"), "body": SECRET, "client_message_id": "one"
    });
    let again = ada.post("/api/v2/messages", body).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.is(201)["body"], Value::Null);
    assert!(!is_stored(&world, SECRET).await);
    // Approving it brings nothing back.
    moderate(&admin, &mail, "blocked").await.is(200);
    moderate(&admin, &mail, "approved").await.is(200);
    assert_eq!(get(&bob, &mail).await["body"], Value::Null);
    let entries = audit_log(&admin, "action=messages.hard_delete").await;
    assert_eq!(entries.len(), 2);
    assert!(entries.iter().all(|entry| entry["severity"] == "critical"));
    assert_eq!(
        entries[1]["before"],
        json!({ "is_deleted": false, "is_erased": false })
    );
    is_valid(&admin).await;
}

/// Also of a mail that both sides have deleted, whose content is kept for moderation until then; and one to oneself.
#[tokio::test]
async fn a_mail_in_no_box_can_be_deleted_for_good_too() {
    let world = World::start().await;
    let (ada, bob, admin, mail) = correspond(&world).await;
    for person in [&ada, &bob] {
        person
            .delete(&format!("/api/v2/messages/{}", id(&mail)))
            .await
            .is(204);
    }
    world.settled().await;
    assert!(is_stored(&world, SECRET).await);
    hard_delete(&admin, &mail).await.is(200);
    assert!(!is_stored(&world, SECRET).await);
    for person in [&ada, &bob] {
        let path = format!("/api/v2/messages/{}", id(&mail));
        person.get(&path).await.is_error(404, "NOT_FOUND");
    }
    let own = ada.mails(&ada, SECRET).await;
    hard_delete(&admin, &own).await.is(200);
    assert!(!is_stored(&world, SECRET).await);
    assert_eq!(get(&ada, &own).await["is_deleted"], true);
}
