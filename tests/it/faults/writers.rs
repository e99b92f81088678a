//! Two writers and a fault: while Ada's attempt is dead or late, Bob's takes the number that it had claimed, and her
//! retry finishes before her first attempt continues.

use std::time::Instant;

use harness::faults::{Fault, Point, everything};
use serde_json::Value;

use super::fixture::{ConversationKind, Fixture, Operation};

const ADA: usize = 0;
const BOB: usize = 1;

/// What happens while Ada's first attempt waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meanwhile {
    /// Bob writes.
    Bob,
    /// Bob writes, then Ada tries again.
    BobThenAda,
    /// Ada tries again, then Bob writes.
    AdaThenBob,
}

impl Meanwhile {
    const ALL: [Self; 3] = [Self::Bob, Self::BobThenAda, Self::AdaThenBob];

    /// What happens while the call with this index waits: everything at a write, one thing at a read.
    fn at(point: &Point, index: usize) -> &'static [Self] {
        if point.only_reads() && !everything() {
            &Self::ALL[index % 3..=index % 3]
        } else {
            &Self::ALL
        }
    }
}

/// The distinguishable deaths: dying before a read is the same as dying after it.
fn deaths(point: &Point) -> &'static [Fault] {
    let both = &[Fault::DiesBefore, Fault::DiesAfter];
    if point.only_reads() { &both[..1] } else { both }
}

/// The distinguishable pauses: waiting before a read is the same as waiting after the previous call.
fn waits(point: &Point) -> &'static [Fault] {
    let both = &[Fault::WaitsAfter, Fault::WaitsBefore];
    if point.only_reads() { &both[..1] } else { both }
}

/// What the two do, and in which conversation.
#[derive(Clone, Copy, Debug)]
struct Plot {
    kind: ConversationKind,
    ada: Operation,
    bob: Operation,
}

impl Plot {
    /// Ada's calls while nobody else writes.
    async fn points(self) -> Vec<Point> {
        let fixture = Fixture::new(self.kind).await;
        fixture.faults.watch();
        fixture.does(ADA, self.ada).await;
        let points = own(fixture.faults.seen());
        fixture.faults.settle(fixture.world.services()).await;
        points
    }

    /// Ada's attempt dies, Bob writes, Ada tries again.
    async fn dies(self, point: &Point, fault: Fault) {
        println!("{self:?}: {fault:?} at {point}");
        let mut fixture = Fixture::new(self.kind).await;
        fixture.faults.inject(point, fault);
        fixture.tries(ADA, self.ada).await;
        assert!(fixture.faults.clear(), "the point is never met");
        let theirs = fixture.does(BOB, self.bob).await.answer;
        let own = fixture.does(ADA, self.ada).await.answer;
        self.comes_out_right(&mut fixture, &[&own], &theirs).await;
    }

    /// Ada's attempt waits at a point while others write, and continues late, possibly with more faults. Returns the
    /// calls that she makes then.
    async fn waits(self, faults: &[(&Point, Fault)], meanwhile: Meanwhile) -> Vec<Point> {
        let names: Vec<String> = faults
            .iter()
            .map(|(point, fault)| format!("{fault:?} at {point}"))
            .collect();
        println!("{self:?}, {meanwhile:?}: {}", names.join(", then "));
        let mut fixture = Fixture::new(self.kind).await;
        fixture.faults.inject_each(faults);
        let meanwhile = async {
            fixture.faults.was_injected().await;
            let mut retry = None;
            if meanwhile == Meanwhile::AdaThenBob {
                retry = Some(fixture.does(ADA, self.ada).await.answer);
            }
            let theirs = fixture.does(BOB, self.bob).await.answer;
            if meanwhile == Meanwhile::BobThenAda {
                retry = Some(fixture.does(ADA, self.ada).await.answer);
            }
            let others = fixture.faults.so_far().len();
            fixture.faults.release();
            (retry, theirs, others)
        };
        let ((status, first), (retry, theirs, others)) =
            tokio::join!(fixture.tries(ADA, self.ada), meanwhile);
        let points = own(fixture.faults.seen().split_off(others));
        if faults.len() > 1 {
            // Whether the second point is reached depends on the first.
            assert!(fixture.faults.clear(), "a point is never met");
        }
        let last = fixture.does(ADA, self.ada).await.answer;
        let mut answers = vec![&last];
        answers.extend(&retry);
        if status < 300 {
            answers.push(&first);
        }
        self.comes_out_right(&mut fixture, &answers, &theirs).await;
        points
    }

    /// Each has written once, and all responses agree.
    async fn comes_out_right(self, fixture: &mut Fixture, own: &[&Value], theirs: &Value) {
        fixture.faults.clear();
        fixture.faults.settle(fixture.world.services()).await;
        let log = fixture.agrees(fixture.before.len() + 2).await;
        for (who, operation, answers) in [(ADA, self.ada, own), (BOB, self.bob, &[theirs])] {
            let told = log[fixture.before.len()..]
                .iter()
                .filter(|event| match operation {
                    Operation::Send | Operation::Pay => event["message"]["content"] == Fixture::words(who),
                    _ => event["message_id"] == fixture.before[who]["id"],
                });
            let told: Vec<&Value> = told.collect();
            assert_eq!(told.len(), 1, "{operation:?} is there once: {log:#?}");
            if matches!(operation, Operation::Send | Operation::Pay) {
                for answer in answers {
                    assert_eq!(answer["id"], told[0]["message"]["id"]);
                    assert_eq!(answer["seq"], told[0]["seq"]);
                }
            } else {
                assert_eq!(log[who]["message"]["content"], Value::Null);
            }
        }
    }
}

/// The calls that no job makes.
fn own(points: Vec<Point>) -> Vec<Point> {
    points.into_iter().filter(|point| !point.is_of_a_job()).collect()
}

async fn survives(kind: ConversationKind, ada: Operation, bob: Operation) {
    let began = Instant::now();
    let plot = Plot { kind, ada, bob };
    let points = plot.points().await;
    let (mut told, mut raced) = (0, 0);
    for (index, point) in points.iter().enumerate() {
        for &fault in deaths(point) {
            plot.dies(point, fault).await;
            told += 1;
        }
        for &fault in waits(point) {
            for &meanwhile in Meanwhile::at(point, index) {
                let later = plot.waits(&[(point, fault)], meanwhile).await;
                told += 1;
                // An attempt that loses a race makes more calls: faults at these too.
                let lost = later.len() > points.len() - index - 1 && !point.only_reads();
                if fault != Fault::WaitsBefore || meanwhile != Meanwhile::Bob || !lost {
                    continue;
                }
                for later in &later {
                    let worth_trying = if later.only_reads() { 1 } else { 3 };
                    let faults = [Fault::DiesBefore, Fault::DiesAfter, Fault::Fails];
                    for &next in &faults[..worth_trying] {
                        plot.waits(&[(point, fault), (later, next)], meanwhile).await;
                        raced += 1;
                    }
                }
            }
        }
    }
    assert!(raced > 0, "no race was ever lost");
    println!(
        "{plot:?}: {} points, {told} faults, {raced} more after a lost race, in {:.1?}",
        points.len(),
        began.elapsed()
    );
}

#[tokio::test]
async fn a_send_beside_a_send_survives_everything() {
    survives(ConversationKind::Group, Operation::Send, Operation::Send).await;
}

#[tokio::test]
async fn a_send_beside_a_send_in_a_direct_conversation_survives_everything() {
    survives(ConversationKind::Direct, Operation::Send, Operation::Send).await;
}

#[tokio::test]
async fn a_first_message_beside_a_first_message_survives_everything() {
    survives(ConversationKind::Empty, Operation::Send, Operation::Send).await;
}

#[tokio::test]
async fn a_paid_message_beside_a_paid_message_survives_everything() {
    survives(ConversationKind::Direct, Operation::Pay, Operation::Pay).await;
}

#[tokio::test]
async fn a_paid_message_beside_a_send_survives_everything() {
    survives(ConversationKind::Direct, Operation::Pay, Operation::Send).await;
}

#[tokio::test]
async fn a_send_beside_a_deletion_survives_everything() {
    survives(ConversationKind::Direct, Operation::Send, Operation::Delete).await;
}

#[tokio::test]
async fn a_deletion_beside_a_send_survives_everything() {
    survives(ConversationKind::Direct, Operation::Delete, Operation::Send).await;
}

#[tokio::test]
async fn a_deletion_beside_a_deletion_survives_everything() {
    survives(ConversationKind::Group, Operation::Delete, Operation::Delete).await;
}
