//! Pages of notifications, newest first: stored notifications and missed messages as one list.

use serde::{Deserialize, Serialize};

use super::super::keys;
use super::super::table::{self, Consistency, Query};
use super::super::tally::{self, Tally};
use super::missed::{self, Note};
use super::{Numbers, Stored};
use crate::App;
use crate::domain::ids::{NotificationId, UserId};
use crate::domain::notification::Notification;
use crate::domain::time::Timestamp;
use crate::error::{Error, Result};

/// The position of a notification in the list: its time, and its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position(i64, NotificationId);

impl Position {
    /// The position of a notification.
    pub fn of(notification: &Notification) -> Self {
        Self(notification.created_at.milliseconds(), notification.id)
    }

    fn moment(self) -> Timestamp {
        Timestamp::from_milliseconds(self.0)
    }
}

/// A page of notifications.
#[derive(Clone, Debug)]
pub struct Page {
    /// The notifications.
    pub notifications: Vec<Notification>,
    /// The user's notification counts.
    pub numbers: Numbers,
    /// The position after which the list continues; none at the end.
    pub next: Option<Position>,
}

/// A page that begins after a position, skips some notifications, and has at most `size`.
///
/// Missed messages are read completely, at most one per conversation; of the stored notifications only the page and
/// what it skips.
pub async fn page(
    app: &App,
    user: UserId,
    unread_only: bool,
    after: Option<Position>,
    skipped: u64,
    size: u64,
) -> Result<Page> {
    // One more than the page holds tells whether there is a next page.
    let wanted = skipped + size + 1;
    let (tally, mut notes) = tokio::try_join!(tally::of(app, user), missed::of(app, user))?;
    let numbers = Numbers::of(&tally, &notes);
    notes.retain(|note| !unread_only || note.is_unread());
    let stored = if unread_only {
        unread(app, user, &tally, after, wanted).await?
    } else {
        all(app, user, after, wanted).await?
    };
    let stored = stored.iter().map(|stored| stored.notification(user, &tally));
    let missed = notes.iter().map(|note: &Note| note.notification(user));
    let mut list: Vec<Notification> = stored.chain(missed).collect();
    list.sort_by_key(|notification| std::cmp::Reverse(Position::of(notification)));
    if let Some(after) = after {
        list.retain(|notification| Position::of(notification) < after);
    }
    let mut rest = list
        .into_iter()
        .skip(usize::try_from(skipped).unwrap_or(usize::MAX));
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let notifications: Vec<Notification> = rest.by_ref().take(size).collect();
    let has_next = rest.next().is_some();
    let next = notifications.last().filter(|_| has_next).map(Position::of);
    Ok(Page {
        notifications,
        numbers,
        next,
    })
}

/// A query for the newest items with a prefix, up to the time of a position.
fn newest(user: UserId, prefix: &str, from: &str, after: Option<Position>, wanted: u64) -> Query {
    let to = match after {
        Some(after) => NotificationId::last_of(after.moment()).to_string(),
        None => "~".to_owned(),
    };
    // The item at the position itself is read again.
    let limit = u32::try_from(wanted + 1).unwrap_or(u32::MAX);
    Query::between(
        keys::notes(user),
        format!("{prefix}{from}"),
        format!("{prefix}{to}"),
    )
    .newest_first(true)
    .limit(limit)
}

async fn all(app: &App, user: UserId, after: Option<Position>, wanted: u64) -> Result<Vec<Stored>> {
    let items = newest(user, keys::NOTIFICATION, "", after, wanted)
        .all(app)
        .await?;
    let decode = |item: &super::Item| Stored::decode(id(item.sort()?, keys::NOTIFICATION)?, item);
    items.iter().map(decode).collect()
}

async fn unread(
    app: &App,
    user: UserId,
    tally: &Tally,
    after: Option<Position>,
    wanted: u64,
) -> Result<Vec<Stored>> {
    let read_up_to = tally.all_read_to();
    let from = read_up_to.map(|id| id.to_string()).unwrap_or_default();
    if after.is_some_and(|after| NotificationId::last_of(after.moment()).to_string() < from) {
        return Ok(Vec::new());
    }
    let items = newest(user, keys::UNREAD, &from, after, wanted).all(app).await?;
    let ids = items.iter().map(|item| id(item.sort()?, keys::UNREAD));
    let mut ids: Vec<NotificationId> = ids.collect::<Result<_>>()?;
    ids.retain(|id| Some(*id) > read_up_to);
    let keys = ids.iter().map(|id| keys::notification(user, *id)).collect();
    let found = table::get_many(app, keys, Consistency::Strong).await?;
    let decode = |id: &NotificationId| {
        let item = found.get(&keys::notification(user, *id))?;
        Some(Stored::decode(*id, item))
    };
    ids.iter().filter_map(decode).collect()
}

fn id(sort: &str, prefix: &str) -> Result<NotificationId> {
    let id = sort.strip_prefix(prefix).unwrap_or_default();
    id.parse().map_err(Error::internal)
}
