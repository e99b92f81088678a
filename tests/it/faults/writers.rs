//! Two writers, one of whom meets with misfortune: while Ada's attempt is dead or late, Bob's takes the place
//! that it had claimed, and her retry finishes before her first attempt goes on.

use std::time::Instant;

use harness::faults::{Misfortune, Point, everything};
use serde_json::Value;

use super::stage::{Deed, Place, Stage};

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

    /// What is tried while the `index`th call waits: everything at a write, one thing at a read.
    fn at(point: &Point, index: usize) -> &'static [Self] {
        if point.only_reads() && !everything() {
            &Self::ALL[index % 3..=index % 3]
        } else {
            &Self::ALL
        }
    }
}

/// The deaths that differ: nobody can tell one before a read from one after it.
fn deaths(point: &Point) -> &'static [Misfortune] {
    let both = &[Misfortune::DiesBefore, Misfortune::DiesAfter];
    if point.only_reads() { &both[..1] } else { both }
}

/// The pauses that differ: one before a read is one after the call before.
fn waits(point: &Point) -> &'static [Misfortune] {
    let both = &[Misfortune::WaitsAfter, Misfortune::WaitsBefore];
    if point.only_reads() { &both[..1] } else { both }
}

/// A story: what the two do, and where.
#[derive(Clone, Copy, Debug)]
struct Plot {
    place: Place,
    ada: Deed,
    bob: Deed,
}

impl Plot {
    /// Ada's calls while nobody else writes.
    async fn points(self) -> Vec<Point> {
        let stage = Stage::set(self.place).await;
        stage.faults.watch();
        stage.does(ADA, self.ada).await;
        let points = own(stage.faults.seen());
        stage.faults.settle(stage.world.services()).await;
        points
    }

    /// Ada's attempt dies, Bob writes, Ada tries again.
    async fn dies(self, point: &Point, misfortune: Misfortune) {
        println!("{self:?}: {misfortune:?} at {point}");
        let mut stage = Stage::set(self.place).await;
        stage.faults.strike(point, misfortune);
        stage.tries(ADA, self.ada).await;
        assert!(stage.faults.calm(), "the point is never met");
        let theirs = stage.does(BOB, self.bob).await.answer;
        let own = stage.does(ADA, self.ada).await.answer;
        self.comes_out_right(&mut stage, &[&own], &theirs).await;
    }

    /// Ada's attempt waits at a point while others write, and goes on late; whatever else befalls it then.
    /// The calls that she makes then come back.
    async fn waits(self, blows: &[(&Point, Misfortune)], meanwhile: Meanwhile) -> Vec<Point> {
        let names: Vec<String> = blows
            .iter()
            .map(|(point, misfortune)| format!("{misfortune:?} at {point}"))
            .collect();
        println!("{self:?}, {meanwhile:?}: {}", names.join(", then "));
        let mut stage = Stage::set(self.place).await;
        stage.faults.strike_each(blows);
        let meanwhile = async {
            stage.faults.has_struck().await;
            let mut retry = None;
            if meanwhile == Meanwhile::AdaThenBob {
                retry = Some(stage.does(ADA, self.ada).await.answer);
            }
            let theirs = stage.does(BOB, self.bob).await.answer;
            if meanwhile == Meanwhile::BobThenAda {
                retry = Some(stage.does(ADA, self.ada).await.answer);
            }
            let others = stage.faults.so_far().len();
            stage.faults.release();
            (retry, theirs, others)
        };
        let ((status, first), (retry, theirs, others)) = tokio::join!(stage.tries(ADA, self.ada), meanwhile);
        let points = own(stage.faults.seen().split_off(others));
        if blows.len() > 1 {
            // Whether the second point is met depends on the first.
            assert!(stage.faults.calm(), "a point is never met");
        }
        let last = stage.does(ADA, self.ada).await.answer;
        let mut answers = vec![&last];
        answers.extend(&retry);
        if status < 300 {
            answers.push(&first);
        }
        self.comes_out_right(&mut stage, &answers, &theirs).await;
        points
    }

    /// Each has written once, and every answer says the same.
    async fn comes_out_right(self, stage: &mut Stage, own: &[&Value], theirs: &Value) {
        stage.faults.calm();
        stage.faults.settle(stage.world.services()).await;
        let log = stage.agrees(stage.before.len() + 2).await;
        for (who, deed, answers) in [(ADA, self.ada, own), (BOB, self.bob, &[theirs])] {
            let told = log[stage.before.len()..].iter().filter(|event| match deed {
                Deed::Send | Deed::Pay => event["message"]["content"] == Stage::words(who),
                _ => event["message_id"] == stage.before[who]["id"],
            });
            let told: Vec<&Value> = told.collect();
            assert_eq!(told.len(), 1, "{deed:?} is there once: {log:#?}");
            if matches!(deed, Deed::Send | Deed::Pay) {
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

async fn survives(place: Place, ada: Deed, bob: Deed) {
    let began = Instant::now();
    let plot = Plot { place, ada, bob };
    let points = plot.points().await;
    let (mut told, mut raced) = (0, 0);
    for (index, point) in points.iter().enumerate() {
        for &misfortune in deaths(point) {
            plot.dies(point, misfortune).await;
            told += 1;
        }
        for &misfortune in waits(point) {
            for &meanwhile in Meanwhile::at(point, index) {
                let later = plot.waits(&[(point, misfortune)], meanwhile).await;
                told += 1;
                // Who loses a race calls more than one who is alone: what can befall them then?
                let lost = later.len() > points.len() - index - 1 && !point.only_reads();
                if misfortune != Misfortune::WaitsBefore || meanwhile != Meanwhile::Bob || !lost {
                    continue;
                }
                for later in &later {
                    let worth_trying = if later.only_reads() { 1 } else { 3 };
                    let misfortunes = [Misfortune::DiesBefore, Misfortune::DiesAfter, Misfortune::Fails];
                    for &next in &misfortunes[..worth_trying] {
                        plot.waits(&[(point, misfortune), (later, next)], meanwhile).await;
                        raced += 1;
                    }
                }
            }
        }
    }
    assert!(raced > 0, "no race was ever lost");
    println!(
        "{plot:?}: {} points, {told} misfortunes, {raced} more after a lost race, in {:.1?}",
        points.len(),
        began.elapsed()
    );
}

#[tokio::test]
async fn a_send_beside_a_send_survives_everything() {
    survives(Place::Group, Deed::Send, Deed::Send).await;
}

#[tokio::test]
async fn a_send_beside_a_send_in_a_direct_conversation_survives_everything() {
    survives(Place::Direct, Deed::Send, Deed::Send).await;
}

#[tokio::test]
async fn a_first_message_beside_a_first_message_survives_everything() {
    survives(Place::Empty, Deed::Send, Deed::Send).await;
}

#[tokio::test]
async fn a_paid_message_beside_a_paid_message_survives_everything() {
    survives(Place::Direct, Deed::Pay, Deed::Pay).await;
}

#[tokio::test]
async fn a_paid_message_beside_a_send_survives_everything() {
    survives(Place::Direct, Deed::Pay, Deed::Send).await;
}

#[tokio::test]
async fn a_send_beside_a_deletion_survives_everything() {
    survives(Place::Direct, Deed::Send, Deed::Delete).await;
}

#[tokio::test]
async fn a_deletion_beside_a_send_survives_everything() {
    survives(Place::Direct, Deed::Delete, Deed::Send).await;
}

#[tokio::test]
async fn a_deletion_beside_a_deletion_survives_everything() {
    survives(Place::Group, Deed::Delete, Deed::Delete).await;
}
