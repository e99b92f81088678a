//! What `deliver` pushes over a new connection alone: the entries of logs that may have passed it by.
//!
//! Deliveries of messages find connections by eventually consistent reads, at half the price of others. One that took
//! place right after a connection was opened may not have seen it, or may have gone by what another had read a moment
//! before (`LISTENERS_MEMORY_MILLISECONDS`). So a while later, when every copy of the table has
//! it, the entries of that moment are pushed once more. Whoever got them the first time drops them by their `seq`.

use std::time::Duration;

use shared::delivery::{self, Audience, Delivery};
use shared::queue::CatchUp;
use shared::store::Worker;
use shared::store::connections::Listeners;
use shared::store::sync::{self, COMMIT_MARGIN, Happening, Token};
use shared::store::table::Consistency;
use shared::{App, Result, views};

/// How many entries are read at once.
const PAGE: usize = 100;
/// How long a copy of the table may not know of a connection: three times what AWS speaks of. What was appended after
/// that was delivered after that, and to the connection as well.
/// Source: AWS, *`DynamoDB` read consistency*: usually a second or less.
const LAG: Duration = Duration::from_secs(3);

/// Pushes to a connection what was appended to its user's conversations about the time at which it was opened.
pub(crate) async fn push(app: &App, _: Worker, job: CatchUp) -> Result<()> {
    let CatchUp {
        connection,
        user,
        opened_at,
    } = job;
    let Audience { listening, .. } = delivery::audience(app, &[user], Consistency::Strong).await?;
    let live = listening
        .into_iter()
        .flat_map(|(_, listeners)| listeners.connections);
    let connections: Vec<_> = live.filter(|live| live.id == connection).collect();
    if connections.is_empty() {
        return Ok(());
    }
    let only_this = Listeners {
        connections,
        ..Listeners::default()
    };
    // An entry has the time at which its request began, and may have been put long after it.
    let unknown_for = LAG + app.config().listeners_memory;
    let (moment, last) = (opened_at.minus(COMMIT_MARGIN), opened_at.plus(unknown_for));
    let places = sync::places_moved_since(app, user, moment).await?;
    let mut token = Token::of_moment(moment);
    loop {
        let mut since = sync::since(app, app.now(), &places, &token, PAGE).await?;
        let is_over = since.told.last().is_some_and(|told| told.at > last);
        // Openings and reads find connections by strong reads.
        since
            .told
            .retain(|told| matches!(told.happening, Happening::Entry(_)) && told.at <= last);
        for frame in views::frames(app, user, &places, &since.told).await? {
            let delivery = Delivery {
                user,
                listeners: only_this.clone(),
                frame,
            };
            delivery::deliver(app, vec![delivery]).await.1?;
        }
        if is_over || !since.has_more {
            return Ok(());
        }
        token = since.next;
    }
}
