//! Frames about mail: to the recipient when it arrives, and to one's own devices after changes.

use harness::World;
use serde_json::{Value, json};

use super::{flag, path, peek, to};

/// S0-W01, S0-W06
#[tokio::test]
async fn a_mail_comes_as_two_frames_to_each_device_of_its_recipient_and_none_to_its_sender() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    ada.mails(&bob, "before").await;
    world.settled().await;
    let (mut phone, mut desk, mut sender) = (bob.connect().await, bob.connect().await, ada.connect().await);
    let mail = ada.mails(&bob, "The engine").await;
    for socket in [&mut phone, &mut desk] {
        let frame = socket.next_of("new_message").await;
        assert_eq!(
            (&frame["namespace"], &frame["unread_count"]),
            (&json!("inbox"), &json!(2))
        );
        assert_eq!(
            frame["message"],
            peek(&bob, &mail).await.is(200),
            "as the recipient sees it"
        );
        let frame = socket.next_of("new_notification").await;
        assert_eq!(
            (&frame["namespace"], &frame["unread_count"]),
            (&json!("notifications"), &json!(2))
        );
        assert_eq!(frame["notification"], bob.notifications().await[0]);
    }
    world.settled().await;
    assert_eq!(sender.so_far().await, Vec::<Value>::new());
}

/// Contract §3: a frame has at most 32 KB.
#[tokio::test]
async fn a_mail_that_is_too_large_for_a_frame_comes_without_its_content() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let mut socket = bob.connect().await;
    let large = to(&bob, "Large", &"x".repeat(40_000));
    let mail = ada.post("/api/v2/messages", large).await.is(201);
    let expected = json!({
        "type": "new_message", "namespace": "inbox", "message_id": mail["id"], "unread_count": 1, "truncated": true
    });
    assert_eq!(socket.next_of("new_message").await, expected);
}

/// S0-W02 to W05, S0-W08
#[tokio::test]
async fn what_one_does_with_a_mail_ones_own_devices_hear_and_nobody_else() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let (mail, other) = (ada.mails(&bob, "one").await, ada.mails(&bob, "two").await);
    world.settled().await;
    let (mut device, mut sender) = (bob.connect().await, ada.connect().await);

    let read = bob.get(&path(&mail)).await.is(200);
    let expected = json!({
        "type": "message_read", "namespace": "inbox", "message_id": mail["id"], "is_read": true,
        "read_at": read["read_at"], "version": 2, "unread_count": 1
    });
    assert_eq!(device.next_of("message_read").await, expected);
    // Its notification is read with it.
    let noted = bob.notifications().await[1].clone();
    assert_eq!(
        (&noted["message_id"], &noted["is_read"]),
        (&mail["id"], &json!(true))
    );
    let expected = json!({
        "type": "notification_read", "namespace": "notifications", "notification_id": noted["id"],
        "read_at": noted["read_at"], "unread_count": 1
    });
    assert_eq!(device.next_of("notification_read").await, expected);

    let flagged = flag(&bob, &mail, json!({ "is_starred": true, "is_archived": true }))
        .await
        .is(200);
    let expected = json!({
        "type": "message_updated", "namespace": "inbox", "message_id": mail["id"], "is_read": true, "is_starred": true,
        "is_archived": true, "read_at": read["read_at"], "updated_at": flagged["updated_at"], "version": 3,
        "moderation_status": "approved", "is_deleted": false, "unread_count": 1
    });
    assert_eq!(device.next_of("message_updated").await, expected);

    let ids = json!([mail["id"], other["id"]]);
    let body = json!({ "message_ids": ids, "is_read": false });
    bob.put("/api/v2/messages/bulk", body).await.is(200);
    let frame = device.next_of("messages_bulk_updated").await;
    assert_eq!(frame["changes"], json!({ "is_read": false }));
    assert_eq!(
        (&frame["updated_count"], &frame["unread_count"]),
        (&json!(2), &json!(1)),
        "what is unread in the archive does not count"
    );
    assert_eq!(frame["message_ids"].as_array().unwrap().len(), 2);

    let notification = bob.notifications().await[1]["id"].clone();
    bob.delete(&path(&mail)).await.is(204);
    let expected = json!({
        "type": "message_deleted", "namespace": "inbox", "message_id": mail["id"], "unread_count": 1
    });
    assert_eq!(device.next_of("message_deleted").await, expected);
    let expected = json!({
        "type": "notification_deleted", "namespace": "notifications", "notification_id": notification,
        "unread_count": 1
    });
    assert_eq!(device.next_of("notification_deleted").await, expected);
    world.settled().await;
    assert_eq!(
        device.so_far().await,
        Vec::<Value>::new(),
        "and no more than that"
    );
    assert_eq!(sender.so_far().await, Vec::<Value>::new());
}

/// Requests without changes, and `peek`, send no frames.
#[tokio::test]
async fn nothing_is_pushed_where_nothing_changed() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let mail = ada.mails(&bob, "quiet").await;
    world.settled().await;
    let mut device = bob.connect().await;
    peek(&bob, &mail).await.is(200);
    flag(&bob, &mail, json!({})).await.is(200);
    bob.folder("inbox").await;
    world.settled().await;
    assert_eq!(device.so_far().await, Vec::<Value>::new());
}
