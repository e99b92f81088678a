//! The messages of all conversations in time order, for callers who may see other people's messages.
//!
//! A [`Walk`] goes day by day, through the conversations [marked](super::days) on each day, and through the log of
//! each; for a single user, through that user's conversations. It reads only a few pages ahead, so its memory is
//! bounded, and it can [continue](Walk::position) where another walk stopped.

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

/// How many conversations are read ahead concurrently.
const PARALLEL: usize = 32;

/// Proof that the caller may see conversations without being a member.
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

/// The range of a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// The first moment, in milliseconds since 1970.
    pub from: i64,
    /// The first moment after it.
    pub to: i64,
    /// Only conversations of this user.
    pub user: Option<UserId>,
}

impl Scope {
    /// The first moment.
    pub const fn from_time(&self) -> Timestamp {
        Timestamp::from_milliseconds(self.from)
    }

    /// The first moment after it.
    pub const fn to_time(&self) -> Timestamp {
        Timestamp::from_milliseconds(self.to)
    }
}

/// The order of the days. Within a day the order is by conversation, and then by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// For searches.
    NewestDayFirst,
    /// For exports.
    OldestDayFirst,
}

/// Whether a walk reads the read marks of direct conversations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// Yes.
    Wanted,
    /// No.
    Unwanted,
}

/// A position in a walk: everything before it has been visited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    day: Day,
    conversation: ConversationId,
    /// The number of the next entry there; none if the conversation is done.
    seq: Option<u64>,
}

/// A range of a conversation's log.
#[derive(Clone, Debug)]
pub struct Stretch {
    /// The day; the first day of the scope in a walk for one user.
    pub day: Day,
    /// The conversation.
    pub conversation: ConversationId,
    /// Its entries, in order.
    pub entries: Vec<Entry>,
    /// The read marks of a direct conversation, if wanted.
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

/// The receiver of a message in a direct conversation; none in a group.
fn receiver(entry: &Entry, content: &Content) -> Option<UserId> {
    let pair = entry.tail.pair?;
    pair.into_iter().find(|user| *user != content.sender)
}

/// The status of a message.
pub fn progress(entry: &Entry, content: &Content, read_marks: &[ReadMark]) -> Progress {
    let receiver = receiver(entry, content);
    let read_mark = receiver.and_then(|user| read_marks.iter().find(|read_mark| read_mark.user_id == user));
    Progress::of(entry.seq, content, read_mark)
}

/// A message as its members see it.
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

/// A walk in progress.
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
    /// A walk from the beginning, or from where another walk over the same scope stopped.
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

    /// The next range; none at the end.
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
            // Looking into a conversation without a result is work too.
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

    /// The position: a walk from there visits exactly what this one has not visited yet.
    pub fn position(&self) -> Option<Position> {
        self.position
    }

    /// How many entries were examined so far.
    pub fn examined(&self) -> u64 {
        self.examined
    }

    /// Fails once more than `most` entries were examined.
    ///
    /// # Errors
    /// 422, with a hint to narrow the query.
    pub fn is_bounded(&self, most: u64) -> Result<()> {
        if self.examined <= most {
            return Ok(());
        }
        let reason = format!(
            "names a range with more than {most} messages to look at; narrow it by user_id, or by from and to"
        );
        Err(Error::invalid("from", "too_broad", reason))
    }

    /// The approximate progress, from 0 to 1: by days, or by conversation ids, which are evenly distributed.
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

/// Messages by conversation and number, in the same order, with the read marks of direct conversations.
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
