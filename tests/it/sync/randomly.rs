//! Random operations of three people, and random ways of catching up: nothing is lost, duplicated or reordered.

use std::time::Duration;

use harness::{Person, World};
use proptest::prelude::*;
use serde_json::Value;

use super::{Follower, delete};

/// An operation. People, conversations and messages are numbers, taken modulo the number of elements.
#[derive(Clone, Debug)]
enum Step {
    OpenDirect { who: usize, other: usize },
    OpenGroup { who: usize },
    Send { who: usize, conversation: usize },
    SendAtOnce { conversation: usize },
    Delete { message: usize },
    Read { who: usize, message: usize },
    Sync { who: usize, limit: usize },
    Pass { seconds: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0..3_usize, 1..3_usize).prop_map(|(who, other)| Step::OpenDirect { who, other }),
        1 => (0..3_usize).prop_map(|who| Step::OpenGroup { who }),
        8 => (0..3_usize, any::<usize>()).prop_map(|(who, conversation)| Step::Send { who, conversation }),
        2 => any::<usize>().prop_map(|conversation| Step::SendAtOnce { conversation }),
        3 => any::<usize>().prop_map(|message| Step::Delete { message }),
        5 => (0..3_usize, any::<usize>()).prop_map(|(who, message)| Step::Read { who, message }),
        8 => (0..3_usize, 1..5_usize).prop_map(|(who, limit)| Step::Sync { who, limit }),
        2 => (1..40_u64).prop_map(|seconds| Step::Pass { seconds }),
    ]
}

/// A conversation and its members.
struct Opened {
    id: String,
    members: Vec<usize>,
}

/// The state of the test.
#[derive(Default)]
struct Known {
    opened: Vec<Opened>,
    /// Each with its conversation and sender.
    messages: Vec<(usize, usize, Value)>,
}

impl Known {
    /// One of somebody's conversations.
    fn conversation(&self, who: usize, choice: usize) -> Option<usize> {
        let own: Vec<usize> = (0..self.opened.len())
            .filter(|at| self.opened[*at].members.contains(&who))
            .collect();
        (!own.is_empty()).then(|| own[choice % own.len()])
    }

    fn open(&mut self, id: String, members: Vec<usize>) {
        if !self.opened.iter().any(|conversation| conversation.id == id) {
            self.opened.push(Opened { id, members });
        }
    }

    async fn send(&mut self, people: &[Person; 3], who: usize, conversation: usize) {
        let message = people[who].says(&self.opened[conversation].id, "word").await;
        self.messages.push((conversation, who, message));
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
        Step::Send { who, conversation } => {
            if let Some(conversation) = known.conversation(who, conversation) {
                known.send(people, who, conversation).await;
            }
        }
        Step::SendAtOnce { conversation } => {
            if !known.opened.is_empty() {
                let at = conversation % known.opened.len();
                let conversation = &known.opened[at];
                let sends = conversation
                    .members
                    .iter()
                    .map(|who| people[*who].says(&conversation.id, "at once"));
                let sent = futures::future::join_all(sends).await;
                let senders = conversation.members.clone();
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
                let (conversation, sender, message) = &known.messages[message % known.messages.len()];
                delete(&people[*sender], &known.opened[*conversation].id, message).await;
            }
        }
        Step::Read { who, message } => {
            let seen: Vec<_> = known
                .messages
                .iter()
                .filter(|(conversation, ..)| known.opened[*conversation].members.contains(&who))
                .collect();
            if !seen.is_empty() {
                let (conversation, _, message) = seen[message % seen.len()];
                people[who].reads(&known.opened[*conversation].id, message).await;
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
                let own = known.opened.iter().filter(|conversation| conversation.members.contains(&who));
                follower.knows_everything(&own.map(|conversation| conversation.id.as_str()).collect::<Vec<_>>()).await;
                assert_eq!(follower.catch_up(100).await, Vec::<Value>::new());
            }
            world.settled().await;
        });
    }
}
