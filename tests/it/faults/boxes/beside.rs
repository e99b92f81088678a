//! Two devices at one box: while the attempt of one waits at some call, the other does something, or a mail comes, and
//! then the first goes on with what it saw before.

use std::time::Instant;

use harness::faults::{Misfortune, Point, everything};
use serde_json::{Value, json};

use super::{Deed, Stage, points};
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

    async fn happens(self, stage: &Stage) {
        let mail = format!("/api/v2/messages/{}", stage.mails[0]["id"].as_str().unwrap());
        let bob = &stage.bob;
        let request = match self {
            Self::Archive => bob.request("PUT", &mail).json(&json!({ "is_archived": true })),
            Self::Delete => bob.request("DELETE", &mail),
            Self::ReadAll => {
                let path = "/api/v2/notifications/bulk/read";
                bob.request("PUT", path).json(&json!({ "all": true }))
            }
            Self::Mail => {
                let body = json!({ "recipient_id": bob.id, "subject": "meanwhile", "body": "x" });
                stage.ada.request("POST", "/api/v2/messages").json(&body)
            }
        };
        let (status, answer) = attempt(request).await;
        // A deletion may have been there before.
        assert!(
            (200..300).contains(&status) || status == 404,
            "{self:?}: {status} {answer}"
        );
    }
}

/// Lets the deed wait at each of its calls while each of those things happens.
async fn survives(deed: Deed) {
    let began = Instant::now();
    // At the rate bucket one process lets the requests of one person wait for each other.
    let is_met = |point: &Point| !point.is_of_a_job() && !point.call.contains("/RATE");
    let own: Vec<Point> = points(deed).await.into_iter().filter(is_met).collect();
    let mut told = 0;
    for (index, point) in own.iter().enumerate() {
        // A pause before a call is one after the call before.
        for meanwhile in Meanwhile::ALL {
            let is_turn = everything() || point.writes_to_the_table() || index % 4 == meanwhile as usize;
            if !is_turn {
                continue;
            }
            let wait = if point.writes_to_the_table() {
                Misfortune::WaitsBefore
            } else {
                Misfortune::WaitsAfter
            };
            println!(
                "{:?} {deed:?} beside {meanwhile:?}: {wait:?} at {point}",
                began.elapsed()
            );
            let mut stage = Stage::set().await;
            stage.faults.strike(point, wait);
            let other = async {
                stage.faults.has_struck().await;
                meanwhile.happens(&stage).await;
                stage.faults.release();
            };
            let ((status, answer), ()) = tokio::join!(stage.tries(deed), other);
            assert!(stage.faults.calm(), "the point is never met");
            let is_gone = meanwhile == Meanwhile::Delete && status == 404;
            let is_overtaken = deed == Deed::FlagVersion && status == 412;
            assert!(
                (200..300).contains(&status) || is_gone || is_overtaken,
                "{status} {answer}"
            );
            stage.settles(true).await;
            let (contents, _) = stage.agrees(deed).await;
            let first = contents.mails.get(stage.mails[0]["id"].as_str().unwrap());
            both_hold(deed, meanwhile, status, first);
            told += 1;
        }
    }
    println!("{deed:?}: {told} meetings in {:.1?}", began.elapsed());
}

/// What either did to the first mail is there.
fn both_hold(deed: Deed, meanwhile: Meanwhile, status: u16, first: Option<&Value>) {
    let is_deleted = meanwhile == Meanwhile::Delete || deed == Deed::Delete;
    assert_eq!(first.is_none(), is_deleted, "{first:?}");
    let Some(first) = first else { return };
    if meanwhile == Meanwhile::Archive || deed == Deed::Bulk {
        assert_eq!(first["is_archived"], true, "{first}");
    }
    if matches!(deed, Deed::Flag | Deed::FlagVersion) {
        assert_eq!(first["is_starred"] == true, status == 200, "{first}");
    }
    if deed == Deed::Open {
        assert_eq!(first["is_read"], true, "{first}");
    }
}

#[tokio::test]
async fn an_opening_meets_another_device() {
    survives(Deed::Open).await;
}

#[tokio::test]
async fn a_flag_meets_another_device() {
    survives(Deed::Flag).await;
}

#[tokio::test]
async fn a_flag_of_a_version_meets_another_device() {
    survives(Deed::FlagVersion).await;
}

#[tokio::test]
async fn a_deletion_meets_another_device() {
    survives(Deed::Delete).await;
}

#[tokio::test]
async fn flags_of_many_mails_meet_another_device() {
    survives(Deed::Bulk).await;
}

#[tokio::test]
async fn the_opening_of_a_notification_meets_another_device() {
    survives(Deed::ReadNotification).await;
}

#[tokio::test]
async fn the_deletion_of_a_notification_meets_another_device() {
    survives(Deed::DeleteNotification).await;
}

#[tokio::test]
async fn marks_on_notifications_meet_another_device() {
    survives(Deed::ReadNotifications).await;
}

#[tokio::test]
async fn the_mark_on_all_notifications_meets_another_device() {
    survives(Deed::ReadAllNotifications).await;
}

#[tokio::test]
async fn a_mail_meets_what_its_recipient_does() {
    survives(Deed::Send).await;
}
