//! `Idempotency-Key`: what makes something makes it once for all requests under a key (contract §1 *Idempotency*).

use std::time::Duration;

use harness::Answer;
use serde_json::{Value, json};
use shared::http::{AnyEndpoint, Idempotency, Method};

use super::{Fixture, routes, shape};

fn with(wanted: Idempotency) -> Vec<AnyEndpoint> {
    routes()
        .into_iter()
        .filter(|entry| entry.route.idempotency == wanted)
        .collect()
}

/// A good request under a key. What names its own key in the body names this one.
async fn ask(fixture: &Fixture, entry: &AnyEndpoint, key: &str, body: Value) -> Answer {
    let request = fixture.ada.request(
        entry.route.method.as_str(),
        &fixture.path(entry, entry.route.path),
    );
    let mut body = body;
    for field in ["client_message_id", "client_reference"] {
        if body.get(field).is_some() {
            body[field] = json!(key);
        }
    }
    let request = if body.is_null() {
        request
    } else {
        request.json(&body)
    };
    fixture.ada.send(request.header("Idempotency-Key", key)).await
}

/// Whatever a route says of the header, it says something: none ignores it in silence.
#[test]
fn every_post_declares_how_it_treats_an_idempotency_key() {
    let names = |wanted| {
        let mut names: Vec<&str> = with(wanted).iter().map(|entry| entry.route.name).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(
        names(Idempotency::Taken),
        [
            "create_conversation",
            "create_file",
            "create_system_notification",
            "grant_credits",
            "open_direct_conversation",
            "send_direct_message",
            "send_mail",
            "send_message",
            "start_export",
        ]
    );
    assert_eq!(
        names(Idempotency::Harmless),
        [
            "complete_file",
            "mark_conversation_read",
            "mark_message_delivered",
            "mark_messages_read"
        ]
    );
    assert_eq!(
        names(Idempotency::Refused),
        ["create_ws_ticket", "moderate_message"]
    );
    for entry in with(Idempotency::OfMethod) {
        assert!(
            !matches!(entry.route.method, Method::Post | Method::Patch),
            "{}",
            entry.route.name
        );
    }
}

/// The id of what was made.
fn made(answer: &Answer) -> Value {
    let ids = ["id", "file_id", "export_id", "transaction_id"];
    let found = ids.iter().find_map(|id| answer.json.get(id));
    found.unwrap_or_else(|| panic!("{}", answer.text)).clone()
}

#[tokio::test]
async fn routes_that_accept_a_key_create_one_thing_per_key() {
    let fixture = Fixture::set_with(&[
        ("RATE_LIMIT_UPLOADS_PER_MINUTE", "0"),
        ("RATE_LIMIT_REQUESTS_PER_MINUTE", "0"),
    ])
    .await;
    for entry in with(Idempotency::Taken) {
        // Two routes may say the same in one conversation: of one key, it would be one message.
        let (name, key) = (entry.route.name, format!("{}-1", entry.route.name));
        let body = fixture.body(&entry);
        let first = ask(&fixture, &entry, &key, body.clone()).await;
        assert_eq!(first.header("idempotency-replayed"), None, "{name}");
        for _ in 0..2 {
            let again = ask(&fixture, &entry, &key, body.clone()).await;
            assert_eq!(
                again.header("idempotency-replayed"),
                Some("true"),
                "{name}: {}",
                again.text
            );
            assert_eq!(
                (again.status, made(&again)),
                (first.status, made(&first)),
                "{name}"
            );
        }
        if name != "open_direct_conversation" {
            let other = ask(&fixture, &entry, &format!("{name}-2"), body.clone()).await;
            assert_ne!(made(&other), made(&first), "{name}: another key is another thing");
        }
        // The first answer comes back however late.
        if name != "start_export" && name != "create_file" {
            fixture.world.advance(Duration::from_secs(60));
            assert_eq!(
                made(&ask(&fixture, &entry, &key, body).await),
                made(&first),
                "{name}"
            );
        }
    }
    fixture.world.settled().await;
}

/// The same key with other content.
#[tokio::test]
async fn a_key_stands_for_one_content() {
    let fixture = Fixture::set_with(&[
        ("RATE_LIMIT_UPLOADS_PER_MINUTE", "0"),
        ("RATE_LIMIT_REQUESTS_PER_MINUTE", "0"),
    ])
    .await;
    let others = [
        ("create_conversation", "name", json!("Another name")),
        ("create_conversation", "description", json!("Something else")),
        (
            "create_conversation",
            "member_ids",
            json!([fixture.ids["other_user_id"], fixture.eve.id]),
        ),
        ("create_file", "filename", json!("another.jpg")),
        ("create_file", "size_bytes", json!(7)),
        ("grant_credits", "amount", json!(7)),
        ("grant_credits", "reason", json!("another")),
        ("send_direct_message", "content", json!("another")),
        ("send_mail", "subject", json!("another")),
        ("send_message", "content", json!("another")),
    ];
    for entry in with(Idempotency::Taken) {
        let name = entry.route.name;
        let body = fixture.body(&entry);
        ask(&fixture, &entry, "key", body.clone()).await;
        let mut refused = Vec::new();
        for (_, field, value) in others.iter().filter(|(route, _, _)| *route == name) {
            let mut other = body.clone();
            other[*field] = value.clone();
            refused.push(ask(&fixture, &entry, "key", other).await);
        }
        let elsewhere = |path: String| {
            let request = fixture
                .ada
                .request(entry.route.method.as_str(), &path)
                .header("Idempotency-Key", "key");
            fixture.ada.send(request)
        };
        match name {
            "open_direct_conversation" => {
                refused.push(elsewhere(format!("/api/conversations/dm/{}", fixture.eve.id)).await);
            }
            "start_export" => {
                refused.push(elsewhere("/api/admin/messages/export?q=another".to_owned()).await);
            }
            "create_system_notification" => {
                let path = format!(
                    "/api/v2/notifications/system?user_id={}&content=another",
                    fixture.eve.id
                );
                refused.push(elsewhere(path).await);
            }
            _ => {}
        }
        assert!(!refused.is_empty(), "{name} is not in the table");
        for answer in refused {
            shape(&answer, 422, "IDEMPOTENCY_KEY_REUSED", name);
        }
    }
    fixture.world.settled().await;
}

/// All attempts at once: one makes it, the others find it.
#[tokio::test]
async fn of_requests_under_one_key_that_race_one_makes_something() {
    let fixture = Fixture::set_with(&[
        ("RATE_LIMIT_UPLOADS_PER_MINUTE", "0"),
        ("RATE_LIMIT_REQUESTS_PER_MINUTE", "0"),
    ])
    .await;
    for entry in with(Idempotency::Taken) {
        let name = entry.route.name;
        let body = fixture.body(&entry);
        let attempts = (0..6).map(|_| ask(&fixture, &entry, name, body.clone()));
        let answers = futures::future::join_all(attempts).await;
        let first = made(&answers[0]);
        for answer in &answers {
            assert!((200..300).contains(&answer.status), "{name}: {}", answer.text);
            assert_eq!(made(answer), first, "{name}");
        }
        let replayed = answers
            .iter()
            .filter(|answer| answer.header("idempotency-replayed").is_some())
            .count();
        // A direct conversation is one for the two, whoever asks; the answers may all be of their own.
        assert!(
            replayed == 5 || name == "open_direct_conversation",
            "{name}: {replayed}"
        );
    }
    let groups = fixture.ada.get("/api/conversations?page_size=100").await.is(200);
    let groups = groups["conversations"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["is_group"] == true)
        .count();
    assert_eq!(groups, 1, "the attempts that lost left groups behind");
    let stored = fixture.world.everything_stored().await;
    let of = |sort: &str| {
        let items = stored
            .iter()
            .filter(|item| item["sk"]["S"].as_str().unwrap().starts_with(sort));
        let partitions = items.map(|item| item["pk"]["S"].as_str().unwrap());
        let conversations = partitions.filter(|partition| partition.starts_with("C#"));
        conversations
            .map(str::to_owned)
            .collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(
        of("MEMBER#"),
        of("HEAD"),
        "members of conversations that there are not"
    );
    fixture.world.settled().await;
}

#[tokio::test]
async fn routes_that_create_nothing_accept_or_refuse_a_key() {
    let fixture = Fixture::new().await;
    for entry in with(Idempotency::Harmless) {
        for _ in 0..2 {
            let answer = ask(&fixture, &entry, "key", fixture.body(&entry)).await;
            assert_eq!(
                answer.status, entry.route.success,
                "{}: {}",
                entry.route.name, answer.text
            );
            assert_eq!(answer.header("idempotency-replayed"), None);
        }
    }
    for entry in with(Idempotency::Refused) {
        let answer = ask(&fixture, &entry, "key", fixture.body(&entry)).await;
        answer.blames("Idempotency-Key", "not_taken");
    }
}

/// Two header lines, which API Gateway joins with a comma, and other things that are no key.
#[tokio::test]
async fn an_invalid_idempotency_key_is_refused() {
    let fixture = Fixture::new().await;
    for entry in routes() {
        if matches!(
            entry.route.idempotency,
            Idempotency::OfMethod | Idempotency::Refused
        ) {
            continue;
        }
        let mut body = fixture.body(&entry);
        if body.get("client_message_id").is_some() {
            body.as_object_mut().unwrap().remove("client_message_id");
        }
        let request = || {
            let request = fixture.ada.request(
                entry.route.method.as_str(),
                &fixture.path(&entry, entry.route.path),
            );
            if body.is_null() {
                request
            } else {
                request.json(&body)
            }
        };
        let two = request()
            .header("Idempotency-Key", "K")
            .header("Idempotency-Key", "L");
        fixture
            .ada
            .send(two)
            .await
            .blames("Idempotency-Key", "wrong_format");
        for (key, issue) in [
            ("K,L", "wrong_format"),
            ("a b", "wrong_format"),
            ("", "too_short"),
            (&"x".repeat(129), "too_long"),
        ] {
            let answer = fixture.ada.send(request().header("Idempotency-Key", key)).await;
            answer.blames("Idempotency-Key", issue);
        }
    }
}

/// A header and a field that say the same must agree.
#[tokio::test]
async fn a_key_and_the_reference_of_a_grant_agree() {
    let fixture = Fixture::new().await;
    let path = format!("/api/admin/credits/{}/grant", fixture.ada.id);
    let body = json!({ "amount": 1, "reason": "top-up", "client_reference": "order-1" });
    let request = fixture.ada.request("POST", &path).json(&body);
    let answer = fixture
        .ada
        .send(request.header("Idempotency-Key", "order-2"))
        .await;
    answer.blames("Idempotency-Key", "contradiction");
}

/// The order of the members is none of a group's content, and keys are the caller's own.
#[tokio::test]
async fn the_members_of_a_group_are_a_set() {
    let fixture = Fixture::new().await;
    let bob = fixture.ids["other_user_id"].clone();
    let send = async |person: &harness::Person, members: Value| {
        let body = json!({ "name": "circle", "member_ids": members });
        let request = person
            .request("POST", "/api/v1/conversations")
            .header("Idempotency-Key", "circle");
        person.send(request.json(&body)).await
    };
    let first = send(&fixture.ada, json!([bob, fixture.eve.id])).await;
    let first_id = first.is(201)["data"]["id"].clone();
    let again = send(&fixture.ada, json!([fixture.eve.id, bob, bob, fixture.ada.id])).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.is(201)["data"]["id"], first_id);
    let theirs = send(&fixture.eve, json!([bob, fixture.ada.id])).await;
    assert_eq!(theirs.header("idempotency-replayed"), None);
    assert_ne!(theirs.is(201)["data"]["id"], first_id);
}

/// A notification that its user has deleted is not made again.
#[tokio::test]
async fn a_deleted_notification_stays_deleted() {
    let fixture = Fixture::new().await;
    let send = async || {
        let path = format!(
            "/api/v2/notifications/system?user_id={}&content=Soon",
            fixture.eve.id
        );
        fixture
            .ada
            .send(
                fixture
                    .ada
                    .request("POST", &path)
                    .header("Idempotency-Key", "soon"),
            )
            .await
    };
    let first = send().await.is(201);
    fixture
        .eve
        .delete(&format!(
            "/api/v2/notifications/{}",
            first["id"].as_str().unwrap()
        ))
        .await
        .is(204);
    let again = send().await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.is(201), first);
    assert_eq!(fixture.eve.notifications().await.len(), 0);
    let audited = fixture
        .ada
        .get("/api/admin/audit?action=notifications.system")
        .await
        .is(200);
    assert_eq!(
        audited["entries"].as_array().unwrap().len(),
        2,
        "both calls are in the audit log"
    );
}

/// An export's key is free again when the export is gone.
#[tokio::test]
async fn the_key_of_an_export_lives_as_long_as_the_export() {
    let fixture = Fixture::new().await;
    let send = async || {
        // A token that lives as long as the story.
        let claims = shared::domain::user::Claims {
            roles: vec!["admin".to_owned()],
            ..Default::default()
        };
        let ada = fixture.world.stranger(fixture.ada.id, claims);
        let request = ada
            .request("GET", "/api/admin/messages/export?q=x")
            .header("Idempotency-Key", "evidence");
        ada.send(request).await.is(202)["export_id"].clone()
    };
    let first = send().await;
    fixture.world.settled().await;
    fixture.world.advance(Duration::from_hours(6 * 24));
    assert_eq!(send().await, first);
    fixture.world.advance(Duration::from_hours(2 * 24));
    assert_ne!(send().await, first);
    fixture.world.settled().await;
}
