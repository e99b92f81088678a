//! The scenarios of S2 by their numbers; 10 to 13, of administration, are told there.

use std::time::Duration;

use harness::World;
use serde_json::{Value, json};
use shared::domain::user::Claims;
use uuid::Uuid;

use super::{marks, unread, with};

/// Scenario 1 (S2-E01, S2-N01): send deducts.
#[tokio::test]
async fn scenario_1_a_send_deducts_a_credit() {
    let world = World::with(&[("CREDITS_INITIAL", "100")]).await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let body =
        json!({ "receiver_id": bob.id, "content": "Hello!", "message_type": "text", "attachments": [] });
    let message = ada.post("/api/v2/messages/send", body).await.is(200);
    assert_eq!(message["sender_id"], json!(ada.id));
    assert_eq!(message["receiver_id"], json!(bob.id));
    assert_eq!(
        (&message["content"], &message["message_type"], &message["status"]),
        (&json!("Hello!"), &json!("text"), &json!("sent"))
    );
    assert_eq!(ada.balance().await, 99);
}

/// Scenario 2 (S2-N02): insufficient credits, nothing created.
#[tokio::test]
async fn scenario_2_without_credits_nothing_is_created() {
    let world = World::with(&[("CREDITS_INITIAL", "1")]).await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    ada.writes_to(&bob, "Paid for").await.is(200);
    let refused = ada.writes_to(&bob, "Not paid for").await;
    let error = refused.is_error(402, "INSUFFICIENT_CREDITS");
    assert_eq!(
        error["message"],
        "not enough credits; this costs 1 and the balance is 0"
    );
    assert_eq!(with(&bob, &ada).await.len(), 1);
    assert_eq!(ada.balance().await, 0);
    // Nor is a conversation opened for it.
    let chen = world.person("chen").await;
    ada.writes_to(&chen, "Not paid for")
        .await
        .is_error(402, "INSUFFICIENT_CREDITS");
    let conversations = chen.get("/api/conversations").await.is(200);
    assert_eq!(conversations["total"], 0);
}

/// Scenario 3 (S2-E04): mark delivered, with its time.
#[tokio::test]
async fn scenario_3_a_message_is_marked_as_delivered() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let [first, second] = ["One", "Two"];
    let first = ada.writes_to(&bob, first).await.is(200);
    let second = ada.writes_to(&bob, second).await.is(200);
    let path = format!(
        "/api/v2/messages/mark-delivered/{}",
        first["id"].as_str().unwrap()
    );
    let marked = bob.post_nothing(&path).await.is(200);
    assert_eq!(marked["status"], "delivered");
    assert!(marked["delivered_at"].as_str().unwrap() >= first["created_at"].as_str().unwrap());
    assert_eq!(
        bob.post_nothing(&path).await.is(200),
        marked,
        "again is no change"
    );
    let seen = with(&ada, &bob).await;
    assert_eq!(seen[0], marked);
    assert_eq!(
        (&seen[1]["status"], &seen[1]["id"]),
        (&json!("sent"), &second["id"])
    );
    ada.post_nothing(&path).await.is_error(403, "FORBIDDEN");
}

/// Scenario 4 (S2-E05): mark read, with its time.
#[tokio::test]
async fn scenario_4_a_message_is_marked_as_read() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let message = ada.writes_to(&bob, "Hello").await.is(200);
    assert_eq!(marks(&bob, &[&message]).await, 1);
    let seen = with(&ada, &bob).await;
    assert_eq!(seen[0]["status"], "read");
    assert!(seen[0]["read_at"].as_str().unwrap() >= message["created_at"].as_str().unwrap());
    // Delivered is behind read: nothing moves back.
    let path = format!(
        "/api/v2/messages/mark-delivered/{}",
        message["id"].as_str().unwrap()
    );
    assert_eq!(bob.post_nothing(&path).await.is(200)["status"], "read");
}

/// Scenario 5 (S2-E06): the unread count is accurate, and falls with reading.
#[tokio::test]
async fn scenario_5_the_unread_count_falls_with_reading() {
    let world = World::start().await;
    let [ada, bob, chen] = world.people(["ada", "bob", "chen"]).await;
    let first = ada.writes_to(&chen, "One").await.is(200);
    ada.writes_to(&chen, "Two").await.is(200);
    bob.writes_to(&chen, "Three").await.is(200);
    let (from_ada, from_bob) = (ada.id.to_string(), bob.id.to_string());
    assert_eq!(
        unread(&chen).await,
        json!({ "unread_count": 3, "by_sender": { from_ada.clone(): 2, from_bob.clone(): 1 } })
    );
    marks(&chen, &[&first]).await;
    let of_ada = chen
        .get(&format!("/api/v2/messages/unread-count?sender_id={from_ada}"))
        .await
        .is(200);
    assert_eq!(of_ada, json!({ "unread_count": 1, "by_sender": { from_ada: 1 } }));
    assert_eq!(unread(&chen).await["unread_count"], 2);
    assert_eq!(unread(&ada).await, json!({ "unread_count": 0, "by_sender": {} }));
}

/// Scenario 6 (S2-E03): conversations with what is to be known of them.
#[tokio::test]
async fn scenario_6_conversations_are_listed_with_their_last_message() {
    let world = World::start().await;
    let [ada, bob, chen] = world.people(["ada", "bob", "chen"]).await;
    bob.writes_to(&ada, "Hello from Bob").await.is(200);
    world.advance(Duration::from_secs(1));
    let last = chen.writes_to(&ada, "Hello from Chen").await.is(200);
    // A group is no conversation with a person.
    ada.open_group("group", &[&bob, &chen]).await;
    let page = ada.get("/api/v2/messages/conversations").await.is(200);
    assert_eq!(
        (&page["total"], &page["limit"], &page["skip"], &page["has_next"]),
        (&json!(2), &json!(20), &json!(0), &json!(false))
    );
    let [newest, older] = page["conversations"].as_array().unwrap().as_slice() else {
        panic!("{page}")
    };
    assert_eq!(newest["partner_id"], json!(chen.id));
    assert_eq!(newest["partner_name"], "chen the tester");
    assert_eq!(newest["last_message"], last);
    assert_eq!(newest["unread_count"], 1);
    assert_eq!(newest["last_message_at"], last["created_at"]);
    assert_eq!(older["partner_id"], json!(bob.id));
    let second = ada
        .get("/api/v2/messages/conversations?limit=1&skip=1")
        .await
        .is(200);
    assert_eq!(second["conversations"], json!([older]));
    let first = ada.get("/api/v2/messages/conversations?limit=1").await.is(200);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = ada
        .get(&format!("/api/v2/messages/conversations?limit=1&cursor={cursor}"))
        .await
        .is(200);
    assert_eq!(second["conversations"], json!([older]));
    assert_eq!(second["next_cursor"], Value::Null);
}

/// Scenario 7 (S2-E02): a conversation is fetched page by page, newest page first, oldest message first within.
#[tokio::test]
async fn scenario_7_a_conversation_is_fetched_page_by_page() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    for number in 1..=7 {
        let (from, to) = if number % 2 == 0 {
            (&ada, &bob)
        } else {
            (&bob, &ada)
        };
        from.writes_to(to, &number.to_string()).await.is(200);
    }
    let path = |query: &str| format!("/api/v2/messages/conversation/{}?{query}", bob.id);
    let contents = |page: &Value| -> Vec<String> {
        let messages = page["messages"].as_array().unwrap();
        messages
            .iter()
            .map(|message| message["content"].as_str().unwrap().to_owned())
            .collect()
    };
    let first = ada.get(&path("limit=3")).await.is(200);
    assert_eq!(contents(&first), ["5", "6", "7"]);
    assert_eq!(
        (
            &first["total"],
            &first["limit"],
            &first["skip"],
            &first["has_next"]
        ),
        (&json!(7), &json!(3), &json!(0), &json!(true))
    );
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = ada.get(&path(&format!("limit=3&cursor={cursor}"))).await.is(200);
    assert_eq!(contents(&second), ["2", "3", "4"]);
    assert_eq!(
        contents(&ada.get(&path("limit=3&skip=3")).await.is(200)),
        ["2", "3", "4"]
    );
    let last = ada.get(&path("limit=3&skip=6")).await.is(200);
    assert_eq!(contents(&last), ["1"]);
    assert_eq!(
        (&last["has_next"], &last["next_cursor"]),
        (&json!(false), &Value::Null)
    );
    ada.get(&path("skip=10001")).await.is_error(400, "PAGE_TOO_DEEP");
    ada.get(&path("cursor=forged"))
        .await
        .is_error(400, "INVALID_CURSOR");
    assert_eq!(
        with(&bob, &ada).await,
        with(&ada, &bob).await,
        "both see the same"
    );
}

/// Scenario 8 (S2-E07): a soft deletion, with its time.
#[tokio::test]
async fn scenario_8_a_message_is_deleted_softly() {
    let world = World::start().await;
    let [ada, bob, eve] = world.people(["ada", "bob", "eve"]).await;
    let body = json!({ "receiver_id": bob.id, "content": "Regretted", "metadata": { "mood": "bad" } });
    let message = ada.post("/api/v2/messages/send", body).await.is(200);
    let mut socket = bob.connect().await;
    let path = format!("/api/v2/messages/{}", message["id"].as_str().unwrap());
    bob.delete(&path).await.is_error(403, "FORBIDDEN");
    eve.delete(&path).await.is_error(404, "NOT_FOUND");
    ada.delete(&path).await.is(204);
    ada.delete(&path).await.is(204);
    assert_eq!(
        socket.next_of("message_deleted").await["message_id"],
        message["id"]
    );
    for (person, other) in [(&ada, &bob), (&bob, &ada)] {
        let seen = with(person, other).await;
        let [seen] = seen.as_slice() else {
            panic!("{seen:?}")
        };
        assert_eq!(
            (&seen["is_deleted"], &seen["content"], &seen["metadata"]),
            (&json!(true), &Value::Null, &json!({}))
        );
        assert!(seen["deleted_at"].as_str().unwrap() >= message["created_at"].as_str().unwrap());
        assert_eq!(&person.get(&format!("{path}?peek=true")).await.is(200), seen);
    }
    assert_eq!(unread(&bob).await["unread_count"], 0);
}

/// Scenario 9 (S2-E08): sent, received, unread.
#[tokio::test]
async fn scenario_9_figures_of_what_was_sent_received_and_read() {
    let world = World::start().await;
    let [ada, bob, chen] = world.people(["ada", "bob", "chen"]).await;
    let stats = async |person: &harness::Person| person.get("/api/v2/messages/stats").await.is(200);
    assert_eq!(
        stats(&ada).await,
        json!({ "sent": 0, "received": 0, "unread": 0 })
    );
    for _ in 0..3 {
        ada.writes_to(&bob, "Hello").await.is(200);
    }
    let read = bob.writes_to(&ada, "Hello").await.is(200);
    chen.writes_to(&ada, "Hello").await.is(200);
    marks(&ada, &[&read]).await;
    assert_eq!(
        stats(&ada).await,
        json!({ "sent": 3, "received": 2, "unread": 1 })
    );
    assert_eq!(
        stats(&bob).await,
        json!({ "sent": 1, "received": 3, "unread": 3 })
    );
    assert_eq!(
        stats(&chen).await,
        json!({ "sent": 1, "received": 0, "unread": 0 })
    );
}

/// Scenario 14 (S2-N05): what is no id, or nobody's, is 404.
#[tokio::test]
async fn scenario_14_an_invalid_id_is_404() {
    let world = World::start().await;
    let ada = world.person("ada").await;
    for id in ["msg_abc123", "nonsense", &Uuid::new_v4().to_string()] {
        let path = format!("/api/v2/messages/mark-delivered/{id}");
        ada.post_nothing(&path).await.is_error(404, "NOT_FOUND");
        let path = format!("/api/v2/messages/conversation/{id}");
        ada.get(&path).await.is_error(404, "NOT_FOUND");
    }
    ada.post(
        "/api/v2/messages/send",
        json!({ "receiver_id": Uuid::new_v4(), "content": "Hello" }),
    )
    .await
    .is_error(404, "NOT_FOUND");
    ada.post(
        "/api/v2/messages/mark-read",
        json!({ "message_ids": ["msg_abc123"] }),
    )
    .await
    .blames("message_ids.0", "wrong_format");
}

/// Scenario 15 (S2-N05): nobody reaches the messages of two others.
#[tokio::test]
async fn scenario_15_the_messages_of_others_are_out_of_reach() {
    let world = World::start().await;
    let [ada, bob, eve] = world.people(["ada", "bob", "eve"]).await;
    let message = ada.writes_to(&bob, "Between us").await.is(200);
    let path = format!(
        "/api/v2/messages/mark-delivered/{}",
        message["id"].as_str().unwrap()
    );
    eve.post_nothing(&path).await.is_error(404, "NOT_FOUND");
    assert_eq!(marks(&eve, &[&message]).await, 0);
    assert_eq!(with(&eve, &ada).await, Vec::<Value>::new());
    let conversation = message["conversation_id"].as_str().unwrap();
    eve.get(&format!("/api/conversations/{conversation}/messages"))
        .await
        .is_error(404, "NOT_FOUND");
    assert_eq!(with(&ada, &bob).await, [message]);
    assert_eq!(
        marks(&ada, &[&with(&ada, &bob).await[0]]).await,
        0,
        "one's own is not one's to read"
    );
}

/// Scenario 16 (S2-N05): without a good token, nothing.
#[tokio::test]
async fn scenario_16_a_token_is_needed_and_looked_at() {
    let world = World::start().await;
    let ada = world.person("ada").await;
    let expired = world.token(ada.id, Claims::default(), Duration::ZERO);
    world.advance(Duration::from_secs(31));
    for token in ["nonsense", &expired] {
        let somebody = ada.with_token(token);
        somebody
            .get("/api/v2/messages/conversations")
            .await
            .is_error(401, "UNAUTHENTICATED");
        somebody
            .get("/api/v1/credits")
            .await
            .is_error(401, "UNAUTHENTICATED");
    }
}
