//! The operations that people perform.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use harness::faults::{Dice, OPERATION};
use serde_json::{Value, json};
use uuid::Uuid;

use super::model::{Conversation, Device, Reading, Sending, SimulatedUser, learn};
use super::{CONVERSATIONS, Client, Simulation};

/// How many times a client tries before it gives up.
const PATIENCE: usize = 12;
/// How long API Gateway waits for `$connect`.
/// Source: AWS, *Amazon API Gateway quotas*, integration timeout of WebSocket APIs.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(29);
/// How many devices a person has.
pub(super) const DEVICES: usize = 2;

/// A new model, with people who have each made one request.
pub(super) async fn found_model(simulation: &Rc<Simulation>, dice: &mut Dice, people: usize) {
    simulation.model.borrow_mut().clear();
    for number in 0..people {
        let user = Uuid::from_u64_pair(dice.number(), dice.number());
        let user = uuid::Builder::from_random_bytes(*user.as_bytes()).into_uuid();
        let client = Client::new(&simulation.desk, user, &format!("person{number}"));
        let (status, _) = client.asks(&simulation.desk, "GetMe", &[], "", None).await;
        assert_eq!(status, 200);
        let sync = events(simulation, &client, "").await;
        let device = Device {
            token: sync["next"].as_str().unwrap().to_owned(),
            ..Device::default()
        };
        let devices = vec![device; DEVICES];
        simulation
            .model
            .borrow_mut()
            .people
            .push(SimulatedUser { client, devices });
    }
}

/// A device that is connected now listens for the whole epoch, unless something intervenes.
pub(super) fn begin(simulation: &Rc<Simulation>) {
    for person in &mut simulation.model.borrow_mut().people {
        for device in &mut person.devices {
            device.listens_throughout = device.connection.is_some();
        }
    }
}

pub(super) async fn events(simulation: &Rc<Simulation>, client: &Client, query: &str) -> Value {
    let (status, answer) = client
        .asks(&simulation.desk, "SyncEvents", &[], query, None)
        .await;
    assert_eq!(status, 200, "{answer}");
    answer
}

/// Performs a number of operations one after the other; returns the number.
pub(super) async fn acts(simulation: Rc<Simulation>, dice: Dice, count: usize) -> usize {
    for number in 0..count {
        let mut own = dice.part(u64::try_from(number).unwrap());
        let fate = RefCell::new(own.part(1));
        OPERATION.scope(fate, act(&simulation, &mut own)).await;
    }
    count
}

async fn act(simulation: &Rc<Simulation>, dice: &mut Dice) {
    let who = dice.below(simulation.model.borrow().people.len());
    let client = simulation.model.borrow().people[who].client.clone();
    let conversations = simulation.model.borrow().of(client.user);
    let name = match dice.below(100) {
        _ if conversations.is_empty() => "openings",
        0..46 => "sends",
        46..54 => "deletions",
        54..66 => "reads",
        66..80 => "syncs",
        80..85 => "typings",
        85..94 => "connections",
        94..97 => "lists",
        _ => "openings",
    };
    *simulation.model.borrow_mut().tally.done.entry(name).or_default() += 1;
    match name {
        "openings" => open(simulation, dice, &client).await,
        "syncs" => sync(simulation, dice, who).await,
        "connections" => connect(simulation, dice, who).await,
        "lists" => {
            client
                .asks(&simulation.desk, "ListConversations", &[], "page_size=100", None)
                .await;
        }
        _ => {
            let conversation = dice.one_of(&conversations).clone();
            match name {
                "sends" => send(simulation, dice, &client, &conversation).await,
                "deletions" => delete(simulation, dice, &client, &conversation).await,
                "reads" => read(simulation, dice, &client, &conversation).await,
                _ => typing(simulation, dice, who, &conversation).await,
            }
        }
    }
}

/// Retries a request until it is acknowledged; none if the client gives up first.
async fn insists(
    simulation: &Rc<Simulation>,
    dice: &mut Dice,
    client: &Client,
    function: &str,
    parameters: &[(&str, &str)],
    body: Option<Value>,
) -> Option<Value> {
    let patience = if dice.happens(500) { 1 } else { PATIENCE };
    for _ in 0..patience {
        let (status, answer) = client
            .asks(&simulation.desk, function, parameters, "", body.clone())
            .await;
        match status {
            200..=299 => return Some(answer),
            500 | 503 => simulation.model.borrow_mut().tally.refused += 1,
            _ => panic!("{function} is answered {status}: {answer}"),
        }
    }
    simulation.model.borrow_mut().tally.abandoned += 1;
    None
}

pub(super) fn with_conversation<T>(
    simulation: &Simulation,
    id: &str,
    change: impl FnOnce(&mut Conversation) -> T,
) -> T {
    change(
        simulation
            .model
            .borrow_mut()
            .conversations
            .get_mut(id)
            .expect("it was opened"),
    )
}

/// Whom somebody may open a conversation with, and whether a group may be opened. With enough conversations in the
/// model, only existing direct ones are opened again.
fn open_to(simulation: &Simulation, user: Uuid) -> (Vec<Uuid>, bool) {
    let model = simulation.model.borrow();
    let may_grow = model.conversations.len() < CONVERSATIONS;
    let everybody = model.people.iter().map(|one| one.client.user);
    let others = everybody.filter(|other| {
        let mut pair = [user, *other];
        pair.sort();
        *other != user && (may_grow || model.pairs.contains_key(&pair))
    });
    (others.collect(), may_grow)
}

async fn open(simulation: &Rc<Simulation>, dice: &mut Dice, client: &Client) {
    let (others, may_grow) = open_to(simulation, client.user);
    if others.is_empty() {
        return;
    }
    if !may_grow || dice.happens(7000) {
        let other = *dice.one_of(&others);
        let parameters = [("other_user_id", &*other.to_string())];
        let answer = insists(
            simulation,
            dice,
            client,
            "OpenDirectConversation",
            &parameters,
            None,
        )
        .await;
        let Some(answer) = answer else { return };
        let id = answer["id"].as_str().unwrap().to_owned();
        let mut pair = [client.user, other];
        pair.sort();
        let mut model = simulation.model.borrow_mut();
        let known = model.pairs.entry(pair).or_insert_with(|| id.clone());
        assert_eq!(*known, id, "one conversation per pair");
        model.conversations.entry(id).or_default().members = pair.to_vec();
    } else {
        let mut members: BTreeSet<Uuid> = (0..=dice.below(8)).map(|_| *dice.one_of(&others)).collect();
        let body = json!({ "name": "group", "member_ids": members });
        let answer = insists(simulation, dice, client, "CreateConversation", &[], Some(body)).await;
        let Some(answer) = answer else { return };
        members.insert(client.user);
        let conversation = Conversation {
            members: members.into_iter().collect(),
            ..Conversation::default()
        };
        let id = answer["id"].as_str().unwrap().to_owned();
        let before = simulation
            .model
            .borrow_mut()
            .conversations
            .insert(id, conversation);
        assert!(before.is_none(), "a new group is new");
    }
}

async fn send(simulation: &Rc<Simulation>, dice: &mut Dice, client: &Client, conversation: &str) {
    let content = simulation.model.borrow_mut().content();
    let sending = Sending {
        sender: client.user,
        acknowledged: None,
    };
    with_conversation(simulation, conversation, |found| {
        found.sends.insert(content.clone(), sending)
    });
    // Sometimes a client repeats a request although it got a response.
    for _ in 0..if dice.happens(1000) { 2 } else { 1 } {
        let parameters = [("conversation_id", conversation)];
        let body = json!({ "content": content, "client_message_id": content });
        let Some(answer) = insists(simulation, dice, client, "SendMessage", &parameters, Some(body)).await
        else {
            return;
        };
        let told = (
            answer["id"].as_str().unwrap().to_owned(),
            answer["seq"].as_u64().unwrap(),
        );
        with_conversation(simulation, conversation, |found| {
            let sending = found.sends.get_mut(&content).unwrap();
            let before = sending.acknowledged.replace(told.clone());
            assert!(
                before.is_none_or(|before| before == told),
                "every answer says the same"
            );
        });
    }
}

/// A random acknowledged message: its id and number.
fn some_message(
    simulation: &Simulation,
    dice: &mut Dice,
    conversation: &str,
    sender: Option<Uuid>,
) -> Option<(String, u64)> {
    with_conversation(simulation, conversation, |found| {
        let sent: Vec<&(String, u64)> = found
            .sends
            .values()
            .filter(|sending| sender.is_none_or(|sender| sending.sender == sender))
            .filter_map(|sending| sending.acknowledged.as_ref())
            .collect();
        (!sent.is_empty()).then(|| (*dice.one_of(&sent)).clone())
    })
}

async fn delete(simulation: &Rc<Simulation>, dice: &mut Dice, client: &Client, conversation: &str) {
    let Some((message, _)) = some_message(simulation, dice, conversation, Some(client.user)) else {
        return;
    };
    with_conversation(simulation, conversation, |found| {
        found.deletions.entry(message.clone()).or_insert(false);
    });
    let parameters = [("conversation_id", conversation), ("message_id", &*message)];
    if insists(simulation, dice, client, "DeleteMessage", &parameters, None)
        .await
        .is_some()
    {
        with_conversation(simulation, conversation, |found| {
            found.deletions.insert(message, true)
        });
    }
}

async fn read(simulation: &Rc<Simulation>, dice: &mut Dice, client: &Client, conversation: &str) {
    let Some((message, seq)) = some_message(simulation, dice, conversation, None) else {
        return;
    };
    let reading = |change: &dyn Fn(&mut Reading)| {
        with_conversation(simulation, conversation, |found| {
            change(found.reads.entry(client.user).or_default());
        });
    };
    reading(&|reading| reading.at_most = reading.at_most.max(seq));
    let parameters = [("conversation_id", conversation)];
    let body = json!({ "message_id": message });
    let answer = insists(
        simulation,
        dice,
        client,
        "MarkConversationRead",
        &parameters,
        Some(body),
    )
    .await;
    if let Some(answer) = answer {
        assert!(answer["last_read_seq"].as_u64() >= Some(seq), "{answer}");
        reading(&|reading| reading.at_least = reading.at_least.max(seq));
    }
}

async fn typing(simulation: &Rc<Simulation>, dice: &mut Dice, who: usize, conversation: &str) {
    let (client, connection) = {
        let model = simulation.model.borrow();
        let one = &model.people[who];
        (
            one.client.clone(),
            one.devices.iter().find_map(|device| device.connection.clone()),
        )
    };
    let Some(connection) = connection else { return };
    let body = json!({ "type": "typing", "conversation_id": conversation, "is_typing": dice.happens(5000) });
    client
        .signals(
            &simulation.desk,
            "ShowTyping",
            ("typing", "MESSAGE"),
            &connection,
            Some(body),
        )
        .await;
}

/// Takes a device that is not in use, for the duration of an operation.
fn pick(simulation: &Simulation, dice: &mut Dice, who: usize) -> Option<(usize, Device)> {
    let mut model = simulation.model.borrow_mut();
    let index = dice.below(DEVICES);
    let device = &mut model.people[who].devices[index];
    if device.busy {
        return None;
    }
    device.busy = true;
    Some((index, device.clone()))
}

pub(super) fn put_back(simulation: &Simulation, who: usize, index: usize, device: Device) {
    simulation.model.borrow_mut().people[who].devices[index] = Device {
        busy: false,
        ..device
    };
}

async fn sync(simulation: &Rc<Simulation>, dice: &mut Dice, who: usize) {
    let Some((index, mut device)) = pick(simulation, dice, who) else {
        return;
    };
    let client = simulation.model.borrow().people[who].client.clone();
    if dice.happens(1000) {
        device.old = Some((device.token.clone(), device.known.clone()));
    }
    let limit = 1 + dice.below(40);
    let query = format!("after={}&limit={limit}", device.token);
    let (status, answer) = client
        .asks(&simulation.desk, "SyncEvents", &[], &query, None)
        .await;
    if status == 200 {
        tell(&mut device, &answer);
    } else {
        assert!(
            matches!(status, 500 | 503),
            "a sync is answered {status}: {answer}"
        );
        simulation.model.borrow_mut().tally.refused += 1;
    }
    put_back(simulation, who, index, device);
}

/// Syncs a device.
fn tell(device: &mut Device, answer: &Value) {
    assert_eq!(answer["recovered"], true);
    learn(&mut device.known, answer["events"].as_array().unwrap());
    answer["next"].as_str().unwrap().clone_into(&mut device.token);
}

/// Connects a device, or ends its connection: with or without a close.
async fn connect(simulation: &Rc<Simulation>, dice: &mut Dice, who: usize) {
    let Some((index, mut device)) = pick(simulation, dice, who) else {
        return;
    };
    let client = simulation.model.borrow().people[who].client.clone();
    device.listens_throughout = false;
    if let Some(connection) = device.connection.take() {
        learn(&mut device.known, &simulation.connections.close(&connection));
        if dice.happens(5000) {
            let end = ("$disconnect", "DISCONNECT");
            client
                .signals(&simulation.desk, "CloseConnection", end, &connection, None)
                .await;
        }
    } else {
        let connection = format!("{:016x}=", dice.number());
        let begin = ("$connect", "CONNECT");
        let began = simulation.desk.clock().now();
        let accepted = client
            .signals(&simulation.desk, "OpenConnection", begin, &connection, None)
            .await;
        // API Gateway takes a moment, in which others may already post to the connection.
        for _ in 0..dice.number() % 64 {
            tokio::task::yield_now().await;
        }
        // It refuses a connection whose `$connect` took too long, which happens here on a machine that is busy.
        let in_time = simulation.desk.clock().now().since(began) < CONNECT_TIMEOUT;
        if accepted && in_time {
            simulation.connections.open(&connection);
            device.connection = Some(connection);
        }
    }
    put_back(simulation, who, index, device);
}
