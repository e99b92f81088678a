//! Connections by the minute of their expiry, for the chore that closes expired ones.
//!
//! A marker is written once and left to the table's TTL: the user's item says whether the connection still exists.

use std::time::Duration;

use crate::App;
use crate::domain::ids::{ConnectionId, UserId};
use crate::domain::time::Timestamp;
use crate::error::Result;
use crate::store::Worker;
use crate::store::item::{Item, number};
use crate::store::keys;
use crate::store::table::{self, Condition, Consistency, Query, Update};

const USER: &str = "u";
const MINUTE: &str = "m";

/// A connection that expires within a minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// The connection.
    pub connection: ConnectionId,
    /// Its user.
    pub user: UserId,
}

/// The minute of a moment, counted from 1970.
pub fn minute(at: Timestamp) -> i64 {
    at.seconds().div_euclid(60)
}

/// Adds the marker of a connection that expires at a moment. One write.
pub async fn note(app: &App, user: UserId, connection: &ConnectionId, ends_at: Timestamp) -> Result<()> {
    // Never in a minute that may have been processed already.
    let ends_at = ends_at.max(app.now().plus(Duration::from_mins(1)));
    let item = Item::new(&keys::ending_connection(minute(ends_at), connection))
        .id(USER, user.uuid())
        .number(keys::EXPIRES, ends_at.seconds() + 24 * 60 * 60);
    table::put(app, item, Condition::default()).await.map(|_| ())
}

/// Up to `limit` connections that expire within a minute, after a given one.
pub async fn within(
    app: &App,
    _: Worker,
    minute: i64,
    after: Option<&ConnectionId>,
    limit: u32,
) -> Result<Vec<Ending>> {
    // `!` sorts before every character of an id, so this lies directly after the id.
    let from = after.map_or_else(|| "!".to_owned(), |after| format!("{}!", after.as_str()));
    let query = Query::between(keys::ending(minute), from, "~").limit(limit);
    let items = query.all(app).await?;
    let ending = |item: &Item| {
        Ok(Ending {
            connection: ConnectionId::new(item.sort()?),
            user: UserId::from_uuid(item.get_id(USER)?),
        })
    };
    items.iter().map(ending).collect()
}

/// The last minute that was processed; none before the first time.
pub async fn swept(app: &App, _: Worker) -> Result<Option<i64>> {
    let item = table::get(app, &keys::swept(), Consistency::Strong).await?;
    item.map_or(Ok(None), |item| item.find_number(MINUTE))
}

/// Stores the last minute that was processed.
pub async fn note_swept(app: &App, _: Worker, minute: i64) -> Result<()> {
    let update =
        Update::new(keys::swept(), format!("SET {MINUTE} = :minute")).value(":minute", number(minute));
    update.send(app).await.map(|_| ())
}
