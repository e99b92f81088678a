//! The log: one line per invocation with the function, the result and the cost, and without user content or relations
//! between users (S0-Q02, S1-Q02, S1-Q03).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use harness::{Socket, World};
use local_services::{Call, Interceptor, Service, Verdict};
use serde_json::{Value, json};
use shared::domain::user::Claims;
use uuid::Uuid;

/// Fails every call of one function to the table.
struct Broken(&'static str, Verdict);

impl Interceptor for Broken {
    fn before<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Verdict> {
        let is_meant = call.service == Service::DynamoDb && call.function == self.0;
        let verdict = if is_meant {
            self.1.clone()
        } else {
            Verdict::Proceed
        };
        Box::pin(async move { verdict })
    }

    fn after<'a>(&'a self, _: &'a Call, _: u16) -> BoxFuture<'a, Verdict> {
        Box::pin(async { Verdict::Proceed })
    }
}

/// S1-Q03
#[tokio::test]
async fn every_request_has_one_line_under_its_own_id() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    world.settled().await;
    let sent = ada.says_as(&conversation, "hello", "mine").await;
    let seen = ada.get("/api/conversations").await;
    let missing = ada.get("/api/conversations/no-id").await;
    let anonymous = ada.send(ada.anonymous("GET", "/api/conversations")).await;
    let nowhere = ada.send(ada.request("GET", "/api/nowhere")).await;
    let health = ada.send(ada.anonymous("GET", "/health")).await;
    let lines = world.log();
    for (answer, function, route, level) in [
        (
            sent,
            "send_message",
            "POST /api/conversations/{conversation_id}/messages",
            "INFO",
        ),
        (seen, "list_conversations", "GET /api/conversations", "INFO"),
        (
            missing,
            "get_conversation",
            "GET /api/conversations/{conversation_id}",
            "WARN",
        ),
        (anonymous, "list_conversations", "GET /api/conversations", "WARN"),
        (nowhere, "reject_route", "", "WARN"),
        (health, "get_health", "GET /health", "INFO"),
    ] {
        let id = answer.header("x-request-id").unwrap();
        let own: Vec<&Value> = lines.iter().filter(|line| line["request_id"] == id).collect();
        assert_eq!(own.len(), 1, "{own:?}");
        let line = own[0];
        assert_eq!(
            (&line["function"], &line["level"]),
            (&json!(function), &json!(level)),
            "{line}"
        );
        assert_eq!(line["status"], answer.status, "{line}");
        assert!(route.is_empty() || line["route"] == route, "{line}");
    }
}

/// S0-Q02, S1-Q02: the embedded metrics of CloudWatch.
#[tokio::test]
async fn every_line_is_complete_and_declares_its_metrics() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let mut socket = bob.connect().await;
    ada.says(&conversation, "hello").await;
    socket.next_of("new_message").await;
    socket
        .send(json!({ "type": "typing", "conversation_id": conversation, "is_typing": true }))
        .await;
    socket.send_text("nonsense").await;
    socket.so_far().await;
    socket.close().await;
    ada.says(&conversation, "gone?").await;
    world
        .logged(1, |line| line["function"] == "close_connection")
        .await;
    world.bring_offline_forward().await;

    let lines = world.log();
    let functions: BTreeSet<&str> = lines
        .iter()
        .filter_map(|line| line["function"].as_str())
        .collect();
    for function in [
        "authorize_connection",
        "close_connection",
        "deliver",
        "notify",
        "open_connection",
        "reject_frame",
        "send_message",
        "show_typing",
    ] {
        assert!(
            functions.contains(function),
            "{function} is not among {functions:?}"
        );
    }
    let mut ids = BTreeSet::new();
    for line in &lines {
        for (name, is_right) in [
            (
                "timestamp",
                line["timestamp"].as_str().is_some_and(|time| time.ends_with('Z')),
            ),
            ("function", line["function"].is_string()),
            (
                "request_id",
                line["request_id"].as_str().is_some_and(|id| !id.is_empty()),
            ),
            (
                "route",
                line["route"].as_str().is_some_and(|route| !route.is_empty()),
            ),
            ("status", line["status"].is_u64()),
            (
                "duration_ms",
                line["duration_ms"]
                    .as_f64()
                    .is_some_and(|duration| duration >= 0.0),
            ),
            ("read_units", line["read_units"].is_f64()),
            ("write_units", line["write_units"].is_f64()),
            (
                "level",
                ["INFO", "WARN", "ERROR"]
                    .iter()
                    .any(|level| line["level"] == *level),
            ),
        ] {
            assert!(is_right, "{name}: {line}");
        }
        let metrics = &line["_aws"];
        assert!(metrics["Timestamp"].is_i64(), "{line}");
        let [directive] = &metrics["CloudWatchMetrics"].as_array().unwrap()[..] else {
            panic!("{line}")
        };
        assert_eq!(
            (&directive["Namespace"], &directive["Dimensions"]),
            (&json!("Tidings"), &json!([["function"]]))
        );
        let declared = directive["Metrics"].as_array().unwrap();
        let names: BTreeSet<&str> = declared
            .iter()
            .map(|metric| metric["Name"].as_str().unwrap())
            .collect();
        assert_eq!(names.len(), declared.len(), "{line}");
        assert!(
            names.is_superset(&BTreeSet::from(["duration_ms", "read_units", "write_units"])),
            "{line}"
        );
        for metric in declared {
            assert!(
                line[metric["Name"].as_str().unwrap()].is_number(),
                "{metric}: {line}"
            );
            assert!(
                ["Milliseconds", "Count"]
                    .iter()
                    .any(|unit| metric["Unit"] == *unit),
                "{metric}"
            );
        }
        // The authorizer and `$connect` handle the same handshake.
        let id = format!("{} {}", line["function"], line["request_id"]);
        assert!(ids.insert(id), "two lines: {line}");
    }
    let sum = |name: &str| lines.iter().filter_map(|line| line[name].as_u64()).sum::<u64>();
    assert_eq!(
        (sum("messages_sent"), sum("connects"), sum("disconnects")),
        (2, 1, 1)
    );
}

/// S1-Q03, S0-Q02: the log does not record who writes to whom.
#[tokio::test]
async fn a_lively_story_leaves_nothing_personal_in_the_log() {
    let world = World::with(&[
        ("RATE_LIMIT_SENDS_PER_MINUTE", "12"),
        ("RATE_LIMIT_FRAMES_PER_SECOND", "5"),
    ])
    .await;
    let claims = |name: &str| Claims {
        name: Some(format!("{name} Secretname")),
        username: Some(format!("{name}-secretname")),
        email: Some(format!("{name}@secretmail.example")),
        avatar_url: Some(format!("https://secretmail.example/{name}.png")),
        roles: vec!["admin".to_owned()],
        business_unit: Some("secretunit".to_owned()),
        ..Claims::default()
    };
    let [ada, bob, eve] = ["ada", "bob", "eve"].map(|name| world.stranger(Uuid::new_v4(), claims(name)));
    for person in [&ada, &bob, &eve] {
        person.get("/api/v1/users/me").await.is(200);
    }
    let direct = ada.open_direct(&bob).await;
    let group = ada
        .post(
            "/api/conversations",
            json!({ "name": "secretgroup", "description": "secretwords", "member_ids": [bob.id, eve.id] }),
        )
        .await
        .is(201)["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let ticket = bob.post_nothing("/api/v1/auth/ws-ticket").await.is(201)["data"]["ticket"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut by_ticket = Socket::open(format!("{}/?ticket={ticket}", bob.ws_url()))
        .await
        .unwrap();
    let mut socket = bob.connect().await;
    let mut messages = Vec::new();
    for conversation in [&direct, &group] {
        let message = ada
            .says_as(conversation, "secretwords in a message", "secretkey")
            .await
            .is(201);
        ada.says_as(conversation, "secretwords in a message", "secretkey")
            .await
            .is(201);
        ada.says_as(conversation, "other secretwords", "secretkey")
            .await
            .is(422);
        bob.reads(conversation, &message).await;
        messages.push(message);
    }
    // Invalid requests, with the reason.
    let path = format!("/api/conversations/{direct}/messages");
    for body in [
        json!({ "content": 7, "secretwords": "secretwords" }),
        json!({ "content": ["secretwords"] }),
        json!({ "content": "secretwords\u{7}" }),
        json!({ "content": "x", "content_type": "secretwords" }),
        json!({ "content": "x", "client_message_id": "secret words" }),
        json!("secretwords"),
    ] {
        let status = ada.post(&path, body).await.status;
        assert!(matches!(status, 400 | 422), "{status}");
    }
    ada.send(
        ada.request("POST", &path)
            .header("Idempotency-Key", "sécretwords")
            .json(&json!({ "content": "x" })),
    )
    .await;
    ada.send(
        ada.request("POST", &path)
            .header("Content-Type", "application/json")
            .body("{\"secretwords"),
    )
    .await
    .is(400);
    for query in ["page=secretwords", "cursor=secretwords", "page_size=secretwords"] {
        let status = ada.get(&format!("/api/conversations?{query}")).await.status;
        assert!(matches!(status, 400 | 422), "{status}");
    }
    ada.get(&format!("/api/events?after={}", "secretwords"))
        .await
        .is(400);
    ada.get("/api/conversations/secretwords").await.is(404);
    ada.send(ada.request("GET", "/api/secretwords?secretwords=secretwords"))
        .await
        .is(404);
    ada.post(
        "/api/conversations",
        json!({ "name": "secretgroup", "member_ids": [Uuid::new_v4()] }),
    )
    .await
    .is(422);
    ada.post(
        "/api/conversations",
        json!({ "name": "secretgroup", "member_ids": ["secretwords"] }),
    )
    .await
    .is(422);
    eve.get(&format!("/api/conversations/{direct}")).await.is(404);
    eve.post(&path, json!({ "content": "secretwords" })).await.is(404);
    let id = messages[0]["id"].as_str().unwrap();
    bob.delete(&format!("{path}/{id}")).await.is(403);
    ada.delete(&format!("{path}/{id}")).await.is(204);
    let (head, tail) = ada.token.rsplit_once('.').unwrap();
    let forged = format!("{head}.{}", tail.chars().rev().collect::<String>());
    ada.with_token(&forged).get("/api/v1/users/me").await.is(401);
    assert!(
        Socket::open(format!("{}/?token={forged}", ada.ws_url()))
            .await
            .is_err()
    );
    assert!(
        Socket::open(format!("{}/?ticket={ticket}", ada.ws_url()))
            .await
            .is_err()
    );
    for frame in [
        json!({ "type": "typing", "conversation_id": direct, "is_typing": true }),
        json!({ "type": "typing", "conversation_id": Uuid::new_v4(), "is_typing": true }),
        json!({ "type": "typing", "conversation_id": "secretwords", "is_typing": true }),
        json!({ "type": "mark_read", "conversation_id": group, "message_id": messages[1]["id"] }),
        json!({ "type": "mark_read", "conversation_id": "secretwords", "message_id": "secretwords" }),
        json!({ "type": "secretwords", "secretwords": "secretwords" }),
        json!({ "type": "resume", "after": "secretwords" }),
        json!("secretwords"),
    ] {
        socket.send(frame).await;
        socket.so_far().await;
        world.advance(Duration::from_millis(400));
    }
    for _ in 0..12 {
        socket
            .send(json!({ "type": "typing", "conversation_id": direct, "is_typing": false }))
            .await;
    }
    socket.so_far().await;
    by_ticket.so_far().await;
    let token = bob.get("/api/events").await.is(200)["next"]
        .as_str()
        .unwrap()
        .to_owned();
    bob.get(&format!("/api/events?after={token}")).await.is(200);
    for _ in 0..12 {
        ada.post(&path, json!({ "content": "secretwords" })).await;
    }
    socket.close().await;
    world
        .logged(1, |line| line["function"] == "close_connection")
        .await;
    // Failures of services, too.
    for (function, verdict) in [
        ("GetConversation", Verdict::internal_error()),
        ("GetConversation", Verdict::TimeOut),
        ("GetConversation", Verdict::Drop),
        ("SendMessage", Verdict::transaction_conflict(3)),
        ("SendMessage", Verdict::throughput_exceeded()),
    ] {
        world
            .services()
            .set_interceptor(Some(Arc::new(Broken(function, verdict))));
        ada.get(&format!("/api/conversations/{direct}")).await;
        bob.post(&path, json!({ "content": "secretwords" })).await;
    }
    world.services().set_interceptor(None);
    world.bring_offline_forward().await;

    let log = world.log_text();
    let statuses: BTreeSet<u64> = world
        .log()
        .iter()
        .filter_map(|line| line["status"].as_u64())
        .collect();
    assert!(
        statuses.is_superset(&BTreeSet::from([
            200, 201, 204, 400, 401, 403, 404, 422, 429, 503
        ])),
        "{statuses:?}"
    );
    let mut secrets = vec![
        "secret".to_owned(),
        "Secretname".to_owned(),
        direct,
        group,
        ticket,
        token,
        forged,
    ];
    for person in [&ada, &bob, &eve] {
        let id = person.id.to_string();
        secrets.extend([id[..13].to_owned(), id, person.token.clone()]);
        secrets.extend(person.token.split('.').map(str::to_owned));
    }
    secrets.extend(
        messages
            .iter()
            .map(|message| message["id"].as_str().unwrap().to_owned()),
    );
    for secret in secrets {
        let line = log.lines().find(|line| line.contains(&secret));
        assert_eq!(line, None, "{secret}");
    }
}

/// S1-Q03, S0-Q02: the log says what the client is not told.
#[tokio::test]
async fn a_failure_of_ours_has_its_cause_in_the_log_and_not_in_the_answer() {
    // A broken connection has another error text when there is a socket.
    let world = World::in_desk(&[]).await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    world.settled().await;
    for (verdict, cause) in [
        (Verdict::internal_error(), "InternalServerError"),
        (Verdict::throughput_exceeded(), "ProvisionedThroughputExceeded"),
        (Verdict::TimeOut, "timed out"),
        (Verdict::Drop, "dropped"),
    ] {
        world
            .services()
            .set_interceptor(Some(Arc::new(Broken("GetConversation", verdict))));
        let answer = ada.get(&format!("/api/conversations/{conversation}")).await;
        let id = answer.header("x-request-id").unwrap().to_owned();
        assert!(matches!(answer.status, 500 | 503), "{}", answer.text);
        assert!(
            !answer.text.contains(cause) && !answer.text.contains("Table"),
            "{}",
            answer.text
        );
        assert_eq!(answer.json["error"]["request_id"], json!(id));
        let line = world.logged(1, |line| line["request_id"] == json!(id)).await;
        assert_eq!(
            (&line["level"], &line["status"]),
            (&json!("ERROR"), &json!(answer.status))
        );
        assert!(
            line["error"].as_str().is_some_and(|error| error.contains(cause)),
            "{cause}: {line}"
        );
    }
}
