//! The catch-up of a new connection: posts the entries that deliveries may have missed it with.
//!
//! Deliveries of entries find connections by eventually consistent reads, at half the price. A delivery right after a
//! connection was opened may not have seen it, or may have used a cached read (`LISTENERS_MEMORY_MILLISECONDS`). So a
//! little later, when all reads show the connection, the entries of that time are posted again. Clients drop duplicates
//! by their `seq`.

use std::time::Duration;

use shared::operations::delivery::{self, Audience};
use shared::operations::missed;
use shared::operations::views::Unread;
use shared::queue::{self, CatchUp, Queue};
use shared::store::Worker;
use shared::store::connections::OPENING;
use shared::store::sync::{self, COMMIT_MARGIN, SyncedEvent, SyncedEventKind, Token};
use shared::store::table::Consistency;
use shared::{App, Result};

/// How long an eventually consistent read may not show a connection: three times what AWS states. What was appended
/// later was delivered to the connection too.
/// Source: AWS, *`DynamoDB` read consistency*: usually a second or less.
const LAG: Duration = Duration::from_secs(3);

/// Posts to a connection what was appended to its user's conversations around the time of opening: the first page, and
/// the rest by further jobs.
pub(super) async fn deliver(app: &App, _: Worker, job: CatchUp) -> Result<()> {
    let Audience { listening, .. } = delivery::audience(app, &[job.user], Consistency::Strong).await?;
    let mut live = listening.iter().flat_map(|(_, listeners)| &listeners.connections);
    let Some(live) = live.find(|live| live.id == job.connection) else {
        return Ok(());
    };
    // The time of an entry is that of its request, and it may have been put much later.
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
    // Openings and reads find connections by strongly consistent reads.
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
        // API Gateway reports a connection as gone until `$connect` has returned: once more when it must have.
        if live.is_opening && !job.is_late {
            let late = CatchUp { is_late: true, ..job };
            queue::enqueue_later(app, Queue::Fanout, &late, OPENING).await?;
        }
        return Ok(());
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
