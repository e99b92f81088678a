//! Deleting: only by the sender, as a tombstone, and delivered to everybody (S1-E06).

use std::time::Duration;

use harness::World;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{each, message_path};

/// S1-E06
#[tokio::test]
async fn a_deleted_message_keeps_its_place_without_its_content() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    ada.says(&conversation, "before").await;
    let regretted = ada.says_as(&conversation, "regretted", "its-id").await.is(201);
    bob.says(&conversation, "after").await;
    world.advance(Duration::from_secs(5));

    let answer = ada.delete(&message_path(&conversation, &regretted)).await;
    assert_eq!(answer.text, "");
    answer.is(204);

    for person in [&ada, &bob] {
        let messages = person.messages(&conversation).await;
        assert_eq!(each(&json!(messages), "seq"), [3, 2, 1]);
        let mut expected = regretted.clone();
        expected["content"] = Value::Null;
        expected["is_deleted"] = json!(true);
        expected["updated_at"] = messages[1]["updated_at"].clone();
        assert_eq!(messages[1], expected);
        assert!(messages[1]["updated_at"].as_str() > regretted["updated_at"].as_str());
    }
}

/// S1-E06: 204, again 204, and nothing more happens.
#[tokio::test]
async fn deleting_again_changes_nothing() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let message = ada.says(&conversation, "regretted").await;
    ada.delete(&message_path(&conversation, &message)).await.is(204);
    let once = (bob.messages(&conversation).await, bob.sees(&conversation).await);

    world.advance(Duration::from_secs(60));
    for _ in 0..3 {
        ada.delete(&message_path(&conversation, &message)).await.is(204);
    }
    assert_eq!(
        (bob.messages(&conversation).await, bob.sees(&conversation).await),
        once
    );
    assert_eq!(once.1["last_seq"], 2);
}

/// S1-E06, S1-Q04
#[tokio::test]
async fn only_the_sender_may_delete() {
    let world = World::start().await;
    let [ada, bob, chen, eve] = world.people(["ada", "bob", "chen", "eve"]).await;
    let group = ada.open_group("three", &[&bob, &chen]).await;
    let message = bob.says(&group, "mine").await;

    // Not even the admin of the group may.
    for other in [&ada, &chen] {
        other
            .delete(&message_path(&group, &message))
            .await
            .is_error(403, "FORBIDDEN");
    }
    eve.delete(&message_path(&group, &message))
        .await
        .is_error(404, "NOT_FOUND");
    assert_eq!(bob.messages(&group).await, std::slice::from_ref(&message));
    bob.delete(&message_path(&group, &message)).await.is(204);
    ada.delete(&message_path(&group, &message))
        .await
        .is_error(403, "FORBIDDEN");
}

/// S1-E06: messages of other conversations do not exist here.
#[tokio::test]
async fn a_message_of_another_conversation_is_not_found() {
    let world = World::start().await;
    let [ada, bob, chen] = world.people(["ada", "bob", "chen"]).await;
    let (with_bob, with_chen) = (ada.open_direct(&bob).await, ada.open_direct(&chen).await);
    let message = ada.says(&with_bob, "for bob").await;

    ada.delete(&message_path(&with_chen, &message))
        .await
        .is_error(404, "NOT_FOUND");
    ada.delete(&message_path(&with_bob, &json!({ "id": Uuid::new_v4() })))
        .await
        .is_error(404, "NOT_FOUND");
    ada.delete(&message_path(&with_bob, &json!({ "id": with_bob })))
        .await
        .is_error(404, "NOT_FOUND");
    ada.delete(&message_path(&Uuid::new_v4().to_string(), &message))
        .await
        .is_error(404, "NOT_FOUND");
    assert_eq!(bob.messages(&with_bob).await, [message]);
}

/// S1-E06: kept in the table for moderation, and hidden everywhere else.
#[tokio::test]
async fn the_content_of_a_deleted_message_stays_in_the_table_and_is_shown_to_nobody() {
    const SECRET: &str = "the-treasure-lies-under-the-oak";
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let mut socket = bob.connect().await;
    let token = bob.get("/api/events").await.is(200)["next"]
        .as_str()
        .unwrap()
        .to_owned();
    let message = ada.says_as(&conversation, SECRET, "id").await.is(201);
    assert_eq!(socket.next_of("new_message").await["message"]["content"], SECRET);
    ada.delete(&message_path(&conversation, &message)).await.is(204);
    world.settled().await;

    for person in [&ada, &bob] {
        for path in [
            "/api/conversations".to_owned(),
            format!("/api/conversations/{conversation}"),
            format!("/api/conversations/{conversation}/messages"),
            format!("/api/conversations/{conversation}/messages?after_seq=0"),
            format!("/api/conversations/{conversation}/events"),
        ] {
            let answer = person.get(&path).await;
            assert!(!answer.text.contains(SECRET), "{path}: {}", answer.text);
            answer.is(200);
        }
    }
    let missed = bob.get(&format!("/api/events?after={token}")).await;
    assert!(!missed.text.contains(SECRET), "{}", missed.text);
    assert!(
        !ada.says_as(&conversation, SECRET, "id")
            .await
            .text
            .contains(SECRET)
    );
    for frame in socket.so_far().await {
        assert!(!frame.to_string().contains(SECRET), "{frame}");
    }
    assert!(
        !world.log_text().contains(SECRET),
        "what people write belongs in no log"
    );

    let log = table_items(&world, &format!("L#{conversation}"));
    assert!(log.to_string().contains(SECRET), "moderation has lost it");
}

/// The items of a partition as they are stored.
fn table_items(world: &World, partition: &str) -> Value {
    let database = world.services().database();
    let request = json!({
        "TableName": "Table",
        "KeyConditionExpression": "pk = :partition",
        "ExpressionAttributeValues": { ":partition": { "S": partition } },
    });
    let answer = database.query(serde_json::from_value(request).unwrap()).unwrap();
    serde_json::to_value(answer).unwrap()["Items"].clone()
}

/// S1-E06, contract §2: a deletion has its own number, so a missed one is noticed.
#[tokio::test]
async fn everybody_is_told_of_a_deletion_under_a_number_of_its_own() {
    let world = World::start().await;
    let [ada, bob, chen] = world.people(["ada", "bob", "chen"]).await;
    let group = ada.open_group("three", &[&bob, &chen]).await;
    let first = ada.says(&group, "first").await;
    let second = ada.says(&group, "second").await;
    world.settled().await;
    let mut sockets = vec![
        ada.connect().await,
        bob.connect().await,
        bob.connect().await,
        chen.connect().await,
    ];

    ada.delete(&message_path(&group, &first)).await.is(204);
    assert_eq!(ada.says(&group, "third").await["seq"], 4);
    ada.delete(&message_path(&group, &second)).await.is(204);
    world.settled().await;

    for (index, socket) in sockets.iter_mut().enumerate() {
        // The order of their arrival is not guaranteed.
        let mut frames = socket.so_far().await;
        frames.sort_by_key(|frame| frame["seq"].as_u64());
        let told: Vec<_> = frames
            .iter()
            .map(|frame| (frame["type"].as_str().unwrap(), &frame["seq"]))
            .collect();
        assert_eq!(
            told,
            [
                ("message_deleted", &json!(3)),
                ("new_message", &json!(4)),
                ("message_deleted", &json!(5))
            ],
            "connection {index}"
        );
        for (frame, message) in [(&frames[0], &first), (&frames[2], &second)] {
            assert_eq!(frame["message_id"], message["id"]);
            assert_eq!(frame["conversation_id"], json!(group));
            assert_eq!(frame["namespace"], "conversations");
        }
    }
    assert_eq!(ada.sees(&group).await["last_seq"], 5);
}

/// S1-E06: the list shows the tombstone of the last message, and a deletion is not activity.
#[tokio::test]
async fn a_conversation_shows_the_tombstone_of_its_last_message() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let message = ada.says(&conversation, "regretted").await;
    let before = bob.sees(&conversation).await;
    world.advance(Duration::from_secs(5));
    ada.delete(&message_path(&conversation, &message)).await.is(204);

    let after = bob.sees(&conversation).await;
    assert_eq!(after["last_message"]["id"], message["id"]);
    assert_eq!(
        (
            &after["last_message"]["content"],
            &after["last_message"]["is_deleted"]
        ),
        (&Value::Null, &json!(true))
    );
    assert_eq!(after["last_message_at"], before["last_message_at"]);
    assert!(after["updated_at"].as_str() > before["updated_at"].as_str());
    assert_eq!(
        bob.get("/api/conversations").await.is(200)["conversations"],
        json!([after])
    );
}
