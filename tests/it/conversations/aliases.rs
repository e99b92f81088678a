//! The same routes under `/api/v1/conversations`, in the envelope (contract §1 *Families*).

use harness::{Answer, Person, World};
use serde_json::{Value, json};
use uuid::Uuid;

use super::fields;

/// Checks the success envelope, and returns its data.
#[track_caller]
fn enveloped(answer: Answer, status: u16) -> Value {
    let body = answer.is(status);
    assert_eq!(fields(&body), ["data", "error", "success"]);
    assert_eq!((&body["success"], &body["error"]), (&json!(true), &Value::Null));
    body["data"].clone()
}

/// The same request to both families: they differ only by the envelope.
async fn agree(person: &Person, method: &str, rest: &str, body: &Value, status: u16) -> Value {
    let request = |prefix: &str| {
        let request = person.request(method, &format!("{prefix}/conversations{rest}"));
        if body.is_null() {
            request
        } else {
            request.json(body)
        }
    };
    let mut bare = person.send(request("/api")).await.is(status);
    let mut data = enveloped(person.send(request("/api/v1")).await, status);
    for answer in [&mut bare, &mut data] {
        // It depends on the time of the request.
        if let Some(token) = answer.get_mut("sync_token") {
            assert!(token.take().is_string());
        }
    }
    assert_eq!(data, bare, "{method} {rest}");
    data
}

/// S1-E01, S1-E02, S1-E03, S1-E04, S1-E05, S1-E07
#[tokio::test]
async fn every_route_answers_the_same_in_the_envelope() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let opened = enveloped(
        ada.post_nothing(&format!("/api/v1/conversations/dm/{}", bob.id))
            .await,
        201,
    );
    let id = opened["id"].as_str().unwrap().to_owned();
    let nothing = Value::Null;

    agree(&ada, "POST", &format!("/dm/{}", bob.id), &nothing, 200).await;
    let message = json!({ "content": "Hello", "client_message_id": "1" });
    let path = format!("/api/v1/conversations/{id}/messages");
    let sent = enveloped(ada.post(&path, message.clone()).await, 201);
    assert_eq!(
        agree(&ada, "POST", &format!("/{id}/messages"), &message, 201).await,
        sent
    );
    let read = json!({ "message_id": sent["id"] });
    agree(&bob, "PATCH", &format!("/{id}/read"), &read, 200).await;
    agree(&bob, "GET", &format!("/{id}"), &nothing, 200).await;
    agree(&bob, "GET", &format!("/{id}/messages?page_size=1"), &nothing, 200).await;
    agree(&bob, "GET", &format!("/{id}/events?after_seq=0"), &nothing, 200).await;
    agree(&bob, "GET", "?page=1&page_size=5", &nothing, 200).await;
    agree(&bob, "GET", "/health", &nothing, 200).await;

    let group = json!({ "name": "group", "member_ids": [bob.id] });
    let created = enveloped(ada.post("/api/v1/conversations", group.clone()).await, 201);
    assert_eq!(
        agree(
            &ada,
            "GET",
            &format!("/{}", created["id"].as_str().unwrap()),
            &nothing,
            200
        )
        .await,
        created
    );
    assert_eq!(
        fields(&ada.post("/api/conversations", group).await.is(201)),
        fields(&created)
    );

    let answer = ada
        .delete(&format!("{path}/{}", sent["id"].as_str().unwrap()))
        .await;
    assert_eq!(
        (answer.status, answer.text.as_str()),
        (204, ""),
        "there is nothing to envelop"
    );
    assert_eq!(bob.messages(&id).await[0]["is_deleted"], true);
}

/// Contract §1: errors have one format everywhere, so a client needs one parser.
#[tokio::test]
async fn errors_are_the_same_in_both_families() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let id = ada.open_direct(&bob).await;
    let cases = [
        ("GET", format!("/{}", Uuid::new_v4()), Value::Null),
        ("GET", "/nonsense".to_owned(), Value::Null),
        ("GET", "?page=0".to_owned(), Value::Null),
        ("GET", "?cursor=x".to_owned(), Value::Null),
        ("POST", format!("/dm/{}", ada.id), Value::Null),
        ("POST", format!("/{id}/messages"), json!({ "content": "" })),
        ("POST", format!("/{id}/messages"), json!([])),
        (
            "PATCH",
            format!("/{id}/read"),
            json!({ "message_id": Uuid::new_v4() }),
        ),
        ("PUT", format!("/{id}"), Value::Null),
    ];
    for (method, rest, body) in cases {
        let mut answers = Vec::new();
        for prefix in ["/api", "/api/v1"] {
            let request = ada.request(method, &format!("{prefix}/conversations{rest}"));
            let answer = ada
                .send(if body.is_null() {
                    request
                } else {
                    request.json(&body)
                })
                .await;
            assert!(answer.status >= 400, "{}", answer.text);
            assert_eq!(
                fields(&answer.json),
                ["data", "detail", "error", "status_code", "success", "timestamp"]
            );
            assert_eq!(
                fields(&answer.json["error"]),
                ["code", "details", "message", "request_id", "timestamp"]
            );
            let mut json = answer.json;
            for pointer in ["/timestamp", "/error/timestamp", "/error/request_id"] {
                *json.pointer_mut(pointer).unwrap() = Value::Null;
            }
            answers.push(json);
        }
        assert_eq!(answers[0], answers[1], "{method} {rest}");
    }
}
