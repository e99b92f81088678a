//! Which conversations were talked in on a day, and from which entry on: how messages of all conversations are found
//! by time without an index that every message would pay for.
//!
//! The marker of a conversation and day names a lower bound of its first entry of that day. Whoever puts an entry
//! knows from the newest one in front of it whether a day begins, and only then writes the marker, **before** the
//! entry: where there is an entry of a day, there is its marker. Who loses the race for the place, or builds on an old
//! end of the log, names a number that is not above that of the first entry either, for times never fall along a log.
//! So markers need no condition.

use super::item::Item;
use super::keys;
use super::table::Written;
use super::table::{self, Condition, Consistency, Query};
use crate::App;
use crate::domain::day::Day;
use crate::domain::ids::ConversationId;
use crate::domain::message::Entry;
use crate::error::{Error, Result};

/// The first entry of the day, or one in front of it.
const SEQ: &str = "q";

/// Marks the day that an entry begins, if it begins one. `newest` is the entry in front of it.
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

/// Conversations of one shard of a day, in order, from `first` on: each with a number from which its entries of that
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
