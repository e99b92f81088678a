//! The messages of all conversations, by time, for those who may see what is not theirs.
//!
//! A [`Walk`] goes from day to day, from conversation to conversation by the [markers](super::days) of each day, and
//! through the log of each; or, where it is about one user, through their conversations alone. It reads no more than
//! a few pages ahead, so its memory does not grow with what it passes, and it can [go on](Walk::position) from where
//! another one stopped.

mod filter;
mod legs;
mod pages;

pub use filter::Filter;
pub use pages::{Between, between};

use std::collections::{HashMap, VecDeque};

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use serde::{Deserialize, Serialize};

use self::legs::{Begun, Cells, Leg};
use super::Worker;
use super::keys;
use super::log;
use super::members;
use super::table::{self, Consistency};
use crate::App;
use crate::auth::Permit;
use crate::domain::conversation::ReadMark;
use crate::domain::day::Day;
use crate::domain::ids::{ConversationId, UserId};
use crate::domain::message::{Content, Entry, Event};
use crate::domain::message_v2::{MessageV2, Progress};
use crate::domain::permission::{AnalyticsView, ModerationView};
use crate::domain::time::Timestamp;
use crate::error::{Error, Result};

/// How many conversations are begun at once.
const PARALLEL: usize = 32;

/// Proof that somebody may see conversations that they take no part in.
#[derive(Clone, Copy, Debug)]
pub struct ArchiveAccess(());

impl From<&Permit<ModerationView>> for ArchiveAccess {
    fn from(_: &Permit<ModerationView>) -> Self {
        Self(())
    }
}

impl From<&Permit<AnalyticsView>> for ArchiveAccess {
    fn from(_: &Permit<AnalyticsView>) -> Self {
        Self(())
    }
}

impl From<Worker> for ArchiveAccess {
    fn from(_: Worker) -> Self {
        Self(())
    }
}

/// What a walk is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Its first moment, in milliseconds since 1970.
    pub from: i64,
    /// The first moment behind it.
    pub to: i64,
    /// Only conversations of this user.
    pub user: Option<UserId>,
}

impl Scope {
    /// Its first moment.
    pub const fn from_time(&self) -> Timestamp {
        Timestamp::from_milliseconds(self.from)
    }

    /// The first moment behind it.
    pub const fn to_time(&self) -> Timestamp {
        Timestamp::from_milliseconds(self.to)
    }
}

/// In which order days are walked. Within a day it is by conversations, and in each by its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// For what is wanted soon.
    NewestDayFirst,
    /// For what is kept.
    OldestDayFirst,
}

/// Whether a walk finds out how far the two of a direct conversation have read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// It does.
    Wanted,
    /// It need not.
    Unwanted,
}

/// A place in a walk: what lies in front of it has been passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    day: Day,
    conversation: ConversationId,
    /// The number of the next entry there; none if the conversation is done.
    seq: Option<u64>,
}

/// A piece of the log of a conversation.
#[derive(Clone, Debug)]
pub struct Stretch {
    /// The day; that of the scope's beginning where the walk is about one user.
    pub day: Day,
    /// The conversation.
    pub conversation: ConversationId,
    /// Its entries, in order.
    pub entries: Vec<Entry>,
    /// How far the two of a direct conversation have read, where that is wanted.
    pub read_marks: Vec<ReadMark>,
}

impl Stretch {
    /// The messages among the entries.
    pub fn messages(&self) -> impl Iterator<Item = (&Entry, &Content)> {
        self.entries.iter().filter_map(|entry| match &entry.event {
            Event::Message(content) => Some((entry, &**content)),
            Event::Deletion { .. } | Event::Moderation { .. } => None,
        })
    }
}

/// Whom a message of a direct conversation is for; none in a group.
fn receiver(entry: &Entry, content: &Content) -> Option<UserId> {
    let pair = entry.tail.pair?;
    pair.into_iter().find(|user| *user != content.sender)
}

/// How far a message has come.
pub fn progress(entry: &Entry, content: &Content, read_marks: &[ReadMark]) -> Progress {
    let receiver = receiver(entry, content);
    let read_mark = receiver.and_then(|user| read_marks.iter().find(|read_mark| read_mark.user_id == user));
    Progress::of(entry.seq, content, read_mark)
}

/// A message, as those see it who see no more than its members do.
pub fn view(
    conversation: ConversationId,
    entry: &Entry,
    content: &Content,
    read_marks: &[ReadMark],
) -> MessageV2 {
    let progress = progress(entry, content, read_marks);
    let receiver = receiver(entry, content);
    MessageV2::of(conversation, entry.seq, entry.at, content, receiver, progress)
}

/// A walk under way.
pub struct Walk<'a> {
    app: &'a App,
    scope: Scope,
    order: Order,
    reads: Reads,
    cells: Cells,
    legs: VecDeque<Leg>,
    begun: VecDeque<Begun>,
    position: Option<Position>,
    examined: u64,
}

impl<'a> Walk<'a> {
    /// A walk from its beginning, or from where another one over the same scope stopped.
    pub fn new(
        app: &'a App,
        _: ArchiveAccess,
        scope: Scope,
        order: Order,
        reads: Reads,
        position: Option<Position>,
    ) -> Self {
        Self {
            app,
            scope,
            order,
            reads,
            cells: Cells::of(&scope, order, position),
            legs: VecDeque::new(),
            begun: VecDeque::new(),
            position,
            examined: 0,
        }
    }

    /// The next piece; none at the end.
    pub async fn next(&mut self) -> Result<Option<Stretch>> {
        loop {
            let Some(mut begun) = self.begun.pop_front() else {
                if self.legs.is_empty() {
                    self.legs = self.cells.legs(self.app, &self.scope).await?;
                }
                if self.legs.is_empty() {
                    return Ok(None);
                }
                self.begin().await?;
                continue;
            };
            let page = match begun.page.take() {
                Some(page) => page,
                None => begun.go_on(self.app, &self.scope).await?,
            };
            let (day, conversation) = (begun.leg.day, begun.leg.conversation);
            self.position = Some(Position {
                day,
                conversation,
                seq: page.next,
            });
            // A conversation that is looked into in vain is work too.
            self.examined += page.entries.len().max(1) as u64;
            let read_marks = begun.read_marks.clone();
            if let Some(seq) = page.next {
                begun.leg.seq = Some(seq);
                self.begun.push_front(begun);
            }
            return Ok(Some(Stretch {
                day,
                conversation,
                entries: page.entries,
                read_marks,
            }));
        }
    }

    /// Where the walk is: a walk from there sees everything that this one has not seen yet.
    pub fn position(&self) -> Option<Position> {
        self.position
    }

    /// How many entries were looked at so far.
    pub fn examined(&self) -> u64 {
        self.examined
    }

    /// Refuses to go on where too much was looked at.
    ///
    /// # Errors
    /// 422, with how to narrow the question.
    pub fn is_bounded(&self, most: u64) -> Result<()> {
        if self.examined <= most {
            return Ok(());
        }
        let reason = format!(
            "names a range with more than {most} messages to look at; narrow it by user_id, or by from and to"
        );
        Err(Error::invalid("from", "too_broad", reason))
    }

    /// About how much of the walk lies behind it, from 0 to 1: days, or ids of conversations, which are spread evenly.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a few thousand at the most, or an estimate"
    )]
    pub fn progress(&self) -> f64 {
        let Some(position) = self.position else { return 0.0 };
        if self.scope.user.is_some() {
            return position.conversation.uuid().as_u128() as f64 / u128::MAX as f64;
        }
        let (first, last) = (legs::first_day(&self.scope), legs::last_day(&self.scope));
        let behind = match self.order {
            Order::OldestDayFirst => position.day.since(first),
            Order::NewestDayFirst => last.since(position.day),
        };
        behind as f64 / (last.since(first) + 1) as f64
    }

    async fn begin(&mut self) -> Result<()> {
        let count = self.legs.len().min(PARALLEL);
        let legs: Vec<Leg> = self.legs.drain(..count).collect();
        let (app, scope, reads) = (self.app, &self.scope, self.reads);
        let begun: Vec<Option<Begun>> = stream::iter(legs)
            .map(|leg| Begun::new(app, scope, reads, leg))
            .buffered(PARALLEL)
            .try_collect()
            .await?;
        self.begun.extend(begun.into_iter().flatten());
        Ok(())
    }
}

/// Messages by their places, in the same order, with how far the two of direct conversations have read.
pub async fn messages(
    app: &App,
    _: ArchiveAccess,
    places: &[(ConversationId, u64)],
) -> Result<Vec<(ConversationId, Entry, Vec<ReadMark>)>> {
    let keys = places
        .iter()
        .map(|(conversation, seq)| keys::entry(*conversation, *seq))
        .collect();
    let mut items = table::get_many(app, keys, Consistency::Strong).await?;
    let mut found = Vec::with_capacity(places.len());
    let mut direct = Vec::new();
    for (conversation, seq) in places {
        if let Some(item) = items.remove(&keys::entry(*conversation, *seq)) {
            let entry = log::decode(&item)?;
            if entry.tail.pair.is_some() {
                direct.push(*conversation);
            }
            found.push((*conversation, entry));
        }
    }
    direct.sort_unstable();
    direct.dedup();
    let read_marks: HashMap<ConversationId, Vec<ReadMark>> = stream::iter(direct)
        .map(|conversation| async move {
            Ok::<_, Error>((conversation, members::read_marks_of(app, conversation).await?))
        })
        .buffer_unordered(PARALLEL)
        .try_collect()
        .await?;
    let with_cursors = |(conversation, entry): (ConversationId, Entry)| {
        let read_marks = read_marks.get(&conversation).cloned().unwrap_or_default();
        (conversation, entry, read_marks)
    };
    Ok(found.into_iter().map(with_cursors).collect())
}
