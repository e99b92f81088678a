//! Two devices at one box: while one device's attempt waits at some call, the other device does something, or a mail
//! arrives; then the first continues with what it read before.

use std::time::Instant;

use harness::faults::{Fault, Point, everything};
use serde_json::{Value, json};

use super::{Fixture, Operation, points};
use crate::faults::asking::attempt;

/// What happens while the first attempt waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meanwhile {
    /// The other device archives the first mail.
    Archive,
    /// It deletes it.
    Delete,
    /// It marks all notifications as read.
    ReadAll,
    /// Ada sends another mail.
    Mail,
}

impl Meanwhile {
    const ALL: [Self; 4] = [Self::Archive, Self::Delete, Self::ReadAll, Self::Mail];

    async fn happens(self, fixture: &Fixture) {
        let mail = format!("/api/v2/messages/{}", fixture.mails[0]["id"].as_str().unwrap());
        let bob = &fixture.bob;
        let request = match self {
            Self::Archive => bob.request("PUT", &mail).json(&json!({ "is_archived": true })),
            Self::Delete => bob.request("DELETE", &mail),
            Self::ReadAll => {
                let path = "/api/v2/notifications/bulk/read";
                bob.request("PUT", path).json(&json!({ "all": true }))
            }
            Self::Mail => {
                let body = json!({ "recipient_id": bob.id, "subject": "meanwhile", "body": "x" });
                fixture.ada.request("POST", "/api/v2/messages").json(&body)
            }
        };
        let (status, answer) = attempt(request).await;
        // It may have been deleted before.
        assert!(
            (200..300).contains(&status) || status == 404,
            "{self:?}: {status} {answer}"
        );
    }
}

/// Lets the operation wait at each of its calls while each of those things happens.
async fn survives(operation: Operation) {
    let began = Instant::now();
    // At the rate limits, one process serializes the requests of one person.
    let is_met = |point: &Point| !point.is_of_a_job() && !point.call.contains("/RATE");
    let own: Vec<Point> = points(operation).await.into_iter().filter(is_met).collect();
    let mut told = 0;
    for (index, point) in own.iter().enumerate() {
        // Waiting before a call is the same as waiting after the previous one.
        for meanwhile in Meanwhile::ALL {
            let is_turn = everything() || point.writes_to_the_table() || index % 4 == meanwhile as usize;
            if !is_turn {
                continue;
            }
            let wait = if point.writes_to_the_table() {
                Fault::WaitsBefore
            } else {
                Fault::WaitsAfter
            };
            println!(
                "{:?} {operation:?} beside {meanwhile:?}: {wait:?} at {point}",
                began.elapsed()
            );
            let mut fixture = Fixture::new().await;
            fixture.faults.inject(point, wait);
            let other = async {
                fixture.faults.was_injected().await;
                meanwhile.happens(&fixture).await;
                fixture.faults.release();
            };
            let ((status, answer), ()) = tokio::join!(fixture.tries(operation), other);
            assert!(fixture.faults.clear(), "the point is never met");
            let is_gone = meanwhile == Meanwhile::Delete && status == 404;
            let is_overtaken = operation == Operation::FlagVersion && status == 412;
            assert!(
                (200..300).contains(&status) || is_gone || is_overtaken,
                "{status} {answer}"
            );
            fixture.settles(true).await;
            let (contents, _) = fixture.agrees(operation).await;
            let first = contents.mails.get(fixture.mails[0]["id"].as_str().unwrap());
            both_hold(operation, meanwhile, status, first);
            told += 1;
        }
    }
    println!("{operation:?}: {told} meetings in {:.1?}", began.elapsed());
}

/// Both changes of the first mail are there.
fn both_hold(operation: Operation, meanwhile: Meanwhile, status: u16, first: Option<&Value>) {
    let is_deleted = meanwhile == Meanwhile::Delete || operation == Operation::Delete;
    assert_eq!(first.is_none(), is_deleted, "{first:?}");
    let Some(first) = first else { return };
    if meanwhile == Meanwhile::Archive || operation == Operation::Bulk {
        assert_eq!(first["is_archived"], true, "{first}");
    }
    if matches!(operation, Operation::Flag | Operation::FlagVersion) {
        assert_eq!(first["is_starred"] == true, status == 200, "{first}");
    }
    if operation == Operation::Open {
        assert_eq!(first["is_read"], true, "{first}");
    }
}

#[tokio::test]
async fn an_opening_meets_another_device() {
    survives(Operation::Open).await;
}

#[tokio::test]
async fn a_flag_meets_another_device() {
    survives(Operation::Flag).await;
}

#[tokio::test]
async fn a_flag_of_a_version_meets_another_device() {
    survives(Operation::FlagVersion).await;
}

#[tokio::test]
async fn a_deletion_meets_another_device() {
    survives(Operation::Delete).await;
}

#[tokio::test]
async fn flags_of_many_mails_meet_another_device() {
    survives(Operation::Bulk).await;
}

#[tokio::test]
async fn the_opening_of_a_notification_meets_another_device() {
    survives(Operation::ReadNotification).await;
}

#[tokio::test]
async fn the_deletion_of_a_notification_meets_another_device() {
    survives(Operation::DeleteNotification).await;
}

#[tokio::test]
async fn marks_on_notifications_meet_another_device() {
    survives(Operation::ReadNotifications).await;
}

#[tokio::test]
async fn the_mark_on_all_notifications_meets_another_device() {
    survives(Operation::ReadAllNotifications).await;
}

#[tokio::test]
async fn a_mail_meets_what_its_recipient_does() {
    survives(Operation::Send).await;
}
