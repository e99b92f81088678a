//! What is looked at when the town rests.

use std::rc::Rc;

use futures::future::join_all;
use harness::faults::Dice;
use serde_json::{Value, json};
use uuid::Uuid;

use super::actions::{DEVICES, events, put_back, with_conversation};
use super::model::{Known, learn};
use super::{Client, Scene};

/// Everything that must be true once all jobs are done.
pub(super) async fn verify(scene: &Rc<Scene>, dice: &mut Dice) {
    let ids: Vec<String> = scene.town.borrow().conversations.keys().cloned().collect();
    for id in &ids {
        verify_conversation(scene, id).await;
    }
    let people = scene.town.borrow().people.len();
    join_all((0..people).map(async |who| verify_person(scene, &mut dice.clone(), who).await)).await;
    for conversation in scene.town.borrow_mut().conversations.values_mut() {
        conversation.rested = conversation.log.len();
    }
}

/// The entries of somebody's logs: all, or those since the last rest.
fn entries(scene: &Scene, user: Uuid, since_rest: bool) -> Known {
    let town = scene.town.borrow();
    let of_one = |id: String| {
        let conversation = &town.conversations[&id];
        let first = if since_rest { conversation.rested } else { 0 };
        let seqs = (first + 1..=conversation.log.len()).map(|seq| u64::try_from(seq).unwrap());
        (id, seqs.collect())
    };
    town.of(user).into_iter().map(of_one).collect()
}

async fn verify_conversation(scene: &Rc<Scene>, id: &str) {
    let (members, told) = {
        let town = scene.town.borrow();
        let conversation = &town.conversations[id];
        (conversation.members.clone(), conversation.log.len())
    };
    let mut first: Option<Vec<Value>> = None;
    for member in &members {
        let client = client_of(scene, *member);
        let mut more: Vec<Value> = Vec::new();
        let cursors = loop {
            let query = format!("after_seq={}&limit=100", told + more.len());
            let parameters = [("conversation_id", id)];
            let (status, page) = client
                .asks(&scene.desk, "ListConversationEvents", &parameters, &query, None)
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
            with_conversation(scene, id, |found| found.judges(id, &more));
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
        let reading = with_conversation(scene, id, |found| {
            found.reads.get(member).cloned().unwrap_or_default()
        });
        assert!(
            (reading.at_least..=reading.at_most).contains(&stands),
            "{stands} is not in {reading:?}"
        );
        let (_, seen) = client
            .asks(
                &scene.desk,
                "GetConversation",
                &[("conversation_id", id)],
                "",
                None,
            )
            .await;
        let unread = with_conversation(scene, id, |found| found.unread(*member, stands));
        assert_eq!(seen["unread_count"], unread, "what is unread has drifted: {seen}");
    }
}

/// What an entry says to everybody alike.
fn essence(entry: &Value) -> (Value, Value, Value) {
    let message = &entry["message"];
    (
        entry["seq"].clone(),
        entry["message_id"].clone(),
        json!([message["id"], message["content"]]),
    )
}

fn client_of(scene: &Scene, user: Uuid) -> Client {
    let town = scene.town.borrow();
    let found = town.people.iter().find(|one| one.client.user == user);
    found.expect("a member is a person").client.clone()
}

async fn verify_person(scene: &Rc<Scene>, dice: &mut Dice, who: usize) {
    let client = scene.town.borrow().people[who].client.clone();
    let (expected, new) = (
        entries(scene, client.user, false),
        entries(scene, client.user, true),
    );
    for index in 0..DEVICES {
        let mut device = scene.town.borrow().people[who].devices[index].clone();
        if let Some((token, mut known)) = device.old.take() {
            catch_up(scene, &client, token, &mut known).await;
            assert_covers(&known, &expected, "an old token and what was known with it");
        }
        let mut live = Known::new();
        if let Some(connection) = device.connection.clone() {
            learn(&mut live, &scene.switchboard.take(&connection));
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
                        .signals(&scene.desk, "Resume", frame, &connection, Some(body))
                        .await
                );
                let frames = scene.switchboard.take(&connection);
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
            device.token = catch_up(scene, &client, device.token.clone(), &mut device.known).await;
        }
        assert_covers(&device.known, &expected, "what a device was told");
        put_back(scene, who, index, device);
    }
    // A token may be kept for long.
    if dice.happens(3000) {
        let mut town = scene.town.borrow_mut();
        let device = &mut town.people[who].devices[0];
        device.old = Some((device.token.clone(), device.known.clone()));
    }
}

/// Syncs to the end; the token there.
async fn catch_up(scene: &Rc<Scene>, client: &Client, mut token: String, known: &mut Known) -> String {
    loop {
        let answer = events(scene, client, &format!("after={token}&limit=100")).await;
        assert_eq!(answer["recovered"], true);
        learn(known, answer["events"].as_array().unwrap());
        answer["next"].as_str().unwrap().clone_into(&mut token);
        if answer["has_more"] == false {
            return token;
        }
    }
}

/// Everything there is was told, and nothing else.
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
