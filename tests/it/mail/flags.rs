//! The flags of one side: reading, starring, archiving, deleting, all versioned.

use harness::World;
use serde_json::{Value, json};

use super::{flag, flag_if, path, peek, stats, subjects};

/// S0-E02
#[tokio::test]
async fn opening_a_mail_reads_it_for_its_recipient_alone() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let mail = ada.mails(&bob, "Read me").await;
    let peeked = peek(&bob, &mail).await;
    assert_eq!(peeked.header("etag"), Some("\"1\""));
    assert_eq!(peeked.is(200)["is_read"], false);
    ada.get(&path(&mail)).await.is(200);
    assert_eq!(
        peek(&bob, &mail).await.is(200)["is_read"],
        false,
        "the sender looked"
    );

    let read = bob.get(&path(&mail)).await;
    assert_eq!(read.header("etag"), Some("\"2\""));
    let read = read.is(200);
    assert_eq!((&read["is_read"], &read["version"]), (&json!(true), &json!(2)));
    assert!(read["read_at"].is_string() && read["updated_at"] == read["read_at"]);
    world.advance(std::time::Duration::from_secs(5));
    assert_eq!(bob.get(&path(&mail)).await.is(200), read, "again changes nothing");
    assert_eq!(
        ada.get(&path(&mail)).await.is(200)["read_at"],
        Value::Null,
        "flags are one's own"
    );
    assert_eq!(stats(&bob).await["unread"], 0);
    assert_eq!(
        bob.notifications().await[0]["is_read"],
        true,
        "whoever reads a mail has read the notification about it"
    );
}

/// S0-E04, S0-F05, S0-F06
#[tokio::test]
async fn flags_change_one_by_one_and_belong_to_ones_own_box() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let mail = ada.mails(&bob, "Flags").await;
    let starred = flag(&bob, &mail, json!({ "is_starred": true })).await.is(200);
    assert_eq!(
        (&starred["is_starred"], &starred["is_read"]),
        (&json!(true), &json!(false))
    );
    let read = flag(&bob, &mail, json!({ "is_read": true, "is_archived": null }))
        .await
        .is(200);
    assert_eq!(
        (&read["is_starred"], &read["is_read"], &read["version"]),
        (&json!(true), &json!(true), &json!(3))
    );
    let unread = flag(&bob, &mail, json!({ "is_read": false })).await.is(200);
    assert_eq!(
        (&unread["is_read"], &unread["read_at"]),
        (&json!(false), &Value::Null)
    );
    let same = flag(&bob, &mail, json!({ "is_read": false })).await.is(200);
    assert_eq!(same["version"], unread["version"], "nothing changed");
    let nothing = flag(&bob, &mail, json!({})).await.is(200);
    assert_eq!(nothing, same);
    let theirs = peek(&ada, &mail).await.is(200);
    assert_eq!(
        (&theirs["is_starred"], &theirs["version"]),
        (&json!(false), &json!(1))
    );
    // The sender has flags too.
    flag(&ada, &mail, json!({ "is_archived": true })).await.is(200);
    assert_eq!(subjects(&ada.folder("archived").await), ["Flags"]);
    assert_eq!(
        subjects(&ada.folder("sent").await),
        ["Flags"],
        "sent holds all that was sent"
    );
    assert_eq!(subjects(&bob.folder("inbox").await), ["Flags"]);
}

/// S0-E04: optimistic locking.
#[tokio::test]
async fn of_two_devices_that_flag_one_mail_one_wins_and_one_is_told() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let mail = ada.mails(&bob, "Two devices").await;
    for round in 0..8_u64 {
        let version = peek(&bob, &mail).await.is(200)["version"].as_u64().unwrap();
        assert_eq!(version, 1 + 2 * round);
        let (star, archive) = (
            json!({ "is_starred": round % 2 == 0 }),
            json!({ "is_archived": round % 2 == 0 }),
        );
        let (phone, desk) = tokio::join!(
            flag_if(&bob, &mail, version, &star),
            flag_if(&bob, &mail, version, &archive)
        );
        let (won, lost, missing) = match (phone.status, desk.status) {
            (200, 412) => (phone, desk, &archive),
            (412, 200) => (desk, phone, &star),
            other => panic!("{other:?}"),
        };
        assert_eq!(won.header("etag"), Some(format!("\"{}\"", version + 1).as_str()));
        lost.is_error(412, "PRECONDITION_FAILED");
        // The loser of the race reads again and repeats: no change is lost.
        let both = flag_if(&bob, &mail, version + 1, missing).await.is(200);
        assert_eq!(
            (&both["is_starred"], &both["is_archived"]),
            (&json!(round % 2 == 0), &json!(round % 2 == 0))
        );
    }
    flag_if(&bob, &mail, 1, &json!({ "is_read": true }))
        .await
        .is_error(412, "PRECONDITION_FAILED");
    let any = bob.request("PUT", &path(&mail)).header("if-match", "*");
    bob.send(any.json(&json!({ "is_read": true }))).await.is(200);
}

/// S0-E05, S0-J02
#[tokio::test]
async fn a_deleted_mail_leaves_ones_own_box_and_notifications_and_no_others() {
    let world = World::start().await;
    let [ada, bob, eve] = world.people(["ada", "bob", "eve"]).await;
    let mail = ada.mails(&bob, "Gone").await;
    let kept = ada.mails(&bob, "Kept").await;
    flag(&bob, &mail, json!({ "is_starred": true })).await.is(200);
    eve.delete(&path(&mail)).await.is_error(404, "NOT_FOUND");
    bob.delete(&path(&mail)).await.is(204);

    bob.get(&path(&mail)).await.is_error(404, "NOT_FOUND");
    bob.delete(&path(&mail)).await.is_error(404, "NOT_FOUND");
    flag(&bob, &mail, json!({ "is_read": true }))
        .await
        .is_error(404, "NOT_FOUND");
    assert_eq!(subjects(&bob.folder("inbox").await), ["Kept"]);
    assert_eq!(bob.folder("starred").await.len(), 0);
    let left = bob.notifications().await;
    assert_eq!((left.len(), &left[0]["message_id"]), (1, &kept["id"]));
    let expected = json!({ "total": 1, "unread": 1, "starred": 0, "archived": 0, "sent": 0, "received": 1 });
    assert_eq!(stats(&bob).await, expected);

    assert_eq!(subjects(&ada.folder("sent").await), ["Kept", "Gone"]);
    let theirs = peek(&ada, &mail).await.is(200);
    assert_eq!(theirs["body"], "About Gone");
    ada.delete(&path(&mail)).await.is(204);
    let id = mail["id"].as_str().unwrap();
    let content = world.stored(&format!("M#{id}"), "AT").await.unwrap();
    assert_eq!(content["b"]["S"], "About Gone", "it stays for moderation");
}

/// S0-E05: with a notification that was deleted or read before.
#[tokio::test]
async fn a_mail_can_be_deleted_whatever_became_of_its_notification() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    for how in ["deleted", "read", "read with all"] {
        let mail = ada.mails(&bob, how).await;
        let notification = bob.notifications().await[0]["id"].clone();
        let note = format!("/api/v2/notifications/{}", notification.as_str().unwrap());
        match how {
            "deleted" => drop(bob.delete(&note).await.is(204)),
            "read" => drop(bob.get(&note).await.is(200)),
            _ => drop(
                bob.put("/api/v2/notifications/bulk/read", json!({ "all": true }))
                    .await
                    .is(200),
            ),
        }
        bob.delete(&path(&mail)).await.is(204);
        let numbers = bob.get("/api/v2/notifications/stats/summary").await.is(200);
        assert_eq!(
            numbers,
            json!({ "total": 0, "unread": 0, "by_type": {} }),
            "{how}"
        );
    }
}

/// S0-E06, S0-F17
#[tokio::test]
async fn many_mails_are_changed_each_for_itself() {
    let world = World::start().await;
    let [ada, bob, eve] = world.people(["ada", "bob", "eve"]).await;
    let mut ids = Vec::new();
    for number in 0..30 {
        ids.push(ada.mails(&bob, &number.to_string()).await["id"].clone());
    }
    let hers = ada.mails(&eve, "hers").await["id"].clone();
    let nothing = json!(uuid::Uuid::new_v4());
    let mut named = ids.clone();
    named.extend([hers.clone(), nothing.clone(), ids[0].clone()]);
    let bulk = async |body: Value| bob.put("/api/v2/messages/bulk", body).await;
    let result = bulk(json!({ "message_ids": named, "is_read": true, "is_starred": true }))
        .await
        .is(200);
    assert_eq!(result["updated_count"], 30);
    let failed = result["failed"].as_array().unwrap();
    assert_eq!(failed.len(), 2, "{result}");
    for id in [&hers, &nothing] {
        assert!(
            failed.contains(&json!({ "id": id, "code": "NOT_FOUND" })),
            "{result}"
        );
    }
    let expected =
        json!({ "total": 30, "unread": 0, "starred": 30, "archived": 0, "sent": 0, "received": 30 });
    assert_eq!(stats(&bob).await, expected);
    let again = bulk(json!({ "message_ids": ids, "is_read": true, "is_starred": true }))
        .await
        .is(200);
    assert_eq!(
        again,
        json!({ "updated_count": 30, "failed": [] }),
        "asked again it does the same"
    );
    assert!(
        bob.folder("starred")
            .await
            .iter()
            .all(|mail| mail["version"] == 2)
    );
    assert_eq!(
        peek(&eve, &json!({ "id": hers })).await.is(200)["is_starred"],
        false
    );

    bulk(json!({ "message_ids": [], "is_read": true }))
        .await
        .blames("message_ids", "too_short");
    let many: Vec<_> = (0..101).map(|_| uuid::Uuid::new_v4()).collect();
    bulk(json!({ "message_ids": many, "is_read": true }))
        .await
        .blames("message_ids", "too_long");
    bulk(json!({ "message_ids": ["x"], "is_read": true }))
        .await
        .blames("message_ids.0", "wrong_format");
}

/// S0-Q04 of mail: for strangers it does not exist.
#[tokio::test]
async fn for_strangers_a_mail_does_not_exist() {
    let world = World::start().await;
    let [ada, bob, eve] = world.people(["ada", "bob", "eve"]).await;
    let mail = ada.mails(&bob, "Secret").await;
    let none = json!({ "id": uuid::Uuid::new_v4() });
    for (method, body) in [
        ("GET", None),
        ("PUT", Some(json!({ "is_read": true }))),
        ("DELETE", None),
    ] {
        let ask = async |mail: &Value| {
            let request = eve.request(method, &path(mail));
            let request = match &body {
                Some(body) => request.json(body),
                None => request,
            };
            eve.send(request).await.is_error(404, "NOT_FOUND")["message"].clone()
        };
        assert_eq!(ask(&mail).await, ask(&none).await, "{method}");
    }
    assert_eq!(peek(&bob, &mail).await.is(200)["version"], 1);
}

/// S0-J02: reading a mail marks its notification and vice versa, through every route.
#[tokio::test]
async fn a_mail_and_its_notification_are_read_together() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let mut mails = Vec::new();
    for number in 0..24 {
        mails.push(ada.mails(&bob, &number.to_string()).await);
    }
    let mut notes = bob.notifications().await;
    notes.reverse();
    let note = |number: usize| format!("/api/v2/notifications/{}", notes[number]["id"].as_str().unwrap());
    let ids = |values: &[Value]| -> Vec<Value> { values.iter().map(|value| value["id"].clone()).collect() };
    bob.get(&path(&mails[0])).await.is(200);
    flag(&bob, &mails[1], json!({ "is_read": true })).await.is(200);
    bob.get(&note(2)).await.is(200);
    bob.put(&format!("{}/read", note(3)), json!({})).await.is(200);
    let body = json!({ "message_ids": ids(&mails[4..14]), "is_read": true, "is_starred": true, "is_archived": true });
    bob.put("/api/v2/messages/bulk", body).await.is(200);
    let body = json!({ "notification_ids": ids(&notes[14..22]) });
    let marked = bob.put("/api/v2/notifications/bulk/read", body).await.is(200);
    assert_eq!(marked["updated_count"], 8);
    let contents = harness::boxes::adds_up(&bob).await;
    for (number, mail) in mails.iter().enumerate() {
        let id = mail["id"].as_str().unwrap();
        let about = contents
            .notifications
            .iter()
            .find(|one| one["message_id"] == mail["id"]);
        assert_eq!(
            (&contents.mails[id]["is_read"], &about.unwrap()["is_read"]),
            (&json!(number < 22), &json!(number < 22)),
            "{number}"
        );
    }

    // A mail that is marked as unread is like new; its notification stays read.
    flag(&bob, &mails[0], json!({ "is_read": false })).await.is(200);
    assert_eq!(bob.get(&note(0)).await.is(200)["is_read"], true);
    bob.put(&format!("{}/read", note(0)), json!({})).await.is(200);
    let body = json!({ "notification_ids": [notes[0]["id"]] });
    bob.put("/api/v2/notifications/bulk/read", body).await.is(200);
    assert_eq!(peek(&bob, &mails[0]).await.is(200)["is_read"], false);
    // All notifications are read by one write, which leaves the mails unchanged.
    bob.put("/api/v2/notifications/bulk/read", json!({ "all": true }))
        .await
        .is(200);
    assert_eq!(peek(&bob, &mails[23]).await.is(200)["is_read"], false);
    // `peek` marks neither.
    assert_eq!(stats(&bob).await["unread"], 3);
}
