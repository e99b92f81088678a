//! Sending to a person: once per id, for a credit, with what the client notes beside it (S2-E01, S2-F01).

use harness::World;
use serde_json::{Value, json};

use super::with;

/// S2-F01, S2-F02
#[tokio::test]
async fn the_response_is_the_whole_message() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    for message_type in ["text", "image", "video", "audio", "file"] {
        let metadata = json!({ "width": 640, "tags": ["a", null], "nested": { "x": 1.5 } });
        let body = json!({
            "receiver_id": bob.id, "content": "Look", "message_type": message_type, "metadata": metadata
        });
        let message = ada.post("/api/v2/messages/send", body).await.is(200);
        let at = &message["created_at"];
        let expected = json!({
            "id": message["id"], "conversation_id": message["conversation_id"], "seq": message["seq"],
            "sender_id": ada.id, "receiver_id": bob.id, "content": "Look", "message_type": message_type,
            "status": "sent", "moderation_status": "approved", "delivered_at": null, "read_at": null, "attachments": [],
            "metadata": metadata, "credits_cost": 1, "credits_transaction_id": message["credits_transaction_id"],
            "is_deleted": false, "deleted_at": null, "created_at": at, "updated_at": at
        });
        for (field, value) in expected.as_object().unwrap() {
            assert_eq!(&message[field], value, "{field}");
        }
        assert_eq!(with(&bob, &ada).await.last(), Some(&message));
    }
}

#[tokio::test]
async fn parameters_out_of_bounds_are_refused_and_cost_nothing() {
    let world = World::with(&[("CREDITS_INITIAL", "10")]).await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let send = async |body: Value| ada.post("/api/v2/messages/send", body).await;
    let of = |content: &str| json!({ "receiver_id": bob.id, "content": content });
    send(of("")).await.blames("content", "too_short");
    send(of(&"é".repeat(10_001))).await.blames("content", "too_long");
    send(of("a\u{7}")).await.blames("content", "control_character");
    send(json!({ "receiver_id": ada.id, "content": "a" }))
        .await
        .blames("receiver_id", "oneself");
    send(json!({ "receiver_id": "user_123", "content": "a" }))
        .await
        .blames("receiver_id", "wrong_format");
    let with = |field: &str, value: Value| {
        let mut body = of("a");
        body[field] = value;
        body
    };
    send(with("message_type", json!("system")))
        .await
        .blames("message_type", "unknown_value");
    send(with("metadata", json!([])))
        .await
        .blames("metadata", "wrong_type");
    send(with("metadata", json!({ "x": "y".repeat(4096) })))
        .await
        .blames("metadata", "too_long");
    send(with("client_message_id", json!("a b")))
        .await
        .blames("client_message_id", "wrong_format");
    assert_eq!(ada.balance().await, 10);
    send(of(&"é".repeat(10_000))).await.is(200);
    assert_eq!(ada.balance().await, 9);
}

/// Contract §1 *Idempotency*: however often, however late, and whatever the balance is by then.
#[tokio::test]
async fn a_message_sent_again_is_paid_for_once() {
    let world = World::with(&[("CREDITS_INITIAL", "1")]).await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let body = json!({ "receiver_id": bob.id, "content": "Hello", "client_message_id": "hello-1" });
    let first = ada.post("/api/v2/messages/send", body.clone()).await;
    assert_eq!(first.header("idempotency-replayed"), None);
    let first = first.is(200);
    assert_eq!(ada.balance().await, 0);
    let again = ada.post("/api/v2/messages/send", body.clone()).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.is(200), first);
    super::marks(&bob, &[&first]).await;
    let later = ada.post("/api/v2/messages/send", body).await.is(200);
    assert_eq!(later["status"], "read", "as it is now");
    let other = json!({ "receiver_id": bob.id, "content": "Else", "client_message_id": "hello-1" });
    ada.post("/api/v2/messages/send", other)
        .await
        .is_error(422, "IDEMPOTENCY_KEY_REUSED");
    let beside = json!({
        "receiver_id": bob.id, "content": "Hello", "client_message_id": "hello-1", "metadata": { "x": 1 }
    });
    ada.post("/api/v2/messages/send", beside)
        .await
        .is_error(422, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(with(&bob, &ada).await.len(), 1);
}

/// RFC 8259 §4: the members of an object have no order, and some encoders write another one in each process.
#[tokio::test]
async fn a_message_sent_again_with_its_metadata_in_another_order_is_the_same() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let send = async |metadata: &str| {
        let body = format!(
            r#"{{"receiver_id":"{}","content":"Hello","client_message_id":"id","metadata":{metadata}}}"#,
            bob.id
        );
        let request = ada.request("POST", "/api/v2/messages/send");
        ada.send(request.header("content-type", "application/json").body(body))
            .await
    };
    let first = send(r#"{"a":1,"b":{"c":[{"x":1,"y":2.5}],"d":null}}"#)
        .await
        .is(200);
    for same in [
        r#"{"b":{"c":[{"x":1,"y":2.5}],"d":null},"a":1}"#,
        r#"{"b":{"d":null,"c":[{"y":2.5,"x":1}]},"a":1}"#,
        r#"{ "b": {"d":null,"c":[{"y":25e-1,"x":1.0}]}, "a": 1e0 }"#,
    ] {
        let again = send(same).await;
        assert_eq!(
            again.header("idempotency-replayed"),
            Some("true"),
            "{same}: {}",
            again.text
        );
        assert_eq!(again.is(200), first);
    }
    for other in [
        r#"{"a":1,"b":{"c":[{"x":1,"y":2.5}]}}"#,
        r#"{"a":1,"b":{"c":[{"x":1,"y":2}],"d":null}}"#,
        r#"{"a":"1","b":{"c":[{"x":1,"y":2.5}],"d":null}}"#,
        "{}",
    ] {
        send(other).await.is_error(422, "IDEMPOTENCY_KEY_REUSED");
    }
    assert_eq!(with(&bob, &ada).await.len(), 1);

    // One that was stored when fingerprints were made of texts: its content decides.
    let id = first["id"].as_str().unwrap();
    let mut locator = world.stored(&format!("M#{id}"), "AT").await.unwrap();
    locator["f"] = json!({ "B": "AAAAAAAAAAAAAAAAAAAAAA==" });
    world.store(&[locator]).await;
    let again = send(r#"{"b":{"c":[{"x":1,"y":2.5}],"d":null},"a":1}"#).await;
    assert_eq!(
        again.header("idempotency-replayed"),
        Some("true"),
        "{}",
        again.text
    );
    send("{}").await.is_error(422, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(with(&bob, &ada).await.len(), 1);
}

/// What comes back is what went, to the last digit; a number that cannot is refused and not changed.
#[tokio::test]
async fn a_number_in_the_metadata_comes_back_as_it_went_or_is_refused() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let send = async |number: &str| {
        let body = format!(
            r#"{{"receiver_id":"{}","content":"Hello","metadata":{{"x":[{number}]}}}}"#,
            bob.id
        );
        let request = ada.request("POST", "/api/v2/messages/send");
        ada.send(request.header("content-type", "application/json").body(body))
            .await
    };
    for number in [
        "0",
        "-7",
        "18446744073709551615",
        "-9223372036854775808",
        "0.1",
        "2.2250738585072014e-308",
        "5e-324",
        "1.7976931348623157e308",
        "8.988465674311579e307",
        "52.520006599999995",
    ] {
        let sent = send(number).await;
        assert_eq!(sent.status, 200, "{number}: {}", sent.text);
        let path = format!("/api/v2/messages/{}", sent.json["id"].as_str().unwrap());
        let read = ada.get(&path).await.text.replace("e+", "e");
        assert!(read.contains(&format!(r#""x":[{number}]"#)), "{number}: {read}");
    }
    for number in [
        "1e400",
        "0.10000000000000000001",
        "123456789012345678901234567890",
        "9007199254740993.0",
    ] {
        let error = send(number).await.is_error(422, "VALIDATION_ERROR");
        assert_eq!(error["details"]["field"], "metadata.x.0", "{number}");
        assert_eq!(error["details"]["issue"], "inexact", "{number}");
    }
}

/// Contract §1 *Rate limits*: a send counts once it is valid, whatever becomes of it.
#[tokio::test]
async fn sends_count_towards_the_limit_also_if_they_cannot_be_paid_for() {
    let settings = [("CREDITS_INITIAL", "2"), ("RATE_LIMIT_SENDS_PER_MINUTE", "4")];
    let world = World::with(&settings).await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    ada.writes_to(&bob, "").await.is(422);
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(ada.writes_to(&bob, "Hello").await.status);
    }
    assert_eq!(statuses, [200, 200, 402, 402, 429]);
}
