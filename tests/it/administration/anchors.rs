//! Anchors of the audit log outside the table, and what follows when the end of the log is lost (S2-J02).

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use harness::{Person, World, program};
use local::environment::AUDIT_BUCKET;
use local_services::{AwsError, Call, Interceptor, Verdict};
use serde_json::{Value, json};

use super::audit::{forever, three_days};
use super::tampering::remove_everything;
use super::{anchor, audit_log, chore, is_valid, moderate, talk, verdict};

fn anchors(world: &World) -> Vec<String> {
    let keys = world.services().objects().keys(AUDIT_BUCKET).unwrap();
    keys.into_iter()
        .filter(|key| key.starts_with("anchors/"))
        .collect()
}

/// One object for all that came within a minute, none where nothing came, however often the chore runs.
#[tokio::test]
async fn the_end_of_the_log_is_anchored_once_after_it_has_moved() {
    let world = World::start().await;
    let (_, _, admin, _, message) = talk(&world).await;
    anchor(&world).await;
    assert_eq!(anchors(&world), Vec::<String>::new());
    for status in ["flagged", "approved", "blocked"] {
        moderate(&admin, &message, status).await.is(200);
    }
    for _ in 0..3 {
        anchor(&world).await;
    }
    let first = anchors(&world);
    assert_eq!(first.len(), 1, "{first:?}");
    assert!(first[0].contains("/000000000003-"), "{first:?}");
    is_valid(&admin).await;
    anchor(&world).await;
    assert_eq!(anchors(&world).len(), 2);
    assert_eq!(verdict(&admin).await["anchored_through"]["number"], 4);
}

/// The schedule runs the chore each minute.
#[tokio::test]
async fn an_entry_is_anchored_within_a_minute() {
    let world = World::start().await;
    let (_, _, admin, _, message) = talk(&world).await;
    moderate(&admin, &message, "flagged").await.is(200);
    world.advance(Duration::from_mins(1));
    let line = world.logged(1, |line| line["function"] == "anchor_audit").await;
    assert_eq!(line["status"], 200, "{line}");
    assert_eq!(anchors(&world).len(), 1);
}

/// Refuses every anchor.
struct NoAnchors;

impl Interceptor for NoAnchors {
    fn before<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Verdict> {
        let verdict = if call.function == "AnchorAudit" && call.operation == "PutObject" {
            Verdict::Answer(AwsError::new(403, "AccessDenied", "Access Denied"))
        } else {
            Verdict::Proceed
        };
        Box::pin(std::future::ready(verdict))
    }

    fn after<'a>(&'a self, _: &'a Call, _: u16) -> BoxFuture<'a, Verdict> {
        Box::pin(std::future::ready(Verdict::Proceed))
    }
}

/// Requests that are audited go on without anchors, and an auditor is told that there are none.
#[tokio::test]
async fn failing_anchors_stop_no_request_and_are_reported_to_the_auditor() {
    let world = World::in_desk(&[]).await;
    let (_, _, _, _, message) = talk(&world).await;
    let admin = forever(&world);
    world.services().set_interceptor(Some(Arc::new(NoAnchors)));
    moderate(&admin, &message, "flagged").await.is(200);
    assert!(!chore(&world, "AnchorAudit").await);
    assert_eq!(verdict(&admin).await["problem"], Value::Null);
    world.advance(Duration::from_mins(21));
    let found = verdict(&admin).await;
    assert_eq!(found["valid"], true);
    assert!(
        found["problem"].as_str().unwrap().contains("have no anchor"),
        "{found}"
    );
    world.services().set_interceptor(None);
    anchor(&world).await;
    assert_eq!(verdict(&admin).await["problem"], Value::Null);
}

/// Objects that somebody else put among the anchors prove nothing, and are spoken of.
#[tokio::test]
async fn an_object_that_is_no_anchor_is_not_taken_for_one() {
    let world = World::start().await;
    let (_, _, admin, _, message) = talk(&world).await;
    moderate(&admin, &message, "flagged").await.is(200);
    anchor(&world).await;
    let folder = anchors(&world)[0].rsplit_once('/').unwrap().0.to_owned();
    let forged = format!("{folder}/000000000009-{}-{}", "ab".repeat(32), "cd".repeat(32));
    world
        .services()
        .objects()
        .put_for_test(AUDIT_BUCKET, &forged)
        .unwrap();
    let found = verdict(&admin).await;
    assert_eq!(
        (&found["valid"], &found["anchored_through"]["number"]),
        (&json!(true), &json!(1))
    );
    assert!(
        found["problem"]
            .as_str()
            .unwrap()
            .starts_with("1 objects among the anchors"),
        "{found}"
    );
}

/// Whatever is audited is refused, and nothing of it is done.
async fn is_closed(admin: &Person, message: &Value) {
    moderate(admin, message, "blocked")
        .await
        .is_error(503, "AUDIT_UNAVAILABLE");
    for path in ["messages/search", "audit", "messages/export"] {
        let answer = admin.get(&format!("/api/admin/{path}")).await;
        answer.is_error(503, "AUDIT_UNAVAILABLE");
    }
}

/// What is audited fails closed while the end is lost; the command makes it anew, and the log says so.
#[tokio::test]
async fn a_lost_end_is_restored_by_the_command() {
    let world = World::start().await;
    let (_, _, _, _, message) = talk(&world).await;
    let admin = forever(&world);
    three_days(&world, &admin, &message).await;
    // Behind the newest anchor.
    moderate(&admin, &message, "flagged").await.is(200);
    world.remove("A#HEAD", "HEAD").await;
    is_closed(&admin, &message).await;
    assert!(!chore(&world, "AnchorAudit").await, "a lost end is not anchored");
    assert_eq!(verdict(&admin).await["valid"], false);

    let port = world.desk().http_url().rsplit_once(':').unwrap().1.to_owned();
    let output = program::run(&["restore-audit", "--http-port", &port]).await;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let verdict = verdict(&admin).await;
    assert_eq!(
        (&verdict["valid"], &verdict["checked"]),
        (&json!(true), &json!(8)),
        "{verdict}"
    );
    moderate(&admin, &message, "blocked").await.is(200);
    let restored = &audit_log(&admin, "action=audit.restore").await[0];
    assert_eq!(restored["severity"], "critical");
    assert_eq!(restored["actor"]["roles"], json!(["operator"]));
    assert_eq!(
        restored["metadata"]["loss"],
        "the end of the audit log is missing"
    );
    assert_eq!(restored["metadata"]["restored_through"]["number"], 1);
    // With an end in its place it does nothing.
    assert!(chore(&world, "RestoreAudit").await);
    assert_eq!(audit_log(&admin, "action=audit.restore").await.len(), 1);
    is_valid(&admin).await;
}

/// Without entries the log goes on from the anchor, and the loss stays to be seen.
#[tokio::test]
async fn a_log_that_was_emptied_goes_on_from_the_anchor_and_stays_invalid() {
    let world = World::start().await;
    let (_, _, _, _, message) = talk(&world).await;
    let admin = forever(&world);
    let days = three_days(&world, &admin, &message).await;
    let begun = world.stored("A#HEAD", "BEGUN").await.unwrap();
    remove_everything(&world, &days).await;
    world.store(&[begun]).await;
    is_closed(&admin, &message).await;
    assert!(chore(&world, "RestoreAudit").await);
    moderate(&admin, &message, "blocked").await.is(200);
    let found = verdict(&admin).await;
    assert_eq!(found["valid"], false);
    assert_eq!(found["first_invalid"]["day"], json!(days[0]));
    let restored = &audit_log(&admin, "action=audit.restore").await[0];
    assert_eq!(
        restored["metadata"]["anchored_through"],
        json!({ "day": days[2], "number": 2 })
    );
}

/// What somebody put behind the end of the log is not taken into it, and does not block it.
#[tokio::test]
async fn a_forged_entry_behind_the_anchor_neither_counts_nor_blocks() {
    let world = World::start().await;
    let (_, _, admin, _, message) = talk(&world).await;
    moderate(&admin, &message, "flagged").await.is(200);
    anchor(&world).await;
    let day = world.stored("A#HEAD", "HEAD").await.unwrap()["d"]["S"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut forged = world
        .stored(&format!("A#{day}"), &format!("{:012}", 1))
        .await
        .unwrap();
    forged["sk"] = json!({ "S": format!("{:012}", 2) });
    world.store(&[forged]).await;
    world.remove("A#HEAD", "HEAD").await;
    is_closed(&admin, &message).await;
    assert!(chore(&world, "RestoreAudit").await);
    moderate(&admin, &message, "blocked").await.is(200);
    let found = verdict(&admin).await;
    assert_eq!(
        (&found["valid"], &found["first_invalid"]["number"]),
        (&json!(false), &json!(2))
    );
    let restored = &audit_log(&admin, "action=audit.restore").await[0];
    assert_eq!(restored["metadata"]["restored_through"]["number"], 1);
}
