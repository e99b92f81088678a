//! The legs of a walk: each is one conversation on one day, or one conversation of a user.

use std::collections::VecDeque;

use futures::stream::{self, StreamExt as _, TryStreamExt as _};

use super::{Order, Position, Reads, Scope};
use crate::App;
use crate::domain::conversation::ReadMark;
use crate::domain::day::Day;
use crate::domain::ids::{ConversationId, UserId};
use crate::domain::message::Entry;
use crate::domain::time::Timestamp;
use crate::error::Result;
use crate::store::table::Consistency;
use crate::store::{days, keys, log, members};

/// How many cells are queried concurrently, and how many conversations of each.
const CELLS: usize = 16;
const MARKERS: u32 = 256;
/// How many entries are read first, and at most at once. Entries after the end of the day are read in vain, so the
/// first page is small.
const FIRST: u32 = 32;
const LARGEST: u32 = 256;

/// A conversation, and where to start reading its log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leg {
    pub(super) day: Day,
    pub(super) conversation: ConversationId,
    /// The next entry; none if it has to be found by its time.
    pub(super) seq: Option<u64>,
    since: Timestamp,
    until: Timestamp,
}

/// The cells that hold conversation markers: the shards of each day; or, for a user, a single cell.
#[derive(Debug)]
pub(super) enum Cells {
    Days {
        order: Order,
        /// The next cell, and the conversation to start from; none if all were queried.
        next: Option<(Day, u8, Option<ConversationId>)>,
        /// How many are queried concurrently: few if each has many conversations.
        width: usize,
        /// Where another walk stopped.
        position: Option<Position>,
    },
    User {
        user: UserId,
        position: Option<Position>,
        is_asked: bool,
    },
}

impl Cells {
    pub(super) fn of(scope: &Scope, order: Order, position: Option<Position>) -> Self {
        if let Some(user) = scope.user {
            return Self::User {
                user,
                position,
                is_asked: false,
            };
        }
        let next = match position {
            Some(position) => {
                let shard = keys::day_shard(position.conversation);
                (position.day, shard, Some(position.conversation))
            }
            None if order == Order::NewestDayFirst => (last_day(scope), 0, None),
            None => (first_day(scope), 0, None),
        };
        Self::Days {
            order,
            next: Some(next),
            width: CELLS,
            position,
        }
    }

    /// The next legs; empty at the end.
    pub(super) async fn legs(&mut self, app: &App, scope: &Scope) -> Result<VecDeque<Leg>> {
        match self {
            Self::User {
                user,
                position,
                is_asked,
            } => {
                if std::mem::replace(is_asked, true) {
                    return Ok(VecDeque::new());
                }
                let mut conversations = members::conversations_of(app, *user).await?;
                conversations.sort_unstable();
                let is_left = |conversation: &ConversationId| {
                    position.is_none_or(|position| *conversation >= position.conversation)
                };
                let leg = |conversation| leg(scope, first_day(scope), conversation, None, *position);
                Ok(conversations
                    .into_iter()
                    .filter(is_left)
                    .filter_map(leg)
                    .collect())
            }
            Self::Days {
                order,
                next,
                width,
                position,
            } => {
                while let Some(first) = *next {
                    let mut cells = vec![first];
                    while cells.len() < *width {
                        let Some((day, shard)) = cells.last().and_then(|cell| behind(scope, *order, *cell))
                        else {
                            break;
                        };
                        cells.push((day, shard, None));
                    }
                    let mut found = stream::iter(cells.clone())
                        .map(|(day, shard, from)| days::marked(app, day, shard, from, MARKERS))
                        .buffered(CELLS);
                    let mut legs = VecDeque::new();
                    let mut is_full = false;
                    for cell in cells {
                        let Some(markers) = found.try_next().await? else {
                            break;
                        };
                        let (day, shard, _) = cell;
                        is_full = markers.len() >= MARKERS as usize;
                        let last = markers.last().map(|(conversation, _)| *conversation);
                        let leg = |(conversation, seq)| leg(scope, day, conversation, Some(seq), *position);
                        // The last one is where the next query begins.
                        let count = markers.len() - usize::from(is_full);
                        legs.extend(markers.into_iter().take(count).filter_map(leg));
                        *next = if is_full {
                            Some((day, shard, last))
                        } else {
                            behind(scope, *order, cell).map(|(day, shard)| (day, shard, None))
                        };
                        if is_full {
                            break;
                        }
                    }
                    *width = if is_full { 1 } else { (*width * 2).min(CELLS) };
                    if !legs.is_empty() {
                        return Ok(legs);
                    }
                }
                Ok(VecDeque::new())
            }
        }
    }
}

/// The cell after another one.
fn behind(scope: &Scope, order: Order, cell: (Day, u8, Option<ConversationId>)) -> Option<(Day, u8)> {
    let (day, shard, _) = cell;
    if shard + 1 < keys::DAY_SHARDS {
        return Some((day, shard + 1));
    }
    match order {
        Order::NewestDayFirst => day.previous().filter(|day| *day >= first_day(scope)),
        Order::OldestDayFirst => day.next().filter(|day| *day <= last_day(scope)),
    }
    .map(|day| (day, 0))
}

pub(super) fn first_day(scope: &Scope) -> Day {
    Day::of(Timestamp::from_milliseconds(scope.from))
}

pub(super) fn last_day(scope: &Scope) -> Day {
    Day::of(Timestamp::from_milliseconds(scope.to - 1))
}

/// The leg of a conversation on a day, from the position on; none if it is done.
fn leg(
    scope: &Scope,
    day: Day,
    conversation: ConversationId,
    seq: Option<u64>,
    position: Option<Position>,
) -> Option<Leg> {
    let (from, to) = (
        Timestamp::from_milliseconds(scope.from),
        Timestamp::from_milliseconds(scope.to),
    );
    let (since, until) = if scope.user.is_some() {
        (from, to)
    } else {
        (from.max(day.start()), to.min(day.end()))
    };
    let seq = match position {
        Some(position) if (position.day, position.conversation) == (day, conversation) => Some(position.seq?),
        _ => seq,
    };
    Some(Leg {
        day,
        conversation,
        seq,
        since,
        until,
    })
}

/// A page of a leg.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) entries: Vec<Entry>,
    /// Where the leg continues; none if it is done.
    pub(super) next: Option<u64>,
}

/// A leg in progress.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) leg: Leg,
    /// Its first page, until it is taken.
    pub(super) page: Option<Page>,
    pub(super) read_marks: Vec<ReadMark>,
    size: u32,
}

impl Begun {
    /// Starts a leg: reads its first page, and the read marks if wanted. None if it has no entries.
    pub(super) async fn new(app: &App, scope: &Scope, reads: Reads, leg: Leg) -> Result<Option<Self>> {
        let mut begun = Self {
            leg,
            page: None,
            read_marks: Vec::new(),
            size: FIRST,
        };
        if leg.seq.is_none() {
            let newest = log::newest(app, leg.conversation, Consistency::Strong).await?;
            let Some(newest) = newest.filter(|newest| newest.at >= leg.since) else {
                return Ok(None);
            };
            begun.leg.seq = Some(log::first_since_in(app, leg.conversation, &newest, leg.since).await?);
        }
        let page = begun.go_on(app, scope).await?;
        let is_direct = page.entries.iter().any(|entry| entry.tail.pair.is_some());
        if reads == Reads::Wanted && is_direct {
            begun.read_marks = members::read_marks_of(app, leg.conversation).await?;
        }
        begun.page = Some(page);
        Ok(Some(begun))
    }

    /// The next page, larger than the previous one.
    pub(super) async fn go_on(&mut self, app: &App, _: &Scope) -> Result<Page> {
        let first = self.leg.seq.unwrap_or(1);
        let mut entries =
            log::range_in(app, self.leg.conversation, (first, u64::MAX), false, self.size).await?;
        let is_full = entries.len() >= self.size as usize;
        let next = entries
            .last()
            .filter(|last| is_full && last.at < self.leg.until)
            .map(|last| last.seq + 1);
        entries.retain(|entry| self.leg.since <= entry.at && entry.at < self.leg.until);
        self.size = (self.size * 4).min(LARGEST);
        Ok(Page { entries, next })
    }
}
