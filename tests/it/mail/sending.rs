//! Sending a mail: the result for both sides, refusals, and retries.

use harness::World;
use serde_json::{Value, json};

use super::{peek, stats, subjects, to};

/// S0-E03, S0-F01 to F11, S0-J01
#[tokio::test]
async fn a_mail_is_in_both_boxes_and_its_recipient_is_notified() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let body = to(
        &bob,
        "The engine",
        "It weaves\n\talgebraic patterns: <b>\"so\"</b>",
    );
    let answer = ada.post("/api/v2/messages", body).await;
    assert_eq!(answer.header("etag"), Some("\"1\""));
    let sent = answer.is(201);
    assert_eq!(
        sent["sender"],
        json!({ "id": ada.id, "name": "ada the tester", "avatar_url": null })
    );
    assert_eq!(sent["recipient"]["name"], "bob the tester");
    assert_eq!(
        sent["body"], "It weaves\n\talgebraic patterns: <b>\"so\"</b>",
        "stored and shown as it came"
    );
    assert_eq!(
        (&sent["is_read"], &sent["is_starred"], &sent["is_archived"]),
        (&json!(true), &json!(false), &json!(false)),
        "what one has written oneself is read"
    );

    let received = &bob.folder("inbox").await[0];
    assert_eq!(
        (&received["id"], &received["is_read"]),
        (&sent["id"], &json!(false))
    );
    assert_eq!(received["created_at"], sent["created_at"]);
    assert_eq!(ada.folder("sent").await, std::slice::from_ref(&sent));
    assert_eq!(
        (bob.folder("sent").await.len(), ada.folder("inbox").await.len()),
        (0, 0)
    );

    let notifications = bob.notifications().await;
    assert_eq!(notifications.len(), 1);
    let notification = &notifications[0];
    assert_eq!(
        notification["content"],
        "New message from ada the tester: The engine"
    );
    assert_eq!(notification["type"], "new_message");
    assert_eq!(notification["message_id"], sent["id"]);
    assert_eq!(
        (&notification["user_id"], &notification["is_read"]),
        (&json!(bob.id), &json!(false))
    );
    assert_eq!(ada.notifications().await, Vec::<Value>::new());
}

/// S0-E03, contract §4: unknown people are 404; mail to oneself works.
#[tokio::test]
async fn a_mail_goes_to_anybody_who_has_called_once_oneself_included() {
    let world = World::start().await;
    let ada = world.person("ada").await;
    let nobody = json!({ "recipient_id": uuid::Uuid::new_v4(), "subject": "x", "body": "y" });
    ada.post("/api/v2/messages", nobody)
        .await
        .is_error(404, "NOT_FOUND");
    assert_eq!(stats(&ada).await["total"], 0);

    let note = ada.mails(&ada, "To myself").await;
    assert_eq!(note["is_read"], false, "it is a mail that came");
    assert_eq!(subjects(&ada.folder("inbox").await), ["To myself"]);
    assert_eq!(subjects(&ada.folder("sent").await), ["To myself"]);
    assert_eq!(ada.notifications().await.len(), 1);
    let expected = json!({ "total": 1, "unread": 1, "starred": 0, "archived": 0, "sent": 1, "received": 1 });
    assert_eq!(stats(&ada).await, expected);
    ada.delete(&super::path(&note)).await.is(204);
    let expected = json!({ "total": 0, "unread": 0, "starred": 0, "archived": 0, "sent": 0, "received": 0 });
    assert_eq!(stats(&ada).await, expected);
    assert_eq!(ada.notifications().await.len(), 0);
}

/// The very first call of a user may be a mail to themselves.
#[tokio::test]
async fn a_first_call_may_be_a_mail_to_oneself() {
    let world = World::start().await;
    let newcomer = world.stranger(uuid::Uuid::new_v4(), shared::domain::user::Claims::default());
    newcomer.mails(&newcomer, "First").await;
    assert_eq!(newcomer.folder("inbox").await.len(), 1);
}

/// S0-F03, S0-F04, S0-N03, S0-N05
#[tokio::test]
async fn an_invalid_mail_is_refused_with_the_invalid_field() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let post = async |body: Value| ada.post("/api/v2/messages", body).await;
    post(to(&bob, "", "x")).await.blames("subject", "too_short");
    post(to(&bob, &"é".repeat(256), "x"))
        .await
        .blames("subject", "too_long");
    post(to(&bob, "x", "")).await.blames("body", "too_short");
    post(to(&bob, "x", &"é".repeat(50_001)))
        .await
        .blames("body", "too_long");
    post(to(&bob, "a\u{0}b", "x"))
        .await
        .blames("subject", "control_character");
    post(json!({ "recipient_id": "bob", "subject": "x", "body": "y" }))
        .await
        .blames("recipient_id", "wrong_format");
    assert_eq!(stats(&ada).await["total"], 0, "nothing was written");

    let longest = post(to(&bob, &"é".repeat(255), &"é".repeat(50_000)))
        .await
        .is(201);
    assert_eq!(peek(&bob, &longest).await.is(200)["body"], longest["body"]);
}

/// A subject is a single line: other systems may take a line break for the end of a header.
#[tokio::test]
async fn a_subject_is_one_line() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    for subject in ["Tea\nBcc: eve", "Tea\r\n", "\r"] {
        let answer = ada.post("/api/v2/messages", to(&bob, subject, "At four.")).await;
        answer.blames("subject", "line_break");
    }
    assert_eq!(bob.folder("inbox").await.len(), 0);
    ada.post("/api/v2/messages", to(&bob, "Tea\tand cake", "At\r\nfour."))
        .await
        .is(201);
}

/// Some clients escape everything that is not ASCII: such a mail must not be too large.
#[tokio::test]
async fn a_mail_is_as_good_escaped_as_it_is_in_utf_8() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let send = async |subject: &str, body: &str| {
        let body = format!(
            r#"{{"recipient_id":"{}","subject":"{subject}","body":"{body}"}}"#,
            bob.id
        );
        let request = ada.request("POST", "/api/v2/messages");
        ada.send(request.header("content-type", "application/json").body(body))
            .await
    };
    for (escaped, body) in [
        ("\\u00e9".repeat(50_000), "é".repeat(50_000)),
        ("\\u0061".repeat(100_000), "a".repeat(100_000)),
        ("\\ud83d\\ude00".repeat(25_000), "😀".repeat(25_000)),
    ] {
        let mail = send(&"\\ud83d\\ude00".repeat(255), &escaped).await.is(201);
        assert_eq!(mail["body"], body);
        assert_eq!(mail["subject"], "😀".repeat(255));
    }
    send("One more", &"\\u0061".repeat(100_001))
        .await
        .blames("body", "too_long");
}

/// Contract §1 *Idempotency*
#[tokio::test]
async fn the_same_client_message_id_gives_the_first_mail_back() {
    let world = World::start().await;
    let [ada, bob, cem] = world.people(["ada", "bob", "cem"]).await;
    let mut body = to(&bob, "Once", "only");
    body["client_message_id"] = json!("mail-1");
    let first = ada.post("/api/v2/messages", body.clone()).await;
    assert_eq!(first.header("idempotency-replayed"), None);
    let first = first.is(201);
    super::flag(&ada, &first, json!({ "is_starred": true }))
        .await
        .is(200);

    let again = ada.post("/api/v2/messages", body.clone()).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    let again = again.is(201);
    assert_eq!(again["id"], first["id"]);
    assert_eq!(
        (&again["is_starred"], &again["version"]),
        (&json!(true), &json!(2)),
        "as it is now"
    );
    let header = ada
        .request("POST", "/api/v2/messages")
        .json(&to(&bob, "Once", "only"));
    let by_header = ada.send(header.header("idempotency-key", "mail-1")).await.is(201);
    assert_eq!(by_header["id"], first["id"]);
    assert_eq!(
        (bob.folder("inbox").await.len(), bob.notifications().await.len()),
        (1, 1)
    );

    body["body"] = json!("something else");
    ada.post("/api/v2/messages", body.clone())
        .await
        .is_error(422, "IDEMPOTENCY_KEY_REUSED");
    // To another recipient it is another mail.
    body["recipient_id"] = json!(cem.id);
    assert_ne!(
        ada.post("/api/v2/messages", body).await.is(201)["id"],
        first["id"]
    );
    let differing = ada
        .request("POST", "/api/v2/messages")
        .header("idempotency-key", "other");
    let mut body = to(&bob, "Once", "only");
    body["client_message_id"] = json!("mail-1");
    ada.send(differing.json(&body))
        .await
        .blames("Idempotency-Key", "contradiction");
}

/// Contract §1 *Rate limits*: mails count as sends.
#[tokio::test]
async fn a_mail_counts_as_a_send() {
    let world = World::with(&[("RATE_LIMIT_SENDS_PER_MINUTE", "2")]).await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    ada.mails(&bob, "one").await;
    ada.mails(&bob, "two").await;
    let refused = ada.post("/api/v2/messages", to(&bob, "three", "x")).await;
    assert!(refused.header("retry-after").is_some());
    refused.is_error(429, "RATE_LIMITED");
    assert_eq!(bob.folder("inbox").await.len(), 2);
}

/// A mail is not a message of a conversation, and vice versa.
#[tokio::test]
async fn a_mail_and_a_message_of_a_conversation_are_not_taken_for_each_other() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let message = ada.says(&conversation, "hello").await;
    let mail = ada.mails(&bob, "hello").await;
    bob.patch(
        &format!("/api/conversations/{conversation}/read"),
        json!({ "message_id": mail["id"] }),
    )
    .await
    .is_error(404, "NOT_FOUND");
    let path = format!(
        "/api/conversations/{conversation}/messages/{}",
        mail["id"].as_str().unwrap()
    );
    ada.delete(&path).await.is_error(404, "NOT_FOUND");
    super::flag(&bob, &message, json!({ "is_starred": true }))
        .await
        .is_error(404, "NOT_FOUND");
}

/// Causes transaction conflicts for a number of a function's transactions.
struct Contended(&'static str, std::sync::atomic::AtomicUsize);

impl local_services::Interceptor for Contended {
    fn before<'a>(
        &'a self,
        call: &'a local_services::Call,
    ) -> futures::future::BoxFuture<'a, local_services::Verdict> {
        use std::sync::atomic::Ordering;
        let meets = call.function == self.0
            && call.operation == "TransactWriteItems"
            && self
                .1
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
                .is_ok();
        let verdict = if meets {
            local_services::Verdict::transaction_conflict(8)
        } else {
            local_services::Verdict::Proceed
        };
        Box::pin(std::future::ready(verdict))
    }

    fn after<'a>(
        &'a self,
        _: &'a local_services::Call,
        _: u16,
    ) -> futures::future::BoxFuture<'a, local_services::Verdict> {
        Box::pin(std::future::ready(local_services::Verdict::Proceed))
    }
}

/// Many concurrent mails to one person conflict at their tally; the SDK's retries alone do not suffice. Each mail is
/// stored once, and all counts agree.
#[tokio::test]
async fn a_mail_outlasts_conflicts_at_the_tally_of_its_recipient() {
    let world = World::in_desk(&[]).await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    for (function, conflicts) in [("SendMail", 12), ("UpdateMail", 12), ("DeleteMail", 12)] {
        let mail = if function == "SendMail" {
            None
        } else {
            Some(ada.mails(&bob, "Before").await)
        };
        let contended = std::sync::Arc::new(Contended(function, conflicts.into()));
        world
            .services()
            .set_interceptor(Some(std::sync::Arc::clone(&contended) as _));
        let path = |mail: &Option<serde_json::Value>| {
            format!(
                "/api/v2/messages/{}",
                mail.as_ref().unwrap()["id"].as_str().unwrap()
            )
        };
        match function {
            "SendMail" => {
                ada.mails(&bob, "Through the crowd").await;
            }
            "UpdateMail" => {
                bob.put(&path(&mail), json!({ "is_read": true })).await.is(200);
            }
            _ => {
                bob.delete(&path(&mail)).await.is(204);
            }
        }
        assert_eq!(
            contended.1.load(std::sync::atomic::Ordering::Relaxed),
            0,
            "{function}"
        );
        world.services().set_interceptor(None);
    }
    let inbox = bob.get("/api/v2/messages?folder=inbox").await.is(200);
    assert_eq!(
        (&inbox["total"], inbox["messages"].as_array().unwrap().len()),
        (&json!(2), 2)
    );
    let summary = bob.get("/api/v2/messages/stats/summary").await.is(200);
    assert_eq!((&summary["unread"], &summary["received"]), (&json!(1), &json!(2)));
    world.settled().await;
}
