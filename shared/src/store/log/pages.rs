//! Pages of messages: a range of the log without the entries that are no messages.

use serde::{Deserialize, Serialize};

use super::reads::{range, seq_of_message};
use crate::App;
use crate::domain::message::{Entry, Event};
use crate::error::Result;
use crate::store::members::Membership;

/// Where a page begins, and its direction; the bound is excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Start {
    /// Newest first.
    Before(u64),
    /// Oldest first.
    After(u64),
}

impl Start {
    /// The start of a page after an entry, in the same direction.
    #[must_use]
    pub fn at(self, seq: u64) -> Self {
        match self {
            Self::Before(_) => Self::Before(seq),
            Self::After(_) => Self::After(seq),
        }
    }

    /// The start of a page, newest first, that skips a number of messages in a log that ends in `newest`.
    pub async fn skipping(
        app: &App,
        member: &Membership,
        newest: Option<&Entry>,
        skipped: u64,
    ) -> Result<Self> {
        let Some(newest) = newest else {
            return Ok(Self::Before(1));
        };
        let first = newest.tail.messages.saturating_sub(skipped);
        if first == 0 {
            return Ok(Self::Before(1));
        }
        Ok(Self::Before(
            seq_of_message(app, member, newest, first).await? + 1,
        ))
    }
}

/// A page of messages.
#[derive(Clone, Debug)]
pub struct Page {
    /// In the direction of the start.
    pub messages: Vec<Entry>,
    /// The start of the next page; none at the end.
    pub next: Option<Start>,
}

/// A page of up to `size` messages of a log with `last_seq` entries.
pub async fn page(app: &App, member: &Membership, start: Start, last_seq: u64, size: u64) -> Result<Page> {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    // Reading one more message than the page holds tells whether there is a next page.
    let wanted = size.saturating_add(1);
    let (mut first, mut last, newest_first) = match start {
        Start::Before(before) => (1, before.saturating_sub(1).min(last_seq), true),
        Start::After(after) => (after.saturating_add(1), last_seq, false),
    };
    let mut messages: Vec<Entry> = Vec::new();
    // Reads on until there are enough messages, skipping other entries.
    while messages.len() < wanted && first <= last {
        let limit = u32::try_from(wanted - messages.len()).unwrap_or(u32::MAX);
        let entries = range(app, member, (first, last), newest_first, limit).await?;
        let Some(end) = entries.last().map(|entry| entry.seq) else {
            break;
        };
        let is_message = |entry: &Entry| matches!(entry.event, Event::Message(_));
        messages.extend(entries.into_iter().filter(is_message));
        if newest_first {
            last = end - 1;
        } else {
            first = end + 1;
        }
    }
    let has_next = messages.len() == wanted;
    messages.truncate(size);
    let next = messages.last().filter(|_| has_next).map(|end| start.at(end.seq));
    Ok(Page { messages, next })
}
