//! A simple model of a conversation according to contract §2.

use std::collections::{BTreeMap, BTreeSet};

/// A log entry.
#[derive(Clone, Debug)]
pub(super) enum Entry {
    Message(Message),
    /// The index of the deleted message.
    Deletion(usize),
}

#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) sender: usize,
    pub(super) content: String,
    pub(super) client: Option<String>,
    pub(super) is_deleted: bool,
}

/// A conversation in the model: a log, and a read mark per member.
#[derive(Clone, Debug)]
pub(super) struct Conversation {
    pub(super) id: String,
    pub(super) members: Vec<usize>,
    pub(super) log: Vec<Entry>,
    pub(super) cursors: BTreeMap<usize, (usize, String)>,
    /// Counts every message and opening of the whole case.
    pub(super) active: usize,
}

impl Conversation {
    pub(super) fn messages(&self) -> impl DoubleEndedIterator<Item = (usize, &Message)> {
        self.log
            .iter()
            .enumerate()
            .filter_map(|(index, entry)| match entry {
                Entry::Message(message) => Some((index + 1, message)),
                Entry::Deletion(_) => None,
            })
    }

    pub(super) fn cursor(&self, who: usize) -> usize {
        self.cursors.get(&who).map_or(0, |(seq, _)| *seq)
    }

    pub(super) fn unread(&self, who: usize) -> usize {
        let counts = |(seq, message): &(usize, &Message)| {
            *seq > self.cursor(who) && message.sender != who && !message.is_deleted
        };
        self.messages().filter(counts).count().min(99)
    }

    pub(super) fn readers(&self, seq: usize, message: &Message) -> BTreeSet<usize> {
        let has_read = |who: &&usize| **who != message.sender && self.cursor(**who) >= seq;
        self.members.iter().filter(has_read).copied().collect()
    }
}
