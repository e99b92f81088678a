//! Moderation: a blocked content vanishes at once and everywhere, and comes back when it is approved (S2-E12, S2-F04).

use futures::future::join_all;
use harness::World;
use harness::faults::{Fault, Faults};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{audit_log, hard_delete, id, is_valid, log, moderate, talk};

/// S2-E12, S2-F04
#[tokio::test]
async fn a_moderator_gives_a_message_any_status_and_the_answer_says_so() {
    let world = World::start().await;
    let (ada, _, _, conversation, message) = talk(&world).await;
    let mo = world.with_roles("mo", &["moderator"]).await;
    for status in ["pending", "flagged", "blocked", "approved"] {
        let answer = moderate(&mo, &message, status).await.is(200);
        let expected = json!({ "success": true, "message_id": message["id"], "moderation_status": status });
        assert_eq!(answer, expected);
    }
    let told: Vec<Value> = log(&ada, &conversation).await;
    let statuses: Vec<&Value> = told[1..]
        .iter()
        .map(|event| &event["moderation_status"])
        .collect();
    assert_eq!(statuses, ["pending", "flagged", "blocked", "approved"]);
    assert!(told[1..].iter().all(|event| event["type"] == "message_moderated"));
}

/// S2-E12: flagging and blocking want a reason.
#[tokio::test]
async fn flagging_and_blocking_need_a_reason() {
    let world = World::start().await;
    let (_, _, admin, _, message) = talk(&world).await;
    let path = format!("/api/admin/messages/{}/moderate", id(&message));
    for status in ["flagged", "blocked"] {
        let answer = admin.post(&path, json!({ "moderation_status": status })).await;
        answer.blames("reason", "missing");
        let answer = admin
            .post(&path, json!({ "moderation_status": status, "reason": " \n" }))
            .await;
        answer.blames("reason", "missing");
    }
    for status in ["pending", "approved"] {
        admin
            .post(&path, json!({ "moderation_status": status }))
            .await
            .is(200);
    }
    admin
        .post(&path, json!({ "moderation_status": "vile", "reason": "?" }))
        .await
        .blames("moderation_status", "unknown_value");
    let nothing = json!({ "id": Uuid::new_v4() });
    moderate(&admin, &nothing, "blocked")
        .await
        .is_error(404, "NOT_FOUND");
    hard_delete(&admin, &nothing).await.is_error(404, "NOT_FOUND");
}

/// S2-E12, S2-J02: blocked content vanishes on open sockets, in lists and in what is told later, the sender's own
/// included.
#[tokio::test]
async fn blocked_content_is_hidden_at_once_and_shown_again_when_approved() {
    const RUDE: &str = "Something rude";
    let world = World::start().await;
    let (ada, bob, admin, conversation, message) = talk(&world).await;
    let mut sockets = [ada.connect().await, bob.connect().await, bob.connect().await];
    let token = bob.get("/api/events").await.is(200)["next"].clone();
    let token = token.as_str().unwrap();

    moderate(&admin, &message, "blocked").await.is(200);
    for (socket, unread) in sockets.iter_mut().zip([0, 0, 0]) {
        let frame = socket.next_of("message_moderated").await;
        assert_eq!(frame["namespace"], "conversations");
        assert_eq!(
            (&frame["conversation_id"], &frame["seq"]),
            (&json!(conversation), &json!(2))
        );
        assert_eq!(
            (&frame["message_id"], &frame["moderation_status"]),
            (&message["id"], &json!("blocked"))
        );
        assert_eq!(frame["message"]["content"], Value::Null);
        assert_eq!(frame["message"]["is_deleted"], false);
        assert_eq!(frame["unread_count"], unread);
    }
    let paths = [
        "/api/conversations".to_owned(),
        format!("/api/conversations/{conversation}"),
        format!("/api/conversations/{conversation}/messages"),
        format!("/api/conversations/{conversation}/messages?after_seq=0"),
        format!("/api/conversations/{conversation}/events"),
        format!("/api/events?after={token}"),
    ];
    for person in [&ada, &bob] {
        // A token is for one person alone.
        for path in paths.iter().take(if person.id == bob.id { 6 } else { 5 }) {
            let answer = person.get(path).await;
            assert!(!answer.text.contains(RUDE), "{path}: {}", answer.text);
            answer.is(200);
        }
        let seen = person.sees(&conversation).await;
        assert_eq!(seen["last_message"]["content"], Value::Null);
        assert_eq!(seen["unread_count"], 0);
    }

    moderate(&admin, &message, "approved").await.is(200);
    for (socket, unread) in sockets.iter_mut().zip([0, 1, 1]) {
        let frame = socket.next_of("message_moderated").await;
        assert_eq!(
            (&frame["seq"], &frame["message"]["content"]),
            (&json!(3), &json!(RUDE))
        );
        assert_eq!(frame["unread_count"], unread);
    }
    let told = bob.get(&format!("/api/events?after={token}")).await.is(200);
    let told = told["events"].as_array().unwrap();
    assert_eq!(told.len(), 2, "{told:#?}");
    // What is told later is told as it stands by then.
    assert!(told.iter().all(|event| event["message"]["content"] == RUDE));
    for person in [&ada, &bob] {
        let messages = person.messages(&conversation).await;
        assert_eq!((messages.len(), &messages[0]["content"]), (1, &json!(RUDE)));
    }
}

/// S2-E12: a flagged message is seen as before.
#[tokio::test]
async fn flagged_and_pending_messages_stay_visible() {
    let world = World::start().await;
    let (_, bob, admin, conversation, message) = talk(&world).await;
    for status in ["flagged", "pending"] {
        moderate(&admin, &message, status).await.is(200);
        let seen = bob.sees(&conversation).await;
        assert_eq!(seen["last_message"]["content"], "Something rude");
        assert_eq!(seen["unread_count"], 1);
    }
}

/// S2-E12: the status that it has already is no change; it is in the audit log all the same.
#[tokio::test]
async fn the_same_status_again_changes_nothing() {
    let world = World::start().await;
    let (ada, _, admin, conversation, message) = talk(&world).await;
    moderate(&admin, &message, "approved").await.is(200);
    assert_eq!(log(&ada, &conversation).await.len(), 1, "it was approved before");
    for _ in 0..3 {
        moderate(&admin, &message, "blocked").await.is(200);
    }
    assert_eq!(log(&ada, &conversation).await.len(), 2);
    let entries = audit_log(&admin, "action=messages.moderate").await;
    let changes: Vec<(&Value, &Value)> = entries
        .iter()
        .map(|entry| {
            (
                &entry["before"]["moderation_status"],
                &entry["after"]["moderation_status"],
            )
        })
        .collect();
    let (approved, blocked) = (&json!("approved"), &json!("blocked"));
    assert_eq!(
        changes,
        [
            (blocked, blocked),
            (blocked, blocked),
            (approved, blocked),
            (approved, approved)
        ]
    );
}

/// S2-E12: a message that its sender has deleted can be moderated still, and stays deleted.
#[tokio::test]
async fn approval_does_not_bring_back_what_was_deleted() {
    let world = World::start().await;
    let (ada, bob, admin, conversation, message) = talk(&world).await;
    moderate(&admin, &message, "blocked").await.is(200);
    let path = format!("/api/conversations/{conversation}/messages/{}", id(&message));
    ada.delete(&path).await.is(204);
    moderate(&admin, &message, "approved").await.is(200);
    let seen = bob.sees(&conversation).await;
    assert_eq!(
        (
            &seen["last_message"]["content"],
            &seen["last_message"]["is_deleted"]
        ),
        (&Value::Null, &json!(true))
    );
    assert_eq!(seen["unread_count"], 0);
    assert_eq!(seen["last_seq"], 4);
}

/// S2-E12: sent again under its id, a blocked message comes back as it is: without content.
#[tokio::test]
async fn a_retry_does_not_get_a_blocked_content_back() {
    let world = World::start().await;
    let (ada, _, admin, conversation, _) = talk(&world).await;
    let message = ada.says_as(&conversation, "rude again", "its-id").await.is(201);
    moderate(&admin, &message, "blocked").await.is(200);
    let again = ada.says_as(&conversation, "rude again", "its-id").await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.is(201)["content"], Value::Null);
}

/// S2-E12, S2-J02: moderators, senders and writers at once. The log has one order, the last decision stands, and the
/// audit log tells each change as it was.
#[tokio::test]
async fn decisions_at_once_get_one_order_and_the_last_one_stands() {
    let world = World::start().await;
    let (ada, bob, admin, conversation, message) = talk(&world).await;
    let statuses = ["blocked", "flagged", "pending", "approved"];
    let decisions = (0..12).map(|number| moderate(&admin, &message, statuses[number % 4]));
    let path = format!("/api/conversations/{conversation}/messages/{}", id(&message));
    let says = (0..6).map(|_| bob.says(&conversation, "meanwhile"));
    let (decided, _, deleted) = tokio::join!(join_all(decisions), join_all(says), ada.delete(&path));
    deleted.is(204);
    for answer in decided {
        answer.is(200);
    }
    let told = log(&ada, &conversation).await;
    let decisions: Vec<&Value> = told
        .iter()
        .filter(|event| event["type"] == "message_moderated")
        .map(|event| &event["moderation_status"])
        .collect();
    let mut entries = audit_log(&admin, "action=messages.moderate").await;
    entries.reverse();
    assert_eq!(entries.len(), 12);
    let mut stands = json!("approved");
    let mut changes = Vec::new();
    for entry in &entries {
        assert_eq!(entry["before"]["moderation_status"], stands, "{entries:#?}");
        stands = entry["after"]["moderation_status"].clone();
        if entry["before"] != entry["after"] {
            changes.push(&entry["after"]["moderation_status"]);
        }
    }
    assert_eq!(decisions, changes, "the log and the audit log have one order");
    let seen = &ada.messages(&conversation).await;
    let seen = seen.iter().find(|seen| seen["id"] == message["id"]).unwrap();
    assert_eq!(
        (&seen["is_deleted"], &seen["content"]),
        (&json!(true), &Value::Null)
    );
    is_valid(&admin).await;
}

/// S2-J02: what a decision that changes nothing found is told where it still holds, or not at all.
#[tokio::test]
async fn a_moderation_that_another_overtakes_is_audited_after_it() {
    let world = World::start().await;
    let faults = Faults::install(world.services());
    let (_, _, admin, _, message) = talk(&world).await;
    faults.watch();
    moderate(&admin, &message, "approved").await.is(200);
    let points = faults.seen();
    let end_of_log = points
        .iter()
        .find(|point| point.function == "ModerateMessage" && point.call.contains("HEAD"))
        .unwrap_or_else(|| panic!("{points:?}"));

    // The message is approved as far as the first has seen, and blocked before it looks at the audit log.
    faults.inject(end_of_log, Fault::WaitsBefore);
    let (overtaken, ()) = tokio::join!(moderate(&admin, &message, "approved"), async {
        faults.was_injected().await;
        moderate(&admin, &message, "blocked").await.is(200);
        faults.release();
    });
    overtaken.is(200);
    let mut entries = audit_log(&admin, "action=messages.moderate").await;
    entries.reverse();
    let status = |entry: &Value, side: &str| entry[side]["moderation_status"].clone();
    let changes: Vec<[Value; 2]> = entries
        .iter()
        .map(|entry| [status(entry, "before"), status(entry, "after")])
        .collect();
    assert_eq!(
        json!(changes),
        json!([
            ["approved", "approved"],
            ["approved", "blocked"],
            ["blocked", "approved"]
        ])
    );
    is_valid(&admin).await;
}
