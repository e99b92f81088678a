//! Missed conversation messages: one notification per conversation, among the others.

use harness::{Person, World};
use serde_json::{Value, json};

use super::{contents, numbers, path};

/// S0-J01, contract §4
#[tokio::test]
async fn missed_messages_are_listed_as_one_notification_per_conversation() {
    let world = World::start().await;
    let [ada, bob, cem] = world.people(["ada", "bob", "cem"]).await;
    let (direct, group) = (
        ada.open_direct(&bob).await,
        cem.open_group("three", &[&ada, &bob]).await,
    );
    ada.mails(&bob, "first").await;
    ada.says(&direct, "secret one").await;
    let last = ada.says(&direct, "secret two").await;
    world.bring_offline_forward().await;
    ada.mails(&bob, "second").await;
    cem.says(&group, "elsewhere").await;
    world.bring_offline_forward().await;

    let list = bob.notifications().await;
    assert_eq!(
        contents(&list),
        [
            "cem wrote while you were away",
            "New message from ada the tester: second",
            "ada wrote while you were away",
            "New message from ada the tester: first",
        ]
    );
    assert!(!Value::from(list.clone()).to_string().contains("secret"));
    let missed = &list[2];
    assert_eq!(
        (&missed["type"], &missed["message_id"]),
        (&json!("missed_messages"), &last["id"])
    );
    assert_eq!(missed["created_at"], last["created_at"]);
    assert_eq!(
        numbers(&bob).await,
        json!({ "total": 4, "unread": 4, "by_type": { "missed_messages": 2, "new_message": 2 } })
    );
    assert_eq!(
        bob.get(&format!("{}?peek=true", path(missed))).await.is(200),
        *missed
    );
    ada.get(&path(missed)).await.is_error(404, "NOT_FOUND");
    let mut paged = Vec::new();
    let mut query = "per_page=1".to_owned();
    loop {
        let page = bob.get(&format!("/api/v2/notifications?{query}")).await.is(200);
        paged.extend(page["notifications"].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(cursor) => query = format!("per_page=1&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(paged, list, "pages of one merge the two kinds too");
}

/// Contract §4
#[tokio::test]
async fn missed_messages_disappear_when_the_conversation_is_read() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    ada.says(&conversation, "one").await;
    let two = ada.says(&conversation, "two").await;
    world.bring_offline_forward().await;
    assert_eq!(numbers(&bob).await["total"], 1);
    bob.reads(&conversation, &two).await;
    assert_eq!(
        numbers(&bob).await,
        json!({ "total": 0, "unread": 0, "by_type": {} })
    );
    assert_eq!(bob.notifications().await, Vec::<Value>::new());
    let three = ada.says(&conversation, "three").await;
    world.bring_offline_forward().await;
    assert_eq!(
        bob.notifications().await[0]["message_id"],
        three["id"],
        "and is back with the next"
    );
}

async fn misses(world: &World, ada: &Person, conversation: &str, words: &str) {
    ada.says(conversation, words).await;
    world.bring_offline_forward().await;
}

/// Contract §4: read or deleted up to what was seen.
#[tokio::test]
async fn a_newer_miss_brings_back_what_was_read_or_deleted() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    misses(&world, &ada, &conversation, "one").await;
    let first = bob.notifications().await.remove(0);
    let mut device = bob.connect().await;
    let read = bob.get(&path(&first)).await.is(200);
    assert_eq!((&read["is_read"], &read["id"]), (&json!(true), &first["id"]));
    let frame = device.next_of("notification_read").await;
    assert_eq!(
        (&frame["notification_id"], &frame["unread_count"]),
        (&first["id"], &json!(0))
    );
    device.close().await;
    world.settled().await;
    assert_eq!(numbers(&bob).await["unread"], 0);

    misses(&world, &ada, &conversation, "two").await;
    let second = bob.notifications().await.remove(0);
    assert_eq!((&second["id"], &second["is_read"]), (&first["id"], &json!(false)));
    bob.delete(&path(&second)).await.is(204);
    bob.get(&path(&second)).await.is_error(404, "NOT_FOUND");
    assert_eq!(numbers(&bob).await["total"], 0);

    misses(&world, &ada, &conversation, "three").await;
    assert_eq!(bob.notifications().await.len(), 1);
    let bulk = async |body: Value| bob.put("/api/v2/notifications/bulk/read", body).await.is(200);
    assert_eq!(
        bulk(json!({ "notification_ids": [first["id"]] })).await["updated_count"],
        1
    );
    assert_eq!(numbers(&bob).await["unread"], 0);
    misses(&world, &ada, &conversation, "more").await;
    let marked = bob
        .send(bob.request("PUT", &format!("{}/read", path(&first))))
        .await
        .is(200);
    assert_eq!((&marked["is_read"], &marked["id"]), (&json!(true), &first["id"]));
    misses(&world, &ada, &conversation, "four").await;
    assert_eq!(bulk(json!({ "all": true })).await["updated_count"], 1);
    let unread = bob.get("/api/v2/notifications?unread_only=true").await.is(200);
    assert_eq!(
        (&unread["total"], &unread["notifications"]),
        (&json!(0), &json!([]))
    );
}
