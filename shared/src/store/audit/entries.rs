//! Reading entries, day by day.

use super::{Position, codec};
use crate::App;
use crate::domain::audit::{AuditEntry, Hash, Keys};
use crate::domain::day::Day;
use crate::error::{Error, Result};
use crate::store::item::Item;
use crate::store::keys;
use crate::store::table::Query;

/// The maximum number of days per request.
pub const MOST_DAYS: i64 = 92;
/// Greater than every number.
pub(super) const LAST: u64 = 999_999_999_999;

/// The days of a range that have entries, in order.
pub(super) async fn days(app: &App, first: Day, last: Day) -> Result<Vec<Day>> {
    if first > last {
        return Ok(Vec::new());
    }
    let query = Query::between(keys::AUDIT_DAYS.to_owned(), first.to_string(), last.to_string());
    query.all(app).await?.iter().map(day_of).collect()
}

/// The first day with entries after a day.
pub(super) async fn day_after(app: &App, day: Day) -> Result<Option<Day>> {
    let Some(next) = day.next() else { return Ok(None) };
    let later = Query::between(keys::AUDIT_DAYS.to_owned(), next.to_string(), "~").limit(1);
    later.all(app).await?.first().map(day_of).transpose()
}

/// The last day with entries before a day.
pub(super) async fn day_before(app: &App, day: Day) -> Result<Option<Day>> {
    let Some(previous) = day.previous() else {
        return Ok(None);
    };
    let earlier = Query::between(keys::AUDIT_DAYS.to_owned(), "0", previous.to_string());
    let found = earlier.newest_first(true).limit(1).all(app).await?;
    found.first().map(day_of).transpose()
}

fn day_of(item: &Item) -> Result<Day> {
    item.sort()?.parse().map_err(Error::internal)
}

/// A query for entries of a day, both ends included.
pub(super) fn entries(day: Day, first: u64, last: u64) -> Query {
    Query::between(
        keys::audit_entries(day),
        keys::entry_sort(first),
        keys::entry_sort(last),
    )
}

/// The last entry of a day.
pub(super) async fn newest(app: &App, day: Day) -> Result<Option<Item>> {
    let items = entries(day, 1, LAST).newest_first(true).limit(1).all(app).await?;
    Ok(items.into_iter().next())
}

pub(super) fn number_of(item: &Item) -> Result<u64> {
    item.sort()?.parse().map_err(Error::internal)
}

/// The first entry after a position.
pub(super) async fn following(app: &App, position: Position) -> Result<Option<Item>> {
    let same_day = entries(position.day, position.number + 1, LAST)
        .limit(1)
        .all(app)
        .await?;
    if let Some(item) = same_day.into_iter().next() {
        return Ok(Some(item));
    }
    let Some(day) = day_after(app, position.day).await? else {
        return Ok(None);
    };
    Ok(entries(day, 1, LAST).limit(1).all(app).await?.into_iter().next())
}

/// The hash of an entry, if the entry is signed with one of the keys.
pub(super) fn verified(keys: &Keys, item: &Item, entry: &AuditEntry) -> Option<Hash> {
    let hash = codec::hash(item)?;
    keys.verifies(&entry.signed_part(), &hash).then_some(hash)
}
