//! The audit log: every administrative act, in a chain that shows what was done to it (S2-F06, S2-J02).

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::join_all;
use harness::{Person, World};
use serde_json::{Value, json};
use shared::domain::audit::hex;

use super::{anchor, audit_log, id, is_valid, moderate, talk, verdict};

/// S2-F06
#[tokio::test]
async fn an_entry_says_who_did_what_to_what_and_how_it_was_before() {
    let world = World::start().await;
    let (ada, _, admin, conversation, message) = talk(&world).await;
    let mo = world.with_roles("mo", &["moderator", "clown"]).await;
    moderate(&mo, &message, "blocked").await.is(200);
    let entries = audit_log(&admin, "").await;
    assert_eq!(entries.len(), 1);
    let entry = &entries[0];
    let expected = json!({
        "actor": { "id": mo.id, "email": "mo@example.com", "roles": ["moderator", "clown"] },
        "action": "messages.moderate",
        "target": { "type": "message", "id": message["id"] },
        "before": { "moderation_status": "approved" },
        "after": { "moderation_status": "blocked" },
        "metadata": {
            "conversation_id": conversation, "seq": 1, "sender_id": ada.id, "reason": "The story wants it"
        },
        "severity": "warning",
        "previous_hash": "0".repeat(64),
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&entry[name], value, "{name}");
    }
}

/// S2-J02: whoever has the entries and the key can compute their hashes without Tidings; nobody can without the key.
#[tokio::test]
async fn the_hashes_can_be_computed_by_whoever_has_the_key() {
    let world = World::start().await;
    let (_, _, admin, _, message) = talk(&world).await;
    for status in ["blocked", "flagged", "approved"] {
        moderate(&admin, &message, status).await.is(200);
    }
    is_valid(&admin).await;
    let mut entries = audit_log(&admin, "").await;
    entries.reverse();
    assert_eq!(entries.len(), 4);
    let mut previous = json!("0".repeat(64));
    for entry in &entries {
        assert_eq!(entry["previous_hash"], previous);
        let mut fields: BTreeMap<String, Value> = serde_json::from_value(entry.clone()).unwrap();
        let hash = fields.remove("hash").unwrap();
        assert_eq!(hash, hmac(KEY, &sorted(&json!(fields))));
        assert_ne!(hash, hmac("", &sorted(&json!(fields))));
        previous = hash;
    }
}

/// The key of the audit log on a desk.
pub(super) const KEY: &str = local::environment::DESK_AUDIT_SECRET;

/// JSON with the names of every object in order.
pub(super) fn sorted(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields: BTreeMap<&String, String> =
                fields.iter().map(|(name, value)| (name, sorted(value))).collect();
            let fields = fields
                .iter()
                .map(|(name, value)| format!("{}:{value}", json!(name)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
        }
        Value::Array(values) => format!("[{}]", values.iter().map(sorted).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

/// The HMAC-SHA256 of a text, in hexadecimal.
pub(super) fn hmac(key: &str, text: &str) -> String {
    use ::hmac::Mac as _;
    let mac = ::hmac::Hmac::<sha2::Sha256>::new_from_slice(key.as_bytes()).unwrap();
    hex(&mac.chain_update(text).finalize().into_bytes())
}

/// A log over three days, with two acts on each, the end of each day anchored.
pub(super) async fn three_days(world: &World, admin: &Person, message: &Value) -> Vec<String> {
    let mut days = Vec::new();
    for _ in 0..3 {
        moderate(admin, message, "flagged").await.is(200);
        moderate(admin, message, "approved").await.is(200);
        anchor(world).await;
        let now = world.desk().clock().now().to_string();
        days.push(now[..10].to_owned());
        world.advance(Duration::from_hours(24));
    }
    days
}

/// S2-J02: the chain goes on from day to day, also past days without an act.
#[tokio::test]
async fn the_chain_goes_on_from_day_to_day() {
    let world = World::start().await;
    let (_, _, _, _, message) = talk(&world).await;
    let admin = forever(&world);
    let days = three_days(&world, &admin, &message).await;
    world.advance(Duration::from_hours(3 * 24));
    let verdict = verdict(&admin).await;
    assert_eq!(
        (&verdict["valid"], &verdict["checked"]),
        (&json!(true), &json!(6))
    );
    let one = admin
        .get(&format!("/api/admin/audit/verify?from={0}&to={0}", days[1]))
        .await
        .is(200);
    assert_eq!((&one["valid"], &one["checked"]), (&json!(true), &json!(2)));
    let of_day = audit_log(&admin, &format!("from={0}&to={0}", days[1])).await;
    assert_eq!(of_day.len(), 2);
    assert!(
        of_day
            .iter()
            .all(|entry| entry["at"].as_str().unwrap().starts_with(&days[1]))
    );
    is_valid(&admin).await;
}

/// Somebody whose token outlives the stories that let days pass.
pub(super) fn forever(world: &World) -> Person {
    let claims = shared::domain::user::Claims {
        roles: vec!["super_admin".to_owned()],
        ..Default::default()
    };
    let user = uuid::Uuid::new_v4();
    let token = world.token(user, claims, Duration::from_hours(24 * 400));
    world.bearer(user, token)
}

/// S2-F06: by whom, what and when.
#[tokio::test]
async fn entries_are_found_by_actor_action_and_time() {
    let world = World::start().await;
    let (_, _, admin, _, message) = talk(&world).await;
    let mo = world.with_roles("mo", &["moderator"]).await;
    for status in ["flagged", "pending", "approved"] {
        moderate(&mo, &message, status).await.is(200);
        moderate(&admin, &message, "blocked").await.is(200);
    }
    assert_eq!(audit_log(&admin, &format!("actor={}", mo.id)).await.len(), 3);
    assert_eq!(
        audit_log(&admin, &format!("actor={}", uuid::Uuid::new_v4()))
            .await
            .len(),
        0
    );
    assert_eq!(audit_log(&admin, "action=audit.list").await.len(), 2);
    assert_eq!(
        audit_log(&admin, &format!("actor={}&action=messages.moderate", admin.id))
            .await
            .len(),
        3
    );
    let all = audit_log(&admin, "action=messages.moderate").await;
    let third = all[3]["at"].as_str().unwrap();
    let until = audit_log(&admin, &format!("action=messages.moderate&to={third}")).await;
    assert!(until.iter().all(|entry| entry["at"].as_str().unwrap() < third));
    let since = audit_log(&admin, &format!("action=messages.moderate&from={third}")).await;
    assert!(since.iter().all(|entry| entry["at"].as_str().unwrap() >= third));
    assert_eq!(until.len() + since.len(), all.len());
}

/// Contract §1 *Lists*: page by page, each entry once, though reading is an entry itself.
#[tokio::test]
async fn pages_of_entries_go_on_where_they_ended() {
    let world = World::start().await;
    let (_, _, _, _, message) = talk(&world).await;
    let admin = forever(&world);
    three_days(&world, &admin, &message).await;
    let mut all = audit_log(&admin, "").await;
    assert_eq!(all.len(), 6);
    for filter in ["", "&action=messages.moderate"] {
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = admin
                .get(&format!("/api/admin/audit?limit=2{filter}{cursor}"))
                .await
                .is(200);
            let entries = page["entries"].as_array().unwrap();
            found.extend(entries.iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        found.retain(|entry| entry["action"] == "messages.moderate");
        all.retain(|entry| entry["action"] == "messages.moderate");
        assert_eq!(found, all);
    }
    let page = admin.get("/api/admin/audit?limit=1").await.is(200);
    let cursor = page["next_cursor"].as_str().unwrap();
    admin
        .get(&format!("/api/admin/audit?limit=1&action=other&cursor={cursor}"))
        .await
        .is_error(400, "INVALID_CURSOR");
}

/// Contract §4: what is too broad is refused with how to narrow it.
#[tokio::test]
async fn too_long_a_time_is_refused_with_what_to_do() {
    let world = World::start().await;
    let admin = world.with_roles("root", &["admin"]).await;
    for path in ["/api/admin/audit", "/api/admin/audit/verify"] {
        let answer = admin.get(&format!("{path}?from=2026-01-01&to=2026-04-03")).await;
        assert!(answer.text.contains("at most 92"), "{}", answer.text);
        answer.blames("from", "too_broad");
        admin
            .get(&format!("{path}?from=2026-01-01&to=2026-04-02"))
            .await
            .is(200);
        admin
            .get(&format!("{path}?from=2026-01-02&to=2026-01-01"))
            .await
            .blames("from", "out_of_order");
        admin
            .get(&format!("{path}?from=yesterday"))
            .await
            .blames("from", "wrong_format");
    }
}

/// S2-J02: many administrators at once; the chain has no gap and no fork.
#[tokio::test]
async fn many_acts_at_once_make_one_chain() {
    let world = World::start().await;
    let (ada, _, admin, conversation, _) = talk(&world).await;
    let mut messages = Vec::new();
    for number in 0..8 {
        messages.push(ada.says(&conversation, &format!("{number}")).await);
    }
    let acts = messages.iter().flat_map(|message| {
        [
            moderate(&admin, message, "blocked"),
            moderate(&admin, message, "flagged"),
            moderate(&admin, message, "pending"),
        ]
    });
    let reads = (0..10).map(|_| admin.get("/api/admin/audit?limit=1"));
    let (acts, reads) = tokio::join!(join_all(acts), join_all(reads));
    for answer in acts.into_iter().chain(reads) {
        answer.is(200);
    }
    let verdict = verdict(&admin).await;
    assert_eq!(
        (&verdict["valid"], &verdict["checked"]),
        (&json!(true), &json!(34)),
        "{verdict}"
    );
    let ids: Vec<String> = audit_log(&admin, "")
        .await
        .iter()
        .map(|entry| id(entry).to_owned())
        .collect();
    assert_eq!(ids.len(), 35);
}
