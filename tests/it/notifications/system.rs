//! Notifications from the system: who may send them, and how.

use harness::World;
use serde_json::json;
use uuid::Uuid;

use super::numbers;

const PATH: &str = "/api/v2/notifications/system";

/// S0-E13, S0-W06
#[tokio::test]
async fn a_system_notification_comes_by_body_or_by_query() {
    let world = World::start().await;
    let bob = world.person("bob").await;
    let admin = world.with_roles("admin", &["admin"]).await;
    let mut device = bob.connect().await;
    let body = json!({ "user_id": bob.id, "content": "Rest tonight" });
    let first = admin.post(PATH, body).await.is(201);
    assert_eq!(
        (&first["type"], &first["message_id"], &first["user_id"]),
        (&json!("system_alert"), &json!(null), &json!(bob.id))
    );
    let frame = device.next_of("new_notification").await;
    assert_eq!(
        (&frame["notification"], &frame["unread_count"]),
        (&first, &json!(1))
    );
    let query = format!(
        "{PATH}?user_id={}&content=By%20query&notification_type=maintenance",
        bob.id
    );
    let second = admin.post_nothing(&query).await.is(201);
    assert_eq!(
        (&second["type"], &second["content"]),
        (&json!("maintenance"), &json!("By query"))
    );
    // Parameters in both places must be equal.
    let both = format!("{PATH}?user_id={}", bob.id);
    admin.post(&both, json!({ "content": "Both" })).await.is(201);
    admin
        .post(&both, json!({ "content": "Both", "user_id": admin.id }))
        .await
        .blames("user_id", "contradiction");
    assert_eq!(
        numbers(&bob).await,
        json!({ "total": 3, "unread": 3, "by_type": { "maintenance": 1, "system_alert": 2 } })
    );
    assert_eq!(bob.notifications().await[1], second);
}

/// S0-E13, S0-F09
#[tokio::test]
async fn an_invalid_system_notification_is_refused() {
    let world = World::start().await;
    let bob = world.person("bob").await;
    let admin = world.with_roles("admin", &["admin"]).await;
    let post = async |body| admin.post(PATH, body).await;
    post(json!({ "content": "x" })).await.blames("user_id", "missing");
    post(json!({ "user_id": bob.id }))
        .await
        .blames("content", "missing");
    post(json!({ "user_id": bob.id, "content": "" }))
        .await
        .blames("content", "too_short");
    post(json!({ "user_id": bob.id, "content": "x", "notification_type": "t".repeat(51) }))
        .await
        .blames("notification_type", "too_long");
    post(json!({ "user_id": Uuid::new_v4(), "content": "x" }))
        .await
        .is_error(404, "NOT_FOUND");
    admin.post_nothing(PATH).await.blames("user_id", "missing");
    admin
        .post_nothing(&format!("{PATH}?user_id=x&content=y"))
        .await
        .blames("user_id", "wrong_format");
    assert_eq!(numbers(&bob).await["total"], 0);
}

/// S0-E13: `notifications.system`, by role or by name.
#[tokio::test]
async fn only_whoever_is_allowed_notifies_for_the_system() {
    let world = World::start().await;
    let bob = world.person("bob").await;
    let body = json!({ "user_id": bob.id, "content": "Obey" });
    for (role, status) in [
        ("member", 403),
        ("moderator", 403),
        ("analyst", 403),
        ("admin", 201),
        ("super_admin", 201),
    ] {
        let person = world.with_roles(role, &[role]).await;
        assert_eq!(person.post(PATH, body.clone()).await.status, status, "{role}");
    }
    let claims = shared::domain::user::Claims {
        permissions: vec!["notifications.system".to_owned()],
        ..Default::default()
    };
    let robot = world.stranger(Uuid::new_v4(), claims);
    robot.post(PATH, body.clone()).await.is(201);
    bob.post(PATH, body).await.is_error(403, "FORBIDDEN");
    assert_eq!(numbers(&bob).await["total"], 3);
}
