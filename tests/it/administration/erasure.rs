//! Hard deletion: the content is gone from every item, and its place stays (S2-E15).

use harness::World;
use serde_json::{Value, json};

use super::{audit_log, hard_delete, id, is_valid, log, moderate, talk};

const SECRET: &str = "the-treasure-lies-under-the-oak";

async fn is_stored(world: &World, text: &str) -> bool {
    let items = world.everything_stored().await;
    items.iter().any(|item| item.to_string().contains(text))
}

/// S2-E15: everywhere, the audit log included; members are told once.
#[tokio::test]
async fn what_is_deleted_for_good_is_in_no_item_any_more() {
    let world = World::start().await;
    let (ada, bob, admin, conversation, _) = talk(&world).await;
    let message = ada.says_as(&conversation, SECRET, "its-id").await.is(201);
    world.bring_offline_forward().await;
    assert!(is_stored(&world, SECRET).await);
    let mut socket = bob.connect().await;

    let answer = hard_delete(&admin, &message).await.is(200);
    assert_eq!(answer, json!({ "success": true, "message_id": message["id"] }));
    let frame = socket.next_of("message_deleted").await;
    assert_eq!((&frame["message_id"], &frame["seq"]), (&message["id"], &json!(3)));
    assert!(!is_stored(&world, SECRET).await);
    assert!(!world.log_text().contains(SECRET));
    let locator = world.stored(&format!("M#{}", id(&message)), "AT").await.unwrap();
    assert!(
        locator.get("f").is_none(),
        "not even a hash of it stays: {locator}"
    );

    for _ in 0..2 {
        hard_delete(&admin, &message).await.is(200);
    }
    assert_eq!(log(&bob, &conversation).await.len(), 3);
    let seen = &bob.messages(&conversation).await[0];
    assert_eq!(
        (&seen["is_deleted"], &seen["content"]),
        (&json!(true), &Value::Null)
    );
    assert_eq!(bob.sees(&conversation).await["unread_count"], 1);
    // A retry of the send finds the place, and does not write it again.
    let again = ada.says_as(&conversation, SECRET, "its-id").await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.is(201)["content"], Value::Null);
    assert!(!is_stored(&world, SECRET).await);

    let entries = audit_log(&admin, "action=messages.hard_delete").await;
    assert_eq!(entries.len(), 3);
    assert!(entries.iter().all(|entry| entry["severity"] == "critical"));
    let first = &entries[2];
    assert_eq!(
        first["before"],
        json!({ "is_deleted": false, "is_erased": false })
    );
    assert_eq!(first["after"], json!({ "is_deleted": true, "is_erased": true }));
    is_valid(&admin).await;
}

/// S2-E15: what its sender deleted before is told nobody twice, and neither is it brought back by a moderator.
#[tokio::test]
async fn a_deleted_message_can_be_deleted_for_good() {
    let world = World::start().await;
    let (ada, bob, admin, conversation, _) = talk(&world).await;
    let message = ada.says(&conversation, SECRET).await;
    ada.delete(&format!(
        "/api/conversations/{conversation}/messages/{}",
        id(&message)
    ))
    .await
    .is(204);
    assert!(is_stored(&world, SECRET).await, "kept for moderation");
    hard_delete(&admin, &message).await.is(200);
    assert!(!is_stored(&world, SECRET).await);
    assert_eq!(log(&bob, &conversation).await.len(), 3);
    moderate(&admin, &message, "blocked").await.is(200);
    moderate(&admin, &message, "approved").await.is(200);
    let seen = &bob.messages(&conversation).await[0];
    assert_eq!(
        (&seen["is_deleted"], &seen["content"]),
        (&json!(true), &Value::Null)
    );
    assert_eq!(bob.sees(&conversation).await["unread_count"], 1);
}
