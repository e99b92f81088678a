//! One message, several views: what is sent through one contract is seen through the others (contract §4).

use harness::World;
use serde_json::json;

use super::{marks, unread, with};

#[tokio::test]
async fn a_paid_message_shows_in_the_conversation_and_on_its_sockets() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let mut socket = bob.connect().await;
    let body = json!({ "receiver_id": bob.id, "content": "A film", "message_type": "video" });
    let message = ada.post("/api/v2/messages/send", body).await.is(200);
    let opened = socket.next_of("conversation_created").await;
    assert_eq!(opened["conversation"]["id"], message["conversation_id"]);
    let frame = socket.next_of("new_message").await;
    assert_eq!(
        (&frame["message"]["id"], &frame["unread_count"]),
        (&message["id"], &json!(1))
    );
    let conversation = message["conversation_id"].as_str().unwrap();
    let seen = bob.messages(conversation).await;
    assert_eq!(seen[0]["content_type"], "file", "conversations know no films");
    assert_eq!(seen[0]["content"], "A film");
    assert_eq!(
        ada.open_direct(&bob).await,
        conversation,
        "it is the one of the two"
    );
}

#[tokio::test]
async fn a_message_of_the_conversation_shows_among_those_of_the_person() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    assert_eq!(with(&bob, &ada).await, Vec::<serde_json::Value>::new());
    let listed = bob.get("/api/v2/messages/conversations").await.is(200);
    assert_eq!(
        listed["conversations"][0]["last_message"],
        serde_json::Value::Null
    );
    let sent = ada.says(&conversation, "Hello").await;
    let seen = with(&bob, &ada).await;
    assert_eq!(
        (
            &seen[0]["id"],
            &seen[0]["credits_cost"],
            &seen[0]["credits_transaction_id"],
            &seen[0]["status"]
        ),
        (&sent["id"], &json!(0), &serde_json::Value::Null, &json!("sent"))
    );
    assert_eq!(bob.reads(&conversation, &sent).await["unread_count"], 0);
    assert_eq!(with(&ada, &bob).await[0]["status"], "read");
    assert_eq!(marks(&bob, &[&sent]).await, 0, "a cursor has read it already");
    assert_eq!(unread(&bob).await["unread_count"], 0);
}

/// The same id through either contract is one message.
#[tokio::test]
async fn a_message_id_stands_for_one_message_whichever_contract_sends_it_again() {
    let world = World::with(&[("CREDITS_INITIAL", "1")]).await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let free = ada.says_as(&conversation, "Hello", "m-1").await.is(201);
    let body = json!({ "receiver_id": bob.id, "content": "Hello", "client_message_id": "m-1" });
    let again = ada.post("/api/v2/messages/send", body).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.is(200)["id"], free["id"]);
    assert_eq!(ada.balance().await, 1, "what was free stays free");
    let body = json!({ "receiver_id": bob.id, "content": "Paid", "client_message_id": "m-2" });
    let paid = ada.post("/api/v2/messages/send", body).await.is(200);
    let again = ada.says_as(&conversation, "Paid", "m-2").await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.is(201)["id"], paid["id"]);
    assert_eq!(with(&bob, &ada).await.len(), 2);
}

/// Contract §4: mails and messages share their route by id.
#[tokio::test]
async fn a_message_is_got_by_its_id_and_so_read_by_its_receiver() {
    let world = World::start().await;
    let [ada, bob, eve] = world.people(["ada", "bob", "eve"]).await;
    let message = ada.writes_to(&bob, "Hello").await.is(200);
    let path = format!("/api/v2/messages/{}", message["id"].as_str().unwrap());
    assert_eq!(
        ada.get(&path).await.is(200),
        message,
        "the sender's look reads nothing"
    );
    assert_eq!(bob.get(&format!("{path}?peek=true")).await.is(200), message);
    let opened = bob.get(&path).await.is(200);
    assert_eq!(opened["status"], "read");
    assert_eq!(ada.get(&path).await.is(200), opened);
    assert_eq!(unread(&bob).await["unread_count"], 0);
    eve.get(&path).await.is_error(404, "NOT_FOUND");
    bob.put(&path, json!({ "is_starred": true }))
        .await
        .is_error(404, "NOT_FOUND");
}

/// Contract §4: what was missed leaves the notifications when it is read, also by itself.
#[tokio::test]
async fn a_missed_message_that_is_read_by_itself_leaves_the_notifications() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    ada.writes_to(&bob, "One").await.is(200);
    let second = ada.writes_to(&bob, "Two").await.is(200);
    world.bring_offline_forward().await;
    let notifications = bob.notifications().await;
    assert_eq!(notifications.len(), 1, "{notifications:?}");
    assert_eq!(notifications[0]["message_id"], second["id"]);
    marks(&bob, &[&second]).await;
    assert_eq!(bob.notifications().await, Vec::<serde_json::Value>::new());
    assert_eq!(unread(&bob).await["unread_count"], 1, "the first one still waits");
}

/// S2-W01: typing to a person.
#[tokio::test]
async fn typing_is_shown_to_a_person_by_their_id() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let (mut of_ada, mut of_bob) = (ada.connect().await, bob.connect().await);
    of_ada
        .send(json!({ "type": "typing", "receiver_id": bob.id, "is_typing": true }))
        .await;
    let frame = of_bob.next_of("typing").await;
    assert_eq!(
        (&frame["user_id"], &frame["conversation_id"], &frame["is_typing"]),
        (&json!(ada.id), &json!(conversation), &json!(true))
    );
    of_ada.send(json!({ "type": "typing", "is_typing": true })).await;
    assert_eq!(of_ada.next_of("error").await["code"], 4003);
}
