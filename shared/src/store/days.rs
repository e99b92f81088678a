//! Markers of the conversations that were active on a day, with the first entry: how messages of all conversations are
//! found by time, without an index that every message would pay for.
//!
//! The marker of a conversation and day holds a lower bound of the number of its first entry on that day. A writer
//! knows from the previous entry whether its entry begins a day, and only then writes the marker, **before** the entry:
//! so every day with entries has a marker. A writer that loses the race for a number, or builds on an outdated end of
//! the log, still stores a valid lower bound, since times never decrease along a log. So markers need no condition.

use super::item::Item;
use super::keys;
use super::table::Written;
use super::table::{self, Condition, Consistency, Query};
use crate::App;
use crate::domain::day::Day;
use crate::domain::ids::ConversationId;
use crate::domain::message::Entry;
use crate::error::{Error, Result};

/// The first entry of the day, or an earlier one.
const SEQ: &str = "q";

/// Marks the day of an entry, if it begins one. `newest` is the entry before it.
pub(super) async fn mark(
    app: &App,
    conversation: ConversationId,
    newest: Option<&Entry>,
    entry: &Entry,
) -> Result<()> {
    let day = Day::of(entry.at);
    if newest.is_some_and(|newest| Day::of(newest.at) == day) {
        return Ok(());
    }
    let item = Item::new(&keys::day_marker(day, conversation)).number(SEQ, entry.seq);
    match table::put(app, item, Condition::default()).await? {
        Written::Done(_) | Written::Refused(_) => Ok(()),
    }
}

/// The conversations marked in one shard of a day, in order, from `first` on, each with the number to start reading
/// from.
/// day are found.
pub(super) async fn marked(
    app: &App,
    day: Day,
    shard: u8,
    first: Option<ConversationId>,
    limit: u32,
) -> Result<Vec<(ConversationId, u64)>> {
    let from = first.map_or_else(|| "C#".to_owned(), keys::conversation);
    let query = Query::between(keys::day(day, shard), from, "C#~")
        .limit(limit)
        .consistency(Consistency::Strong);
    let marker = |item: &Item| {
        let id = item.sort()?.trim_start_matches("C#").parse();
        Ok((id.map_err(Error::internal)?, item.get_number(SEQ)?))
    };
    query.all(app).await?.iter().map(marker).collect()
}
