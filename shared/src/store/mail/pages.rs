//! Pages of a list of mails, newest first.

use serde::{Deserialize, Serialize};

use super::Correspondent;
use crate::App;
use crate::domain::ids::{MessageId, UserId};
use crate::domain::mail::{Content, Count, Listing};
use crate::domain::time::Timestamp;
use crate::error::{Error, Result};
use crate::store::keys;
use crate::store::table::{self, Consistency, Query};
use crate::store::tally::{self, Tally};

/// The position of a mail in a list: its time, and its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position(i64, MessageId);

impl Position {
    /// The position of a mail, the same in every list.
    pub fn of(content: &Content) -> Self {
        Self(content.created_at.milliseconds(), content.id)
    }
}

/// A page of mails.
#[derive(Clone, Debug)]
pub struct Page {
    /// The mails, with the user's flags.
    pub mails: Vec<Correspondent>,
    /// The length of the list.
    pub total: u64,
    /// The position after which the list continues; none at the end.
    pub next: Option<Position>,
}

/// A page of a user's list: begins after a position, skips some mails, and has at most `size`.
pub async fn page(
    app: &App,
    user: UserId,
    listing: Listing,
    after: Option<Position>,
    skipped: u64,
    size: u64,
) -> Result<Page> {
    let prefix = keys::listing(listing);
    let to = match after {
        Some(Position(at, message)) => keys::listed_sort(Timestamp::from_milliseconds(at), message),
        None => "~".to_owned(),
    };
    // One more than the page holds tells whether there is a next page; the mail at the position itself is read again.
    let wanted = skipped + size + 1 + u64::from(after.is_some());
    let query = Query::between(keys::mailbox(user), prefix.clone(), format!("{prefix}{to}"))
        .newest_first(true)
        .limit(u32::try_from(wanted).unwrap_or(u32::MAX));
    let (tally, items): (Tally, _) = tokio::try_join!(tally::of(app, user), query.all(app))?;
    let positions = items.iter().map(|item| position(item.sort()?, &prefix));
    let mut positions: Vec<Position> = positions.collect::<Result<_>>()?;
    positions.retain(|position| Some(*position) != after);
    let mut rest = positions
        .into_iter()
        .skip(usize::try_from(skipped).unwrap_or(usize::MAX));
    let shown: Vec<Position> = rest
        .by_ref()
        .take(usize::try_from(size).unwrap_or(usize::MAX))
        .collect();
    let has_next = rest.next().is_some();
    Ok(Page {
        mails: mails(app, user, &shown).await?,
        total: tally.of(Count::Listed(listing)),
        next: shown.last().copied().filter(|_| has_next),
    })
}

/// The mails at positions. A content never changes, so an eventually consistent read suffices; a mail that is missing
/// because it was sent a moment ago is read again.
async fn mails(app: &App, user: UserId, positions: &[Position]) -> Result<Vec<Correspondent>> {
    let contents = |positions: &[Position]| {
        positions
            .iter()
            .map(|position| keys::locator(position.1))
            .collect::<Vec<_>>()
    };
    let flags = positions
        .iter()
        .map(|position| keys::flags(user, position.1))
        .collect();
    let (mut items, flags) = tokio::try_join!(
        table::get_many(app, contents(positions), Consistency::Eventual),
        table::get_many(app, flags, Consistency::Strong),
    )?;
    let lacking = |position: &&Position| !items.contains_key(&keys::locator(position.1));
    let lacking: Vec<Position> = positions.iter().filter(lacking).copied().collect();
    if !lacking.is_empty() {
        items.extend(table::get_many(app, contents(&lacking), Consistency::Strong).await?);
    }
    items.extend(flags);
    let mut mails = Vec::with_capacity(positions.len());
    for Position(_, message) in positions {
        // A mail that was deleted since the list was read is left out.
        let mail = Correspondent::from_items(&items, user, *message)?;
        mails.extend(mail.filter(|mail| !mail.flags.is_deleted));
    }
    Ok(mails)
}

fn position(sort: &str, prefix: &str) -> Result<Position> {
    let parts = sort.strip_prefix(prefix).and_then(|rest| rest.split_once('#'));
    let (at, message) = parts.ok_or_else(|| Error::internal("a list has an item that is not a mail"))?;
    Ok(Position(
        at.parse().map_err(Error::internal)?,
        message.parse().map_err(Error::internal)?,
    ))
}
