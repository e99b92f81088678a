//! What is checked when the system has settled after an epoch.

use std::rc::Rc;

use futures::future::join_all;
use harness::faults::Dice;
use serde_json::{Value, json};
use uuid::Uuid;

use super::actions::{DEVICES, events, put_back, with_conversation};
use super::model::{Conversation, Known, learn};
use super::{Client, Simulation};

/// Checks everything that must hold once all jobs are done.
pub(super) async fn verify(simulation: &Rc<Simulation>, dice: &mut Dice) {
    let ids: Vec<String> = simulation.model.borrow().conversations.keys().cloned().collect();
    for id in &ids {
        verify_conversation(simulation, id).await;
    }
    let people = simulation.model.borrow().people.len();
    join_all((0..people).map(async |who| verify_person(simulation, &mut dice.clone(), who).await)).await;
    for conversation in simulation.model.borrow_mut().conversations.values_mut() {
        conversation.rested = conversation.log.len();
    }
}

/// The log entries of a person.
fn entries(simulation: &Simulation, user: Uuid) -> Known {
    entries_where(simulation, user, |_, _| true)
}

/// The entries since the last check whose requests were acknowledged. If a client gives up before it is answered, its
/// message may be stored without a queued delivery: others learn of it by the gap in the numbers, by `resume` or by
/// a sync.
fn acknowledged_since_rest(simulation: &Simulation, user: Uuid) -> Known {
    entries_where(simulation, user, |conversation, index| {
        index >= conversation.rested && conversation.is_acknowledged(&conversation.log[index])
    })
}

fn entries_where(
    simulation: &Simulation,
    user: Uuid,
    wanted: impl Fn(&Conversation, usize) -> bool,
) -> Known {
    let model = simulation.model.borrow();
    let of_one = |id: String| {
        let conversation = &model.conversations[&id];
        let found = (0..conversation.log.len()).filter(|index| wanted(conversation, *index));
        let seqs = found.map(|index| u64::try_from(index + 1).unwrap()).collect();
        (id, seqs)
    };
    model.of(user).into_iter().map(of_one).collect()
}

async fn verify_conversation(simulation: &Rc<Simulation>, id: &str) {
    let (members, told) = {
        let model = simulation.model.borrow();
        let conversation = &model.conversations[id];
        (conversation.members.clone(), conversation.log.len())
    };
    let mut first: Option<Vec<Value>> = None;
    for member in &members {
        let client = client_of(simulation, *member);
        let mut more: Vec<Value> = Vec::new();
        let cursors = loop {
            let query = format!("after_seq={}&limit=100", told + more.len());
            let parameters = [("conversation_id", id)];
            let (status, page) = client
                .asks(
                    &simulation.desk,
                    "ListConversationEvents",
                    &parameters,
                    &query,
                    None,
                )
                .await;
            assert_eq!(status, 200, "{page}");
            more.extend(page["events"].as_array().unwrap().iter().cloned());
            if page["has_more"] == false {
                break page["cursors"].clone();
            }
        };
        for entry in &more {
            assert_eq!(entry["conversation_id"], id);
        }
        if let Some(first) = &first {
            assert!(
                first.iter().map(essence).eq(more.iter().map(essence)),
                "one log for all"
            );
        } else {
            with_conversation(simulation, id, |found| found.judges(id, &more));
            first = Some(more);
        }
        let own = cursors
            .as_array()
            .unwrap()
            .iter()
            .find(|cursor| cursor["user_id"] == member.to_string());
        let stands = own
            .and_then(|cursor| cursor["last_read_seq"].as_u64())
            .unwrap_or(0);
        let reading = with_conversation(simulation, id, |found| {
            found.reads.get(member).cloned().unwrap_or_default()
        });
        assert!(
            (reading.at_least..=reading.at_most).contains(&stands),
            "{stands} is not in {reading:?}"
        );
        let (_, seen) = client
            .asks(
                &simulation.desk,
                "GetConversation",
                &[("conversation_id", id)],
                "",
                None,
            )
            .await;
        let unread = with_conversation(simulation, id, |found| found.unread(*member, stands));
        assert_eq!(seen["unread_count"], unread, "what is unread has drifted: {seen}");
    }
}

/// The part of an entry that is the same for everybody.
fn essence(entry: &Value) -> (Value, Value, Value) {
    let message = &entry["message"];
    (
        entry["seq"].clone(),
        entry["message_id"].clone(),
        json!([message["id"], message["content"]]),
    )
}

fn client_of(simulation: &Simulation, user: Uuid) -> Client {
    let model = simulation.model.borrow();
    let found = model.people.iter().find(|one| one.client.user == user);
    found.expect("a member is a person").client.clone()
}

async fn verify_person(simulation: &Rc<Simulation>, dice: &mut Dice, who: usize) {
    let client = simulation.model.borrow().people[who].client.clone();
    let (expected, new) = (
        entries(simulation, client.user),
        acknowledged_since_rest(simulation, client.user),
    );
    for index in 0..DEVICES {
        let mut device = simulation.model.borrow().people[who].devices[index].clone();
        if let Some((token, mut known)) = device.old.take() {
            catch_up(simulation, &client, token, &mut known).await;
            assert_covers(&known, &expected, "an old token and what was known with it");
        }
        let mut live = Known::new();
        if let Some(connection) = device.connection.clone() {
            learn(&mut live, &simulation.connections.take(&connection));
            for (conversation, entries) in &live {
                device
                    .known
                    .entry(conversation.clone())
                    .or_default()
                    .extend(entries);
            }
            if device.listens_throughout {
                assert_covers(&live, &new, "a device that listened throughout");
            }
            loop {
                let body = json!({ "type": "resume", "after": device.token });
                let frame = ("resume", "MESSAGE");
                assert!(
                    client
                        .signals(&simulation.desk, "Resume", frame, &connection, Some(body))
                        .await
                );
                let frames = simulation.connections.take(&connection);
                learn(&mut device.known, &frames);
                let resumed = frames.last().expect("a resume is answered");
                assert_eq!(resumed["type"], "resumed", "{resumed}");
                assert_eq!(resumed["recovered"], true);
                resumed["next"].as_str().unwrap().clone_into(&mut device.token);
                if resumed["has_more"] == false {
                    break;
                }
            }
        } else {
            device.token = catch_up(simulation, &client, device.token.clone(), &mut device.known).await;
        }
        assert_covers(&device.known, &expected, "what a device was told");
        put_back(simulation, who, index, device);
    }
    // A token may be kept for long.
    if dice.happens(3000) {
        let mut model = simulation.model.borrow_mut();
        let device = &mut model.people[who].devices[0];
        device.old = Some((device.token.clone(), device.known.clone()));
    }
}

/// Syncs until there is no more; returns the last token.
async fn catch_up(
    simulation: &Rc<Simulation>,
    client: &Client,
    mut token: String,
    known: &mut Known,
) -> String {
    loop {
        let answer = events(simulation, client, &format!("after={token}&limit=100")).await;
        assert_eq!(answer["recovered"], true);
        learn(known, answer["events"].as_array().unwrap());
        answer["next"].as_str().unwrap().clone_into(&mut token);
        if answer["has_more"] == false {
            return token;
        }
    }
}

/// Checks that everything expected was received.
fn assert_covers(known: &Known, expected: &Known, what: &str) {
    for (conversation, entries) in expected {
        let told = known.get(conversation);
        let missing: Vec<u64> = entries
            .iter()
            .copied()
            .filter(|seq| told.is_none_or(|told| !told.contains(seq)))
            .collect();
        assert!(missing.is_empty(), "{what} misses {missing:?} of {conversation}");
    }
}
