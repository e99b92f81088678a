//! The scenarios 10 to 13 of S2 by their numbers; the others are told among person-to-person messages.

use harness::World;
use serde_json::{Value, json};

use super::audit_log;

/// Scenario 10 (S2-E10, S2-J02): search with filters, and the trail that it leaves.
#[tokio::test]
async fn scenario_10_messages_are_searched_and_the_search_is_audited() {
    let world = World::start().await;
    let [ada, bob, chen] = world.people(["ada", "bob", "chen"]).await;
    let admin = world.with_roles("admin", &["admin"]).await;
    let wanted = ada.writes_to(&bob, "The red harbour").await.is(200);
    ada.writes_to(&bob, "The blue harbour").await.is(200);
    bob.writes_to(&chen, "Another red harbour").await.is(200);
    let path = format!(
        "/api/admin/messages/search?user_id={}&q=RED&moderation_status=approved",
        ada.id
    );
    let page = admin.get(&path).await.is(200);
    assert_eq!(
        (&page["total"], &page["messages"][0]["id"]),
        (&json!(1), &wanted["id"])
    );
    let log = audit_log(&admin, "action=messages.search").await;
    let [entry] = log.as_slice() else {
        panic!("{log:?}")
    };
    assert_eq!(entry["actor"]["id"], json!(admin.id));
}

/// Scenario 11 (S2-E11): an administrator sees a conversation, what was deleted included.
#[tokio::test]
async fn scenario_11_a_conversation_is_viewed() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let admin = world.with_roles("admin", &["admin"]).await;
    let regretted = ada.writes_to(&bob, "Regretted").await.is(200);
    bob.writes_to(&ada, "Kept").await.is(200);
    let path = format!("/api/v2/messages/{}", regretted["id"].as_str().unwrap());
    ada.delete(&path).await.is(204);
    let path = format!("/api/admin/messages/conversation/{}/{}", ada.id, bob.id);
    let page = admin.get(&path).await.is(200);
    let contents: Vec<&Value> = page["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| &message["content"])
        .collect();
    assert_eq!(contents, ["Regretted", "Kept"]);
    assert_eq!(page["messages"][0]["is_deleted"], true);
}

/// Scenario 12 (S2-E12): a decision, with what stood before and after in the trail.
#[tokio::test]
async fn scenario_12_a_message_is_moderated_with_an_audit_trail() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let admin = world.with_roles("admin", &["admin"]).await;
    let message = ada.writes_to(&bob, "Rude").await.is(200);
    super::moderate(&admin, &message, "blocked").await.is(200);
    let log = audit_log(&admin, "action=messages.moderate").await;
    let [entry] = log.as_slice() else {
        panic!("{log:?}")
    };
    assert_eq!(entry["before"], json!({ "moderation_status": "approved" }));
    assert_eq!(entry["after"], json!({ "moderation_status": "blocked" }));
    assert_eq!(entry["target"]["id"], message["id"]);
}

/// Scenario 13 (S2-E13): figures of the whole system.
#[tokio::test]
async fn scenario_13_figures_of_everything_are_given() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let admin = world.with_roles("admin", &["admin"]).await;
    let first = ada.writes_to(&bob, "One").await.is(200);
    ada.writes_to(&bob, "Two").await.is(200);
    bob.post(
        "/api/v2/messages/mark-read",
        json!({ "message_ids": [first["id"]] }),
    )
    .await
    .is(200);
    let figures = admin.get("/api/admin/messages/stats/overview").await.is(200);
    assert_eq!(figures["total"], 2);
    assert_eq!(
        (&figures["by_status"]["read"], &figures["by_status"]["sent"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(figures["by_moderation_status"]["approved"], 2);
}
