//! The model: what was requested, what was acknowledged, and what must be true as a consequence.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use serde_json::Value;
use uuid::Uuid;

use super::Client;

/// Log entries, by conversation and number.
pub(super) type Known = BTreeMap<String, BTreeSet<u64>>;

/// The state so far.
#[derive(Default)]
pub(super) struct Model {
    pub(super) people: Vec<SimulatedUser>,
    pub(super) conversations: BTreeMap<String, Conversation>,
    /// The acknowledged direct conversations, by pair.
    pub(super) pairs: HashMap<[Uuid; 2], String>,
    pub(super) tally: OperationCounts,
    /// How many contents were generated.
    pub(super) contents: u64,
}

/// A person with devices.
pub(super) struct SimulatedUser {
    pub(super) client: Client,
    pub(super) devices: Vec<Device>,
}

/// A device: it listens or syncs, and remembers what it got.
#[derive(Clone, Debug, Default)]
pub(super) struct Device {
    /// Its connection, if it has one.
    pub(super) connection: Option<String>,
    /// Whether the connection has existed since the epoch began.
    pub(super) listens_throughout: bool,
    /// The token of its last sync.
    pub(super) token: String,
    /// What it got, over connections and by syncs.
    pub(super) known: Known,
    /// An older token, and what was known then.
    pub(super) old: Option<(String, Known)>,
    /// Whether an operation is using it.
    pub(super) busy: bool,
}

/// A conversation, as its members' requests have changed it.
#[derive(Default)]
pub(super) struct Conversation {
    pub(super) members: Vec<Uuid>,
    /// The log.
    pub(super) log: Vec<Value>,
    /// How long it was at the last check.
    pub(super) rested: usize,
    /// Every message that somebody tried to send, by content.
    pub(super) sends: BTreeMap<String, Sending>,
    /// Messages whose deletion was requested, and whether it was acknowledged.
    pub(super) deletions: BTreeMap<String, bool>,
    /// The range in which each member's read mark must be.
    pub(super) reads: HashMap<Uuid, Reading>,
}

/// A message that was sent.
#[derive(Clone, Debug)]
pub(super) struct Sending {
    pub(super) sender: Uuid,
    /// Its id and number, once acknowledged.
    pub(super) acknowledged: Option<(String, u64)>,
}

/// A member's read mark.
#[derive(Clone, Debug, Default)]
pub(super) struct Reading {
    pub(super) at_least: u64,
    pub(super) at_most: u64,
}

/// How often each operation was performed.
#[derive(Clone, Debug, Default)]
pub(super) struct OperationCounts {
    pub(super) done: BTreeMap<&'static str, usize>,
    /// Requests that returned 500 or 503.
    pub(super) refused: usize,
    /// Operations whose client gave up.
    pub(super) abandoned: usize,
}

impl fmt::Display for OperationCounts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, count) in &self.done {
            write!(formatter, "{count} {name}, ")?;
        }
        write!(
            formatter,
            "{} refusals, {} given up",
            self.refused, self.abandoned
        )
    }
}

impl Model {
    /// A unique content.
    pub(super) fn content(&mut self) -> String {
        self.contents += 1;
        format!("word-{}", self.contents)
    }

    /// The conversations of a person.
    pub(super) fn of(&self, user: Uuid) -> Vec<String> {
        self.conversations
            .iter()
            .filter(|(_, conversation)| conversation.members.contains(&user))
            .map(|(id, _)| id.clone())
            .collect()
    }

    /// Starts anew: conversations that no longer change are not checked any more.
    pub(super) fn clear(&mut self) {
        let (tally, contents) = (self.tally.clone(), self.contents);
        *self = Self {
            tally,
            contents,
            ..Self::default()
        };
    }
}

/// Adds the log entries among some frames.
pub(super) fn learn(known: &mut Known, frames: &[Value]) {
    for frame in frames {
        let is_entry = frame["type"] == "new_message" || frame["type"] == "message_deleted";
        if let (true, Some(conversation), Some(seq)) =
            (is_entry, frame["conversation_id"].as_str(), frame["seq"].as_u64())
        {
            known.entry(conversation.to_owned()).or_default().insert(seq);
        }
    }
}

impl Conversation {
    /// Checks the log, whoever reads it: unchanged since the last time, followed by each acknowledged entry once, under
    /// its number, and nothing that nobody requested.
    pub(super) fn judges(&mut self, id: &str, more: &[Value]) {
        let before = self.log.len();
        self.log.extend(more.iter().cloned());
        let mut contents: BTreeMap<&str, u64> = BTreeMap::new();
        let mut deleted: BTreeMap<&str, u64> = BTreeMap::new();
        for (index, entry) in self.log.iter().enumerate() {
            let seq = entry["seq"].as_u64().expect("an entry has a number");
            assert_eq!(usize::try_from(seq).unwrap(), index + 1, "{id} has a gap");
            if entry["type"] == "message_deleted" {
                let message = entry["message_id"]
                    .as_str()
                    .expect("a deletion names its message");
                assert_eq!(deleted.insert(message, seq), None, "{message} was deleted twice");
                assert!(self.deletions.contains_key(message), "nobody deleted {message}");
            } else {
                let client = entry["message"]["client_message_id"].as_str();
                let content = client.expect("a message has the id that its client gave it");
                assert_eq!(contents.insert(content, seq), None, "{content} is in {id} twice");
                let sending = self.sends.get(content).expect("somebody sent it");
                assert_eq!(entry["message"]["sender_id"], sending.sender.to_string());
            }
        }
        for entry in &self.log[before..] {
            let told = entry["message"]["id"]
                .as_str()
                .is_some_and(|id| deleted.contains_key(id));
            let hidden = entry["message"]["is_deleted"] == true;
            assert_eq!(told, hidden, "hidden, and nobody is told: {entry}");
        }
        for (content, sending) in &self.sends {
            if let Some((message, seq)) = &sending.acknowledged {
                assert_eq!(contents.get(content.as_str()), Some(seq), "{content} is lost");
                let entry = &self.log[usize::try_from(*seq).unwrap() - 1];
                assert_eq!(entry["message"]["id"], *message);
            }
        }
        for (message, acknowledged) in &self.deletions {
            let told = deleted.contains_key(message.as_str());
            assert!(told || !acknowledged, "the deletion of {message} is lost");
        }
        // Content shown before a deletion is no longer shown.
        let gone: Vec<String> = deleted.keys().map(|message| (*message).to_owned()).collect();
        for entry in &mut self.log[..before] {
            if gone.iter().any(|message| entry["message"]["id"] == **message) {
                entry["message"]["content"] = Value::Null;
                entry["message"]["is_deleted"] = true.into();
            }
        }
    }

    /// Whether the request that made an entry was acknowledged.
    pub(super) fn is_acknowledged(&self, entry: &Value) -> bool {
        if entry["type"] == "message_deleted" {
            let message = entry["message_id"].as_str();
            message.is_some_and(|message| self.deletions.get(message) == Some(&true))
        } else {
            let content = entry["message"]["client_message_id"].as_str();
            let sending = content.and_then(|content| self.sends.get(content));
            sending.is_some_and(|sending| sending.acknowledged.is_some())
        }
    }

    /// The expected unread count of a member with this read mark.
    pub(super) fn unread(&self, reader: Uuid, cursor: u64) -> u64 {
        let reader = reader.to_string();
        let behind = self.log.iter().filter(|entry| {
            entry["type"] == "new_message"
                && entry["seq"].as_u64() > Some(cursor)
                && entry["message"]["is_deleted"] == false
                && entry["message"]["sender_id"] != reader
        });
        u64::try_from(behind.count()).unwrap().min(99)
    }
}
