//! A connection was opened: the entries that deliveries may have missed it with are posted to it.
//!
//! Deliveries of entries find connections by eventually consistent reads, at half the price of others. One that took
//! place right after a connection was opened may not have seen it, or may have gone by what another had read a moment
//! before (`LISTENERS_MEMORY_MILLISECONDS`). So a while later, when every copy of the table has the connection, the
//! entries of that moment are posted once more. Whoever got them the first time drops them by their `seq`.

use std::time::Duration;

use shared::operations::delivery::{self, Audience};
use shared::operations::missed;
use shared::operations::views::Unread;
use shared::queue::{self, CatchUp, Queue};
use shared::store::Worker;
use shared::store::sync::{self, COMMIT_MARGIN, SyncedEvent, SyncedEventKind, Token};
use shared::store::table::Consistency;
use shared::{App, Error, Result};

/// How long a copy of the table may not know of a connection: three times what AWS speaks of. What was appended after
/// that was delivered after that, and to the connection as well.
/// Source: AWS, *`DynamoDB` read consistency*: usually a second or less.
const LAG: Duration = Duration::from_secs(3);

/// Delivers to a connection what was appended to its user's conversations about the time at which it was opened: the
/// first page of it, and the rest by further jobs.
pub(super) async fn deliver(app: &App, _: Worker, job: CatchUp) -> Result<()> {
    let Audience { listening, .. } = delivery::audience(app, &[job.user], Consistency::Strong).await?;
    let mut live = listening.iter().flat_map(|(_, listeners)| &listeners.connections);
    let Some(live) = live.find(|live| live.id == job.connection) else {
        return Ok(());
    };
    // An entry has the time at which its request began, and may have been put long after it.
    let unknown_for = LAG + app.config().listeners_memory;
    let (moment, last) = (
        job.opened_at.minus(COMMIT_MARGIN),
        job.opened_at.plus(unknown_for),
    );
    let token = match &job.after {
        Some(after) => Token::open(app, job.user, after)?,
        None => Token::of_moment(moment),
    };
    let now = app.now();
    let snapshots = sync::snapshots_moved_since(app, job.user, moment).await?;
    // Openings and reads find connections by strong reads.
    let is_wanted = |told: &SyncedEvent| matches!(told.kind, SyncedEventKind::Entry(_)) && told.at <= last;
    let page = missed::page(
        app,
        job.user,
        (now, &snapshots),
        &token,
        Unread::Included,
        is_wanted,
    )
    .await?;
    if !missed::post(app, &job.connection, &page.frames).await? {
        // API Gateway says of a connection that it is gone until `$connect` has answered. One that is so young may be
        // yet to come: the job comes back for it.
        return if live.is_opening {
            Err(Error::unavailable("the connection is still opening"))
        } else {
            Ok(())
        };
    }
    if page.has_more && page.last_at.is_none_or(|at| at <= last) {
        let rest = CatchUp {
            after: Some(page.next.seal(app, job.user)?),
            ..job
        };
        queue::enqueue(app, Queue::Fanout, &rest).await?;
    }
    Ok(())
}
