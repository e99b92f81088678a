//! Administration: what moderators, analysts and auditors may see and do, and the record that it leaves (S2,
//! contract §4).

mod anchors;
mod audit;
mod erasure;
mod export;
mod faults;
mod figures;
mod mails;
mod moderation;
mod roles;
mod scenarios;
mod search;
mod tampering;
mod trail;
mod unread;

use harness::{Answer, Person, World};
use serde_json::{Value, json};

/// Gives a message another status; the answer.
async fn moderate(moderator: &Person, message: &Value, status: &str) -> Answer {
    let path = format!("/api/admin/messages/{}/moderate", id(message));
    let body = json!({ "moderation_status": status, "reason": "The story wants it" });
    moderator.post(&path, body).await
}

/// Removes the content of a message for good; the answer.
async fn hard_delete(admin: &Person, message: &Value) -> Answer {
    admin
        .delete(&format!("/api/admin/messages/{}/hard-delete", id(message)))
        .await
}

/// The audit log as far as one page goes, newest first.
async fn audit_log(auditor: &Person, query: &str) -> Vec<Value> {
    let page = auditor
        .get(&format!("/api/admin/audit?limit=100&{query}"))
        .await
        .is(200);
    page["entries"].as_array().unwrap().clone()
}

/// What computing the audit log again comes to.
async fn verdict(auditor: &Person) -> Value {
    auditor.get("/api/admin/audit/verify").await.is(200)
}

/// Insists on a log without a break.
async fn is_valid(auditor: &Person) {
    let verdict = verdict(auditor).await;
    assert_eq!(verdict["valid"], true, "{verdict}");
}

/// Invokes a chore, as its schedule does; whether it succeeds.
async fn chore(world: &World, function: &str) -> bool {
    let answer = world.desk().invoker().invoke(function, b"{}".to_vec()).await;
    answer.is_ok()
}

/// Anchors the end of the audit log.
async fn anchor(world: &World) {
    assert!(chore(world, "AnchorAudit").await, "{}", world.log_text());
}

/// The log of a conversation as a member gets it.
async fn log(person: &Person, conversation: &str) -> Vec<Value> {
    let mut events: Vec<Value> = Vec::new();
    loop {
        let path = format!(
            "/api/conversations/{conversation}/events?after_seq={}",
            events.len()
        );
        let page = person.get(&path).await.is(200);
        events.extend(page["events"].as_array().unwrap().iter().cloned());
        if page["has_more"] == false {
            let numbers: Vec<&Value> = events.iter().map(|event| &event["seq"]).collect();
            let dense: Vec<Value> = (1..=events.len()).map(Value::from).collect();
            assert!(numbers.into_iter().eq(dense.iter()), "{events:#?}");
            return events;
        }
    }
}

fn id(value: &Value) -> &str {
    value["id"].as_str().expect("an id")
}

/// Two people, what one has said to the other, and somebody with every role.
async fn talk(world: &World) -> (Person, Person, Person, String, Value) {
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let admin = world.with_roles("root", &["super_admin"]).await;
    let conversation = ada.open_direct(&bob).await;
    let message = ada.says(&conversation, "Something rude").await;
    world.settled().await;
    (ada, bob, admin, conversation, message)
}
