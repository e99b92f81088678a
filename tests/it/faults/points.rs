//! Faults at each call of each operation: death before and after it, and one other fault. `TIDINGS_FAULTS=all cargo t
//! faults` injects all of them at each call.

use std::time::Instant;

use harness::faults::{Fault, Point};

use super::fixture::{ConversationKind, Fixture, Operation};

/// The calls of an operation and of all its jobs, without faults.
async fn points(kind: ConversationKind, operation: Operation) -> Vec<Point> {
    let mut fixture = Fixture::new(kind).await;
    fixture.faults.watch();
    let acknowledged = fixture.does(0, operation).await;
    fixture.faults.settle(fixture.world.services()).await;
    let points = fixture.faults.seen();
    assert_eq!(acknowledged.attempts, 1);
    fixture.comes_out_right(operation, &acknowledged).await;
    points
}

/// Performs the operation once for each point and fault.
async fn survives(kind: ConversationKind, operation: Operation) {
    let began = Instant::now();
    let points = points(kind, operation).await;
    assert!(
        points.len() > 3,
        "the operation calls next to nothing: {points:?}"
    );
    let (mut told, mut retried) = (0, 0);
    // Each operation and kind begins with another fault, so that together they inject many at the same call.
    let first = operation as usize + kind as usize;
    for (index, point) in points.iter().enumerate() {
        for fault in Fault::at(point, first + index) {
            println!(
                "{:?} {operation:?} in {kind:?}: {fault:?} at {point}",
                began.elapsed()
            );
            let mut fixture = Fixture::new(kind).await;
            fixture.faults.inject(point, fault);
            let acknowledged = fixture.does(0, operation).await;
            fixture.faults.settle(fixture.world.services()).await;
            assert!(fixture.faults.clear(), "the point is never met");
            if fault.tries_again() {
                assert!(
                    fixture.faults.tally().most_attempts > 1,
                    "the SDK does not try again"
                );
            }
            fixture.comes_out_right(operation, &acknowledged).await;
            told += 1;
            retried += usize::from(acknowledged.attempts > 1);
        }
    }
    println!(
        "{operation:?} in {kind:?}: {} points, {told} faults, {retried} of them seen by the client, in {:.1?}",
        points.len(),
        began.elapsed()
    );
}

/// Performs the operation once for each call, with a single attempt that dies there: it took effect or not.
async fn is_whole_or_not_there(kind: ConversationKind, operation: Operation) {
    for point in points(kind, operation)
        .await
        .iter()
        .filter(|point| !point.is_of_a_job())
    {
        for fault in [Fault::DiesBefore, Fault::DiesAfter] {
            println!("{operation:?} in {kind:?}, given up: {fault:?} at {point}");
            let fixture = Fixture::new(kind).await;
            fixture.faults.inject(point, fault);
            fixture.tries(0, operation).await;
            fixture.faults.settle(fixture.world.services()).await;
            let log = fixture.agrees_when_asked().await;
            let told = log.iter().any(|event| event["type"] == "message_deleted");
            let hidden = log.iter().any(|event| event["message"]["is_deleted"] == true);
            assert_eq!(told, hidden, "hidden, and nobody is told: {log:#?}");
        }
    }
}

#[tokio::test]
async fn an_abandoned_send_takes_effect_completely_or_not_at_all() {
    is_whole_or_not_there(ConversationKind::Direct, Operation::Send).await;
}

#[tokio::test]
async fn an_abandoned_paid_message_takes_effect_completely_or_not_at_all() {
    is_whole_or_not_there(ConversationKind::Direct, Operation::Pay).await;
}

/// A deletion whose function dies halfway neither hides the message without a deletion entry nor the reverse.
#[tokio::test]
async fn an_abandoned_deletion_takes_effect_completely_or_not_at_all() {
    is_whole_or_not_there(ConversationKind::Direct, Operation::Delete).await;
}

/// Declares a test for each operation and kind of conversation.
macro_rules! stories {
    ($($name:ident: $operation:ident, $kind:ident;)+) => {
        $(
            #[tokio::test]
            async fn $name() {
                survives(ConversationKind::$kind, Operation::$operation).await;
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
