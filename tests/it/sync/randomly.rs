//! Whatever three people do, and however somebody catches up: nothing is lost, doubled or swapped.

use std::time::Duration;

use harness::{Person, World};
use proptest::prelude::*;
use serde_json::Value;

use super::{Follower, delete};

/// Something that somebody does. People, places and messages are numbers, taken modulo what there is.
#[derive(Clone, Debug)]
enum Step {
    OpenDirect { who: usize, other: usize },
    OpenGroup { who: usize },
    Send { who: usize, place: usize },
    SendAtOnce { place: usize },
    Delete { message: usize },
    Read { who: usize, message: usize },
    Sync { who: usize, limit: usize },
    Pass { seconds: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0..3_usize, 1..3_usize).prop_map(|(who, other)| Step::OpenDirect { who, other }),
        1 => (0..3_usize).prop_map(|who| Step::OpenGroup { who }),
        8 => (0..3_usize, any::<usize>()).prop_map(|(who, place)| Step::Send { who, place }),
        2 => any::<usize>().prop_map(|place| Step::SendAtOnce { place }),
        3 => any::<usize>().prop_map(|message| Step::Delete { message }),
        5 => (0..3_usize, any::<usize>()).prop_map(|(who, message)| Step::Read { who, message }),
        8 => (0..3_usize, 1..5_usize).prop_map(|(who, limit)| Step::Sync { who, limit }),
        2 => (1..40_u64).prop_map(|seconds| Step::Pass { seconds }),
    ]
}

/// A conversation and who is in it.
struct Place {
    id: String,
    members: Vec<usize>,
}

/// What the story knows.
#[derive(Default)]
struct Known {
    places: Vec<Place>,
    /// Each with its place and its sender.
    messages: Vec<(usize, usize, Value)>,
}

impl Known {
    /// One of somebody's places.
    fn place(&self, who: usize, choice: usize) -> Option<usize> {
        let own: Vec<usize> = (0..self.places.len())
            .filter(|at| self.places[*at].members.contains(&who))
            .collect();
        (!own.is_empty()).then(|| own[choice % own.len()])
    }

    fn open(&mut self, id: String, members: Vec<usize>) {
        if !self.places.iter().any(|place| place.id == id) {
            self.places.push(Place { id, members });
        }
    }

    async fn send(&mut self, people: &[Person; 3], who: usize, place: usize) {
        let message = people[who].says(&self.places[place].id, "word").await;
        self.messages.push((place, who, message));
    }
}

async fn take(
    world: &World,
    people: &[Person; 3],
    known: &mut Known,
    followers: &mut [Follower<'_>],
    step: Step,
) {
    match step {
        Step::OpenDirect { who, other } => {
            let other = (who + other) % 3;
            let id = people[who].open_direct(&people[other]).await;
            known.open(id, vec![who, other]);
        }
        Step::OpenGroup { who } => {
            let others = [&people[(who + 1) % 3], &people[(who + 2) % 3]];
            let id = people[who].open_group("all", &others).await;
            known.open(id, vec![0, 1, 2]);
        }
        Step::Send { who, place } => {
            if let Some(place) = known.place(who, place) {
                known.send(people, who, place).await;
            }
        }
        Step::SendAtOnce { place } => {
            if !known.places.is_empty() {
                let at = place % known.places.len();
                let place = &known.places[at];
                let sends = place
                    .members
                    .iter()
                    .map(|who| people[*who].says(&place.id, "at once"));
                let sent = futures::future::join_all(sends).await;
                let senders = place.members.clone();
                known.messages.extend(
                    senders
                        .into_iter()
                        .zip(sent)
                        .map(|(who, message)| (at, who, message)),
                );
            }
        }
        Step::Delete { message } => {
            if !known.messages.is_empty() {
                let (place, sender, message) = &known.messages[message % known.messages.len()];
                delete(&people[*sender], &known.places[*place].id, message).await;
            }
        }
        Step::Read { who, message } => {
            let seen: Vec<_> = known
                .messages
                .iter()
                .filter(|(place, ..)| known.places[*place].members.contains(&who))
                .collect();
            if !seen.is_empty() {
                let (place, _, message) = seen[message % seen.len()];
                people[who].reads(&known.places[*place].id, message).await;
            }
        }
        Step::Sync { who, limit } => {
            followers[who].page(limit).await;
        }
        Step::Pass { seconds } => world.advance(Duration::from_secs(seconds)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// S1-E09
    #[test]
    fn who_catches_up_now_and_then_is_told_each_log_once_and_in_order(steps in proptest::collection::vec(step(), 10..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let world = World::start().await;
            let people = world.people(["ada", "bob", "chen"]).await;
            let mut followers = Vec::new();
            for person in &people {
                followers.push(Follower::of(person).await);
            }
            let mut known = Known::default();
            for step in steps {
                take(&world, &people, &mut known, &mut followers, step).await;
            }
            for (who, follower) in followers.iter_mut().enumerate() {
                follower.catch_up(3).await;
                let own = known.places.iter().filter(|place| place.members.contains(&who));
                follower.knows_everything(&own.map(|place| place.id.as_str()).collect::<Vec<_>>()).await;
                assert_eq!(follower.catch_up(100).await, Vec::<Value>::new());
            }
            world.settled().await;
        });
    }
}
