//! Each call of each deed, and the misfortunes that can befall it: death before it and after it, and one thing more.
//! `TIDINGS_FAULTS=all cargo t faults` tries all that there are at each call.

use std::time::Instant;

use harness::faults::{Misfortune, Point};

use super::stage::{Deed, Place, Stage};

/// The calls of a deed and of all jobs that follow from it, while all goes well.
async fn points(place: Place, deed: Deed) -> Vec<Point> {
    let mut stage = Stage::set(place).await;
    stage.faults.watch();
    let acknowledged = stage.does(0, deed).await;
    stage.faults.settle(stage.world.services()).await;
    let points = stage.faults.seen();
    assert_eq!(acknowledged.attempts, 1);
    stage.comes_out_right(deed, &acknowledged).await;
    points
}

/// Does the deed once for each point and misfortune.
async fn survives(place: Place, deed: Deed) {
    let began = Instant::now();
    let points = points(place, deed).await;
    assert!(points.len() > 3, "the deed calls next to nothing: {points:?}");
    let (mut told, mut retried) = (0, 0);
    // Each deed and place begins with another misfortune, so that together they try many at the same call.
    let first = deed as usize + place as usize;
    for (index, point) in points.iter().enumerate() {
        for misfortune in Misfortune::at(point, first + index) {
            println!(
                "{:?} {deed:?} in {place:?}: {misfortune:?} at {point}",
                began.elapsed()
            );
            let mut stage = Stage::set(place).await;
            stage.faults.strike(point, misfortune);
            let acknowledged = stage.does(0, deed).await;
            stage.faults.settle(stage.world.services()).await;
            assert!(stage.faults.calm(), "the point is never met");
            if misfortune.tries_again() {
                assert!(
                    stage.faults.tally().most_attempts > 1,
                    "the SDK does not try again"
                );
            }
            stage.comes_out_right(deed, &acknowledged).await;
            told += 1;
            retried += usize::from(acknowledged.attempts > 1);
        }
    }
    println!(
        "{deed:?} in {place:?}: {} points, {told} misfortunes, {retried} of them seen by the client, in {:.1?}",
        points.len(),
        began.elapsed()
    );
}

/// Does the deed once for each call at which its only attempt dies: it took place, or it did not.
async fn is_whole_or_not_there(place: Place, deed: Deed) {
    for point in points(place, deed)
        .await
        .iter()
        .filter(|point| !point.is_of_a_job())
    {
        for misfortune in [Misfortune::DiesBefore, Misfortune::DiesAfter] {
            println!("{deed:?} in {place:?}, given up: {misfortune:?} at {point}");
            let stage = Stage::set(place).await;
            stage.faults.strike(point, misfortune);
            stage.tries(0, deed).await;
            stage.faults.settle(stage.world.services()).await;
            let log = stage.agrees_when_asked().await;
            let told = log.iter().any(|event| event["type"] == "message_deleted");
            let hidden = log.iter().any(|event| event["message"]["is_deleted"] == true);
            assert_eq!(told, hidden, "hidden, and nobody is told: {log:#?}");
        }
    }
}

#[tokio::test]
async fn a_send_that_is_given_up_is_whole_or_not_there() {
    is_whole_or_not_there(Place::Direct, Deed::Send).await;
}

#[tokio::test]
async fn a_paid_message_that_is_given_up_is_whole_or_not_there() {
    is_whole_or_not_there(Place::Direct, Deed::Pay).await;
}

/// Whoever dies in the middle of a deletion does not hide the message and tell nobody.
#[tokio::test]
async fn a_deletion_that_is_given_up_is_whole_or_not_there() {
    is_whole_or_not_there(Place::Direct, Deed::Delete).await;
}

/// Tells the same story for each deed and place.
macro_rules! stories {
    ($($name:ident: $deed:ident, $place:ident;)+) => {
        $(
            #[tokio::test]
            async fn $name() {
                survives(Place::$place, Deed::$deed).await;
            }
        )+
    };
}

stories! {
    a_send_to_a_group_survives_everything: Send, Group;
    a_send_to_a_direct_conversation_survives_everything: Send, Direct;
    a_first_message_survives_everything: Send, Empty;
    a_deletion_in_a_group_survives_everything: Delete, Group;
    a_deletion_in_a_direct_conversation_survives_everything: Delete, Direct;
    a_read_in_a_group_survives_everything: Read, Group;
    a_read_in_a_direct_conversation_survives_everything: Read, Direct;
    the_opening_of_a_direct_conversation_survives_everything: OpenDirect, Direct;
    the_opening_of_a_group_survives_everything: OpenGroup, Group;
    a_paid_message_survives_everything: Pay, Direct;
    a_paid_first_message_survives_everything: Pay, Empty;
    a_paid_message_to_somebody_new_survives_everything: PayNewcomer, Direct;
    a_receipt_of_delivery_survives_everything: MarkDelivered, Direct;
    a_receipt_of_reading_survives_everything: MarkRead, Direct;
    a_grant_survives_everything: Grant, Direct;
}
