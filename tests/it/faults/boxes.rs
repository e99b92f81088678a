//! Faults at each call of each operation on mail and notifications. Nothing is lost or duplicated, all devices of both
//! people get the frames, and counts equal the lists.

mod beside;

use std::sync::Arc;
use std::time::{Duration, Instant};

use harness::boxes::{self, Contents};
use harness::faults::{Fault, Faults, Point};
use harness::{Person, Socket, World};
use serde_json::{Value, json};

use super::asking::attempt;

/// The operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    /// Ada sends Bob a mail.
    Send,
    /// Ada sends herself a mail.
    SendToOneself,
    /// Bob opens the first mail.
    Open,
    /// Bob stars it.
    Flag,
    /// Bob stars the version that he has seen.
    FlagVersion,
    /// Bob deletes it.
    Delete,
    /// Bob archives both mails.
    Bulk,
    /// Bob opens the notification about the first mail.
    ReadNotification,
    /// Bob deletes it.
    DeleteNotification,
    /// Bob marks both notifications as read.
    ReadNotifications,
    /// Bob marks all notifications as read.
    ReadAllNotifications,
    /// Bob is notified by the system.
    Notify,
}

/// Ada, who has sent Bob two mails, and Bob, who has a connected device.
struct Fixture {
    world: World,
    faults: Arc<Faults>,
    ada: Person,
    bob: Person,
    admin: Person,
    mails: Vec<Value>,
    /// Bob's notifications about them.
    notifications: Vec<Value>,
    device: Socket,
    /// Ada's device.
    hers: Socket,
}

impl Fixture {
    async fn new() -> Self {
        // Limits that nobody reaches, so that the calls that check them are included.
        let world = World::with(&[
            ("RATE_LIMIT_SENDS_PER_MINUTE", "100000"),
            ("RATE_LIMIT_REQUESTS_PER_MINUTE", "100000"),
        ])
        .await;
        let [ada, bob] = world.people(["ada", "bob"]).await;
        let admin = world.with_roles("admin", &["admin"]).await;
        let faults = Faults::install(world.services());
        let mut mails = Vec::new();
        for subject in ["first", "second"] {
            mails.push(ada.mails(&bob, subject).await);
        }
        let mut notifications = bob.notifications().await;
        notifications.reverse();
        faults.settle(world.services()).await;
        let (device, hers) = (bob.connect().await, ada.connect().await);
        Self {
            world,
            faults,
            ada,
            bob,
            admin,
            mails,
            notifications,
            device,
            hers,
        }
    }

    async fn tries(&self, operation: Operation) -> (u16, Value) {
        let mail = format!("/api/v2/messages/{}", self.mails[0]["id"].as_str().unwrap());
        let note = format!(
            "/api/v2/notifications/{}",
            self.notifications[0]["id"].as_str().unwrap()
        );
        let ids = |values: &[Value]| values.iter().map(|value| value["id"].clone()).collect::<Vec<_>>();
        let send = |to: &Person| {
            let body = json!({
                "recipient_id": to.id, "subject": "sent", "body": "x", "client_message_id": "the-same-each-time"
            });
            self.ada.request("POST", "/api/v2/messages").json(&body)
        };
        let starred = json!({ "is_starred": true });
        let request = match operation {
            Operation::Send => send(&self.bob),
            Operation::SendToOneself => send(&self.ada),
            Operation::Open => self.bob.request("GET", &mail),
            Operation::Flag => self.bob.request("PUT", &mail).json(&starred),
            Operation::FlagVersion => {
                let request = self.bob.request("PUT", &mail).json(&starred);
                request.header("if-match", "\"1\"")
            }
            Operation::Delete => self.bob.request("DELETE", &mail),
            Operation::Bulk => {
                let body = json!({ "message_ids": ids(&self.mails), "is_archived": true });
                self.bob.request("PUT", "/api/v2/messages/bulk").json(&body)
            }
            Operation::ReadNotification => self.bob.request("GET", &note),
            Operation::DeleteNotification => self.bob.request("DELETE", &note),
            Operation::ReadNotifications => {
                let body = json!({ "notification_ids": ids(&self.notifications) });
                self.bob
                    .request("PUT", "/api/v2/notifications/bulk/read")
                    .json(&body)
            }
            Operation::ReadAllNotifications => {
                let body = json!({ "all": true });
                self.bob
                    .request("PUT", "/api/v2/notifications/bulk/read")
                    .json(&body)
            }
            Operation::Notify => {
                let body = json!({ "user_id": self.bob.id, "content": "sent" });
                self.admin
                    .request("POST", "/api/v2/notifications/system")
                    .json(&body)
            }
        };
        attempt(request).await
    }

    /// Retries until it is acknowledged, as a client does; returns the number of attempts.
    async fn does(&self, operation: Operation) -> usize {
        for attempts in 1..=5 {
            match self.tries(operation).await {
                (200..=299, _) => return attempts,
                // The function died, or asked to retry later.
                (500 | 503, _) => {}
                // It took effect, but the response was lost.
                (404, _)
                    if matches!(operation, Operation::Delete | Operation::DeleteNotification)
                        && attempts > 1 =>
                {
                    return attempts;
                }
                (412, _) if operation == Operation::FlagVersion && attempts > 1 => return attempts,
                (status, answer) => panic!("{operation:?} is answered {status}: {answer}"),
            }
        }
        panic!("{operation:?} is refused again and again");
    }

    /// Waits until all jobs are done, including those that wait for something that will never be written.
    async fn settles(&self, is_given_up: bool) {
        if is_given_up {
            self.faults.quiet().await;
            self.world.advance(Duration::from_secs(61));
        }
        self.faults.settle(self.world.services()).await;
    }

    /// What both have, after consistency checks, and the frames of Bob's device. Ada's own device only gets the mail to
    /// herself.
    async fn agrees(&mut self, operation: Operation) -> (Contents, Vec<Value>) {
        let hers = boxes::adds_up(&self.ada).await;
        let his = boxes::adds_up(&self.bob).await;
        let (his_frames, her_frames) = (self.device.so_far().await, self.hers.so_far().await);
        if operation == Operation::SendToOneself {
            assert_eq!(his.mails.len(), 2);
            (hers, her_frames)
        } else {
            assert_eq!(her_frames, Vec::<Value>::new());
            (his, his_frames)
        }
    }

    /// Checks the state after the operation.
    async fn comes_out_right(&mut self, operation: Operation, attempts: usize) {
        self.settles(false).await;
        let mail = self.mails[0]["id"].clone();
        let note = self.notifications[0]["id"].clone();
        let (contents, frames) = self.agrees(operation).await;
        let came = |frame_type: &str, field: &str, value: &Value| {
            let found = frames
                .iter()
                .any(|frame| frame["type"] == frame_type && frame[field] == *value);
            assert!(found, "{frame_type} did not come: {frames:#?}");
        };
        let first = contents.mails.get(mail.as_str().unwrap());
        let noted = contents.notifications.iter().find(|one| one["id"] == note);
        match operation {
            Operation::Send | Operation::SendToOneself => {
                let sent: Vec<&Value> = contents
                    .mails
                    .values()
                    .filter(|mail| mail["subject"] == "sent")
                    .collect();
                assert_eq!(sent.len(), 1, "{contents:#?}");
                let about: Vec<&Value> = contents
                    .notifications
                    .iter()
                    .filter(|one| one["message_id"] == sent[0]["id"])
                    .collect();
                assert_eq!(about.len(), 1, "{contents:#?}");
                came("new_message", "message", sent[0]);
                came("new_notification", "notification", about[0]);
            }
            Operation::Open => {
                assert_eq!(
                    (&first.unwrap()["is_read"], &first.unwrap()["version"]),
                    (&json!(true), &json!(2))
                );
                came("message_read", "message_id", &mail);
                assert_eq!(noted.unwrap()["is_read"], true);
                came("notification_read", "notification_id", &note);
            }
            Operation::Flag | Operation::FlagVersion => {
                assert_eq!(
                    (&first.unwrap()["is_starred"], &first.unwrap()["version"]),
                    (&json!(true), &json!(2))
                );
                came("message_updated", "message_id", &mail);
            }
            Operation::Delete => {
                assert!(first.is_none() && noted.is_none(), "{contents:#?}");
                came("message_deleted", "message_id", &mail);
                came("notification_deleted", "notification_id", &note);
            }
            Operation::Bulk => {
                assert!(
                    contents
                        .mails
                        .values()
                        .all(|mail| mail["is_archived"] == true && mail["version"] == 2)
                );
                came("messages_bulk_updated", "updated_count", &json!(2));
            }
            Operation::ReadNotification => {
                assert_eq!(noted.unwrap()["is_read"], true);
                came("notification_read", "notification_id", &note);
                assert_eq!(first.unwrap()["is_read"], true);
                came("message_read", "message_id", &mail);
            }
            Operation::DeleteNotification => {
                assert!(noted.is_none());
                came("notification_deleted", "notification_id", &note);
            }
            Operation::ReadNotifications | Operation::ReadAllNotifications => {
                if operation == Operation::ReadNotifications {
                    assert!(contents.mails.values().all(|mail| mail["is_read"] == true));
                    came("messages_bulk_updated", "updated_count", &json!(2));
                }
                assert!(contents.notifications.iter().all(|one| one["is_read"] == true));
                came("notifications_bulk_read", "unread_count", &json!(0));
            }
            Operation::Notify => {
                // It has no id of the client's, so a repeat creates another one.
                let sent = contents
                    .notifications
                    .iter()
                    .filter(|one| one["content"] == "sent");
                let sent = sent.count();
                assert!((1..=attempts).contains(&sent), "{sent} of {attempts}");
                assert!(frames.iter().any(|frame| frame["type"] == "new_notification"));
            }
        }
    }
}

/// The calls of an operation and of all its jobs, without faults.
async fn points(operation: Operation) -> Vec<Point> {
    let mut fixture = Fixture::new().await;
    fixture.faults.watch();
    let attempts = fixture.does(operation).await;
    fixture.faults.settle(fixture.world.services()).await;
    let points = fixture.faults.seen();
    assert_eq!(attempts, 1);
    fixture.comes_out_right(operation, attempts).await;
    points
}

/// Performs the operation once for each point and fault.
async fn survives(operation: Operation) {
    let began = Instant::now();
    let points = points(operation).await;
    assert!(
        points.len() > 3,
        "the operation calls next to nothing: {points:?}"
    );
    let (mut told, mut retried) = (0, 0);
    for (index, point) in points.iter().enumerate() {
        for fault in Fault::at(point, operation as usize + index) {
            println!("{:?} {operation:?}: {fault:?} at {point}", began.elapsed());
            let mut fixture = Fixture::new().await;
            fixture.faults.inject(point, fault);
            let attempts = fixture.does(operation).await;
            fixture.faults.settle(fixture.world.services()).await;
            // A job that starts before its entry is written makes more calls.
            let met = fixture.faults.clear();
            assert!(met || point.is_of_a_job(), "the point is never met");
            fixture.comes_out_right(operation, attempts).await;
            told += 1;
            retried += usize::from(attempts > 1);
        }
    }
    println!(
        "{operation:?}: {} points, {told} faults, {retried} of them seen by the client, in {:.1?}",
        points.len(),
        began.elapsed()
    );
}

/// Performs the operation once for each call, with a single attempt that dies there: it took effect or not, and both
/// states are consistent.
async fn is_whole_or_not_there(operation: Operation) {
    for point in points(operation)
        .await
        .iter()
        .filter(|point| !point.is_of_a_job())
    {
        for fault in [Fault::DiesBefore, Fault::DiesAfter] {
            println!("{operation:?}, given up: {fault:?} at {point}");
            let mut fixture = Fixture::new().await;
            fixture.faults.inject(point, fault);
            fixture.tries(operation).await;
            fixture.settles(true).await;
            let (contents, frames) = fixture.agrees(operation).await;
            let first = contents.mails.get(fixture.mails[0]["id"].as_str().unwrap());
            let (took_place, frame_type) = match operation {
                Operation::Open | Operation::ReadNotification => {
                    (first.unwrap()["is_read"] == true, "message_read")
                }
                Operation::Flag | Operation::FlagVersion => {
                    (first.unwrap()["is_starred"] == true, "message_updated")
                }
                Operation::Delete => (first.is_none(), "message_deleted"),
                _ => continue,
            };
            let is_told = frames.iter().any(|frame| frame["type"] == frame_type);
            assert_eq!(is_told, took_place, "{frame_type}: {frames:#?}");
        }
    }
}

/// Declares a test for each operation.
macro_rules! stories {
    ($story:ident: $($name:ident: $operation:ident;)+) => {
        $(
            #[tokio::test]
            async fn $name() {
                $story(Operation::$operation).await;
            }
        )+
    };
}

stories! { survives:
    a_mail_survives_everything: Send;
    a_mail_to_oneself_survives_everything: SendToOneself;
    the_opening_of_a_mail_survives_everything: Open;
    a_flag_survives_everything: Flag;
    a_flag_of_a_version_survives_everything: FlagVersion;
    the_deletion_of_a_mail_survives_everything: Delete;
    flags_of_many_mails_survive_everything: Bulk;
    the_opening_of_a_notification_survives_everything: ReadNotification;
    the_deletion_of_a_notification_survives_everything: DeleteNotification;
    marks_on_notifications_survive_everything: ReadNotifications;
    the_mark_on_all_notifications_survives_everything: ReadAllNotifications;
    a_system_notification_survives_everything: Notify;
}

stories! { is_whole_or_not_there:
    a_mail_that_is_given_up_is_whole_or_not_there: Send;
    an_opening_that_is_given_up_is_whole_or_not_there: Open;
    a_flag_that_is_given_up_is_whole_or_not_there: Flag;
    an_abandoned_deletion_takes_effect_completely_or_not_at_all: Delete;
    flags_of_many_mails_that_are_given_up_add_up: Bulk;
    a_notification_that_is_opened_and_given_up_is_whole_or_not_there: ReadNotification;
    a_deleted_notification_that_is_given_up_adds_up: DeleteNotification;
}
