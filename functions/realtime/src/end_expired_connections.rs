//! `end_expired_connections`: closes connections whose token has expired without anybody noticing.
//!
//! A frame in either direction closes such a connection (contract §3, 4001), but pings are answered by API Gateway
//! alone. So every two minutes this chore examines the connections that have expired since its last run: one query per
//! minute, and the items of their users. Connections that are still there get an error and are closed; others cost
//! nothing more. A run that fails is repeated by the next one, minute by minute.

use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use shared::domain::ids::{ConnectionId, UserId};
use shared::operations::delivery;
use shared::rights::{Rights, TableAction};
use shared::schedule::Chore;
use shared::store::Worker;
use shared::store::connections::Listeners;
use shared::store::connections::ending::{self, Ending};
use shared::store::keys::Partition;
use shared::store::table::Consistency;
use shared::{App, Result};

/// The chore.
pub struct EndExpiredConnections;

/// How far back the first run looks, or one after a long pause: API Gateway has closed older connections (two hours);
/// the rest is for clock skew.
const LOOK_BACK: Duration = Duration::from_mins(125);
/// How many connections are examined at once.
const PAGE: u32 = 100;
/// How many connections are closed concurrently.
const PARALLEL: usize = 16;

impl Chore for EndExpiredConnections {
    const NAME: &'static str = "end_expired_connections";
    const RIGHTS: Rights = Rights::NONE
        .table(&[
            TableAction::BatchGetItem,
            TableAction::GetItem,
            TableAction::Query,
            TableAction::UpdateItem,
        ])
        .within(&[Partition::Endings, Partition::Rates, Partition::Users])
        .posts_frames();

    async fn run(app: &App, worker: Worker) -> Result<()> {
        let now = app.now();
        let oldest = ending::minute(now.minus(LOOK_BACK));
        let swept = ending::swept(app, worker).await?;
        let first = swept.map_or(oldest, |swept| oldest.max(swept + 1));
        // A minute is processed once it is over.
        let last = ending::minute(now) - 1;
        for minute in first..=last {
            if let Err(error) = end_minute(app, worker, minute).await {
                if minute > first {
                    ending::note_swept(app, worker, minute - 1).await?;
                }
                return Err(error);
            }
        }
        if first <= last {
            ending::note_swept(app, worker, last).await?;
        }
        Ok(())
    }
}

/// Closes the connections that expire within a minute, page by page. A connection that cannot be closed does not stop
/// the others.
async fn end_minute(app: &App, worker: Worker, minute: i64) -> Result<()> {
    let (mut after, mut failure) = (None, None);
    loop {
        let page = ending::within(app, worker, minute, after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else {
            break;
        };
        after = Some(last.connection.clone());
        let open = still_noted(app, &page).await?;
        let end = |(user, id): (UserId, ConnectionId)| async move { delivery::end(app, user, &id).await };
        let ended = stream::iter(open.into_iter().map(end))
            .buffer_unordered(PARALLEL)
            .collect::<Vec<Result<()>>>()
            .await;
        failure = ended.into_iter().find_map(Result::err).or(failure);
    }
    failure.map_or(Ok(()), Err)
}

/// Those of the connections that have expired and were not closed.
async fn still_noted(app: &App, page: &[Ending]) -> Result<Vec<(UserId, ConnectionId)>> {
    let mut users: Vec<UserId> = page.iter().map(|ending| ending.user).collect();
    users.sort();
    users.dedup();
    let audience = delivery::audience(app, &users, Consistency::Strong).await?;
    let of_one =
        |(user, listeners): (UserId, Listeners)| listeners.ended.into_iter().map(move |id| (user, id));
    Ok(audience.listening.into_iter().flat_map(of_one).collect())
}
