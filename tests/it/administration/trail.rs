//! What else the audit log holds: grants, system notifications, and what people delete (S0-J02, S2-J02).

use harness::{Person, World};
use serde_json::{Value, json};

/// The entries of an action, newest first.
async fn entries(auditor: &Person, action: &str) -> Vec<Value> {
    let page = auditor
        .get(&format!("/api/admin/audit?action={action}"))
        .await
        .is(200);
    page["entries"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_grant_is_audited_with_the_balance_before_and_after() {
    let world = World::with(&[("CREDITS_INITIAL", "3")]).await;
    let admin = world.with_roles("admin", &["admin"]).await;
    let ada = world.person("ada").await;
    let path = format!("/api/admin/credits/{}/grant", ada.id);
    let body = json!({ "amount": 4, "reason": "top-up", "client_reference": "order-1" });
    admin.post(&path, body.clone()).await.is(200);
    admin.post(&path, body).await.is(200);
    let found = entries(&admin, "credits.grant").await;
    let [again, first] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(
        (&first["before"], &first["after"]),
        (&json!({ "balance": 3 }), &json!({ "balance": 7 }))
    );
    assert_eq!(first["actor"]["email"], "admin@example.com");
    assert_eq!(first["target"], json!({ "type": "user", "id": ada.id }));
    assert_eq!(first["metadata"]["client_reference"], "order-1");
    assert_eq!(
        (&again["before"], &again["after"]),
        (&Value::Null, &Value::Null),
        "it changed nothing"
    );
    assert_eq!(admin.get("/api/admin/audit/verify").await.is(200)["valid"], true);
}

#[tokio::test]
async fn a_system_notification_is_audited_without_its_words() {
    let world = World::start().await;
    let admin = world.with_roles("admin", &["admin"]).await;
    let ada = world.person("ada").await;
    let body = json!({ "user_id": ada.id, "content": "Secret words" });
    let notification = admin.post("/api/v2/notifications/system", body).await.is(201);
    let found = entries(&admin, "notifications.system").await;
    let [entry] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(entry["metadata"]["notification_id"], notification["id"]);
    assert!(!entry.to_string().contains("Secret"), "{entry}");
}

/// S0-J02: once, however often it is deleted and however often its job comes.
#[tokio::test]
async fn what_people_delete_is_audited_once() {
    let world = World::start().await;
    let admin = world.with_roles("admin", &["admin"]).await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let mail = ada.mails(&bob, "Hello").await;
    let message = ada.writes_to(&bob, "Hello").await.is(200);
    let path = |of: &Value| format!("/api/v2/messages/{}", of["id"].as_str().unwrap());
    bob.delete(&path(&mail)).await.is(204);
    ada.delete(&path(&mail)).await.is(204);
    ada.delete(&path(&message)).await.is(204);
    ada.delete(&path(&message)).await.is(204);
    world.settled().await;
    let found = entries(&admin, "messages.delete").await;
    let mut seen: Vec<(Value, Value)> = found
        .iter()
        .map(|entry| (entry["actor"]["id"].clone(), entry["target"]["id"].clone()))
        .collect();
    seen.sort_by_key(|(actor, target)| (actor.to_string(), target.to_string()));
    let mut expected = vec![
        (json!(ada.id), mail["id"].clone()),
        (json!(bob.id), mail["id"].clone()),
        (json!(ada.id), message["id"].clone()),
    ];
    expected.sort_by_key(|(actor, target)| (actor.to_string(), target.to_string()));
    assert_eq!(seen, expected);
    assert_eq!(admin.get("/api/admin/audit/verify").await.is(200)["valid"], true);
}
