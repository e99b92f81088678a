//! Notifications about mails: pages, reading and deleting, individually and in bulk.

use harness::{Person, World};
use serde_json::{Value, json};

use super::{contents, numbers, path};

async fn page(person: &Person, query: &str) -> Value {
    person
        .get(&format!("/api/v2/notifications?{query}"))
        .await
        .is(200)
}

async fn notified(world: &World, count: usize) -> (Person, Person) {
    let [ada, bob] = world.people(["ada", "bob"]).await;
    for number in 0..count {
        ada.mails(&bob, &number.to_string()).await;
    }
    (ada, bob)
}

/// S0-E08, S0-F18
#[tokio::test]
async fn notifications_come_newest_first_by_page_and_by_cursor() {
    let world = World::start().await;
    let (ada, bob) = notified(&world, 12).await;
    let wanted: Vec<String> = (0..12)
        .rev()
        .map(|number| format!("New message from ada the tester: {number}"))
        .collect();
    let mut by_number = Vec::new();
    for number in 1..=3 {
        let page = page(&bob, &format!("page={number}&per_page=5")).await;
        assert_eq!(
            (&page["total"], &page["unread"], &page["pages"]),
            (&json!(12), &json!(12), &json!(3))
        );
        by_number.extend(
            contents(page["notifications"].as_array().unwrap())
                .into_iter()
                .map(str::to_owned),
        );
    }
    assert_eq!(by_number, wanted);
    let (mut by_cursor, mut query) = (Vec::new(), "per_page=5&unread_only=true".to_owned());
    loop {
        let page = page(&bob, &query).await;
        by_cursor.extend(
            contents(page["notifications"].as_array().unwrap())
                .into_iter()
                .map(str::to_owned),
        );
        match page["next_cursor"].as_str() {
            Some(cursor) => query = format!("per_page=5&unread_only=true&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(by_cursor, wanted);
    let ask = async |query: &str| bob.get(&format!("/api/v2/notifications?{query}")).await;
    ask("per_page=101").await.blames("per_page", "out_of_range");
    ask("page=102&per_page=100").await.is_error(400, "PAGE_TOO_DEEP");
    ask("cursor=x").await.is_error(400, "INVALID_CURSOR");
    assert_eq!(ada.notifications().await.len(), 0);
}

/// S0-E09, S0-E10
#[tokio::test]
async fn opening_a_notification_reads_it_and_peeking_does_not() {
    let world = World::start().await;
    let (_, bob) = notified(&world, 2).await;
    let list = bob.notifications().await;
    let peeked = bob.get(&format!("{}?peek=true", path(&list[0]))).await.is(200);
    assert_eq!(peeked, list[0]);
    let read = bob.get(&path(&list[0])).await.is(200);
    assert_eq!(read["is_read"], true);
    world.advance(std::time::Duration::from_secs(5));
    assert_eq!(bob.get(&path(&list[0])).await.is(200)["read_at"], read["read_at"]);
    let marked = bob
        .put(&format!("{}/read", path(&list[1])), json!({}))
        .await
        .is(200);
    assert_eq!(marked["is_read"], true);
    let again = bob
        .send(bob.request("PUT", &format!("{}/read", path(&list[1]))))
        .await
        .is(200);
    assert_eq!(again, marked);
    assert_eq!(
        numbers(&bob).await,
        json!({ "total": 2, "unread": 0, "by_type": { "new_message": 2 } })
    );
    assert_eq!(page(&bob, "unread_only=true").await["total"], 0);
}

/// S0-E11
#[tokio::test]
async fn a_deleted_notification_is_gone_and_the_mail_stays() {
    let world = World::start().await;
    let (ada, bob) = notified(&world, 2).await;
    let list = bob.notifications().await;
    ada.delete(&path(&list[0])).await.is_error(404, "NOT_FOUND");
    bob.delete(&path(&list[0])).await.is(204);
    bob.get(&path(&list[0])).await.is_error(404, "NOT_FOUND");
    bob.delete(&path(&list[0])).await.is_error(404, "NOT_FOUND");
    assert_eq!(bob.notifications().await, [list[1].clone()]);
    assert_eq!(
        numbers(&bob).await,
        json!({ "total": 1, "unread": 1, "by_type": { "new_message": 1 } })
    );
    assert_eq!(bob.folder("inbox").await.len(), 2);
    bob.get(&path(&list[1])).await.is(200);
    bob.delete(&path(&list[1])).await.is(204);
    assert_eq!(
        numbers(&bob).await,
        json!({ "total": 0, "unread": 0, "by_type": {} })
    );
}

/// S0-E12, S0-F17
#[tokio::test]
async fn many_are_marked_each_for_itself_and_all_at_once() {
    let world = World::start().await;
    let (ada, bob) = notified(&world, 50).await;
    let list = bob.notifications().await;
    let nothing = uuid::Uuid::new_v4();
    let mut ids: Vec<Value> = list[..45]
        .iter()
        .map(|notification| notification["id"].clone())
        .collect();
    ids.push(json!(nothing));
    let bulk = async |body: Value| bob.put("/api/v2/notifications/bulk/read", body).await;
    let result = bulk(json!({ "notification_ids": ids })).await.is(200);
    assert_eq!(result["updated_count"], 45);
    assert_eq!(result["failed"], json!([{ "id": nothing, "code": "NOT_FOUND" }]));
    assert_eq!(numbers(&bob).await["unread"], 5);
    assert_eq!(
        page(&bob, "unread_only=true").await["notifications"]
            .as_array()
            .unwrap()[..],
        list[45..]
    );

    assert_eq!(
        bulk(json!({ "all": true })).await.is(200),
        json!({ "updated_count": 5, "failed": [] })
    );
    assert_eq!(bulk(json!({ "all": true })).await.is(200)["updated_count"], 0);
    let unread = page(&bob, "unread_only=true").await;
    assert_eq!(
        (&unread["total"], &unread["notifications"]),
        (&json!(0), &json!([]))
    );
    assert!(
        bob.notifications()
            .await
            .iter()
            .all(|notification| notification["is_read"] == true)
    );

    let read_at = bob.notifications().await[0]["read_at"].clone();
    world.advance(std::time::Duration::from_secs(5));
    ada.mails(&bob, "new").await;
    assert_eq!(
        page(&bob, "unread_only=true").await["total"],
        1,
        "what comes later is unread"
    );
    assert_eq!(bob.get(&path(&list[47])).await.is(200)["is_read"], true);
    bob.delete(&path(&list[47])).await.is(204);
    assert_eq!(
        numbers(&bob).await,
        json!({ "total": 50, "unread": 1, "by_type": { "new_message": 50 } })
    );
    assert_eq!(bulk(json!({ "all": true })).await.is(200)["updated_count"], 1);
    let now = bob.notifications().await;
    assert_eq!(now[1]["read_at"], read_at, "read since the first time");
    assert_ne!(now[0]["read_at"], read_at);

    bulk(json!({})).await.blames("notification_ids", "missing");
    bulk(json!({ "all": false }))
        .await
        .blames("notification_ids", "missing");
    bulk(json!({ "all": true, "notification_ids": [nothing] }))
        .await
        .blames("all", "contradiction");
    bulk(json!({ "notification_ids": [] }))
        .await
        .blames("notification_ids", "too_short");
}

/// Notifications that are created while all are being marked are either marked or unread, and counted accordingly.
#[tokio::test]
async fn marking_all_includes_what_exists_at_one_moment() {
    let world = World::start().await;
    let (ada, bob) = notified(&world, 3).await;
    let send = async {
        for number in 0..10 {
            ada.mails(&bob, &number.to_string()).await;
        }
    };
    let mark = async {
        for _ in 0..6 {
            bob.put("/api/v2/notifications/bulk/read", json!({ "all": true }))
                .await
                .is(200);
        }
    };
    tokio::join!(send, mark);
    let list = bob.notifications().await;
    let unread = list
        .iter()
        .filter(|notification| notification["is_read"] == false)
        .count();
    assert_eq!(
        numbers(&bob).await,
        json!({ "total": 13, "unread": unread, "by_type": { "new_message": 13 } })
    );
    let first_read = list
        .iter()
        .position(|notification| notification["is_read"] == true)
        .unwrap();
    assert_eq!(first_read, unread, "the newest are the unread ones");
}

/// S0-W06 to W09
#[tokio::test]
async fn what_one_does_with_notifications_ones_own_devices_hear() {
    let world = World::start().await;
    let (ada, bob) = notified(&world, 4).await;
    world.settled().await;
    let (mut device, mut sender) = (bob.connect().await, ada.connect().await);
    let list = bob.notifications().await;
    let read = bob.get(&path(&list[0])).await.is(200);
    let frame = device.next_of("message_read").await;
    assert_eq!(
        frame["message_id"], list[0]["message_id"],
        "the mail is read with it"
    );
    let expected = json!({
        "type": "notification_read", "namespace": "notifications", "notification_id": list[0]["id"],
        "read_at": read["read_at"], "unread_count": 3
    });
    assert_eq!(device.next_of("notification_read").await, expected);
    bob.delete(&path(&list[1])).await.is(204);
    let expected = json!({
        "type": "notification_deleted", "namespace": "notifications", "notification_id": list[1]["id"],
        "unread_count": 2
    });
    assert_eq!(device.next_of("notification_deleted").await, expected);
    let bulk = async |body: Value| bob.put("/api/v2/notifications/bulk/read", body).await.is(200);
    bulk(json!({ "notification_ids": [list[2]["id"]] })).await;
    let expected = json!({
        "type": "notifications_bulk_read", "namespace": "notifications", "notification_ids": [list[2]["id"]],
        "all": false, "marked_count": 1, "unread_count": 1
    });
    assert_eq!(device.next_of("notifications_bulk_read").await, expected);
    let frame = device.next_of("messages_bulk_updated").await;
    assert_eq!(
        (&frame["message_ids"], &frame["changes"]),
        (&json!([list[2]["message_id"]]), &json!({ "is_read": true }))
    );
    bulk(json!({ "all": true })).await;
    let frame = device.next_of("notifications_bulk_read").await;
    assert_eq!(
        (&frame["all"], &frame["marked_count"], &frame["unread_count"]),
        (&json!(true), &json!(1), &json!(0))
    );
    world.settled().await;
    assert_eq!(device.so_far().await, Vec::<Value>::new());
    assert_eq!(sender.so_far().await, Vec::<Value>::new());
}
