//! Grants: once per reference, only with the permission.

use harness::{Person, World};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{adds_up, ledger};

async fn grant(by: &Person, to: &Person, amount: u64, reference: &str) -> harness::Answer {
    let body = json!({ "amount": amount, "reason": "top-up", "client_reference": reference });
    by.post(&format!("/api/admin/credits/{}/grant", to.id), body)
        .await
}

#[tokio::test]
async fn a_grant_counts_once_however_often_it_is_made() {
    let world = World::with(&[("CREDITS_INITIAL", "1")]).await;
    let admin = world.with_roles("admin", &["admin"]).await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let first = grant(&admin, &ada, 10, "order-1").await;
    assert_eq!(first.header("idempotency-replayed"), None);
    let first = first.is(200);
    assert_eq!(first["balance"], 11);
    ada.writes_to(&bob, "Thank you").await.is(200);
    let again = grant(&admin, &ada, 10, "order-1").await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.is(200), first, "the answer of the first time");
    grant(&admin, &ada, 11, "order-1")
        .await
        .is_error(422, "IDEMPOTENCY_KEY_REUSED");
    // References are per user.
    assert_eq!(grant(&admin, &bob, 10, "order-1").await.is(200)["balance"], 11);
    assert_eq!(adds_up(&ada).await, 10);
    let entries = ledger(&ada).await;
    let granted: Vec<&Value> = entries
        .iter()
        .filter(|entry| entry["reason"] == "top-up")
        .collect();
    let [granted] = granted.as_slice() else {
        panic!("{entries:?}")
    };
    assert_eq!(granted["id"], first["transaction_id"]);
    assert_eq!(granted["message_id"], Value::Null);
}

/// The reason is part of a grant: another reason is another grant.
#[tokio::test]
async fn a_reference_stands_for_one_reason_too() {
    let world = World::with(&[("CREDITS_INITIAL", "0")]).await;
    let admin = world.with_roles("admin", &["admin"]).await;
    let ada = world.person("ada").await;
    let path = format!("/api/admin/credits/{}/grant", ada.id);
    let body = |reason: &str| json!({ "amount": 10, "reason": reason, "client_reference": "order-1" });
    admin.post(&path, body("top-up")).await.is(200);
    let error = admin
        .post(&path, body("a refund"))
        .await
        .is_error(422, "IDEMPOTENCY_KEY_REUSED");
    let message = error["message"].as_str().unwrap();
    assert!(!message.contains("message"), "a grant is no message: {message}");
    admin.post(&path, body("top-up")).await.is(200);
    admin.post(&path, body(" \t")).await.blames("reason", "too_short");
    assert_eq!(adds_up(&ada).await, 10);

    // An older receipt without a reason is compared by the amount alone.
    let receipts = world.stored_in(&format!("U#{}#CREDIT", ada.id)).await;
    let receipt = receipts
        .iter()
        .find(|item| item["sk"]["S"].as_str().unwrap().starts_with("G#"));
    let mut receipt = receipt.unwrap().clone();
    receipt.as_object_mut().unwrap().remove("r");
    world.store(&[receipt]).await;
    let again = admin.post(&path, body("a refund")).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
}

#[tokio::test]
async fn grants_are_for_those_who_may() {
    let world = World::start().await;
    let ada = world.person("ada").await;
    for (roles, status) in [
        (&[] as &[&str], 403),
        (&["moderator"], 403),
        (&["analyst"], 403),
        (&["admin"], 200),
        (&["super_admin"], 200),
    ] {
        let somebody = world.with_roles("somebody", roles).await;
        let answer = grant(&somebody, &ada, 1, roles.first().unwrap_or(&"none")).await;
        assert_eq!(answer.status, status, "{roles:?}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_grant_that_makes_no_sense_is_refused() {
    let world = World::with(&[("CREDITS_INITIAL", "0")]).await;
    let admin = world.with_roles("admin", &["admin"]).await;
    let ada = world.person("ada").await;
    let path = format!("/api/admin/credits/{}/grant", ada.id);
    let body = |amount: Value| json!({ "amount": amount, "reason": "x", "client_reference": "r" });
    for amount in [json!(0), json!(-1), json!(1_000_000_001)] {
        admin
            .post(&path, body(amount))
            .await
            .blames("amount", "out_of_range");
    }
    for amount in [json!(1.5), json!("10"), json!(null)] {
        admin
            .post(&path, body(amount))
            .await
            .blames("amount", "wrong_type");
    }
    let nobody = format!("/api/admin/credits/{}/grant", Uuid::new_v4());
    admin
        .post(&nobody, body(json!(1)))
        .await
        .is_error(404, "NOT_FOUND");
    assert_eq!(adds_up(&ada).await, 0);
}
