//! What a connection has missed, page by page: for `resume`, and for the catch-up of a new connection.
//!
//! Posting a frame is a call to the `@connections` API, so a page is limited in number and bytes; the rest follows with
//! the page's token.

use crate::App;
use crate::connections_api::{self, Posted};
use crate::domain::ids::{ConnectionId, UserId};
use crate::domain::time::Timestamp;
use crate::error::{Error, Result};
use crate::operations::views::{self, Unread};
use crate::store::sync::{self, Snapshot, SyncedEvent, Token};

/// The maximum number of events of a page (contract §3).
pub const PAGE_EVENTS: usize = 200;
/// The maximum size of the frames of a page in bytes (contract §3). The first frame is included whatever its size,
/// which is at most [`FRAME_LIMIT_BYTES`](crate::domain::frame::FRAME_LIMIT_BYTES).
pub const PAGE_BYTES: usize = 256 * 1024;

/// A page of what was missed since a token.
#[derive(Clone, Debug)]
pub struct Page {
    /// The frames, in order.
    pub frames: Vec<String>,
    /// The time of the last event that was examined.
    pub last_at: Option<Timestamp>,
    /// The token for the next page.
    pub next: Token,
    /// Whether there are more events.
    pub has_more: bool,
    /// False if the token is too old for a complete answer.
    pub recovered: bool,
}

/// Finds a page of the missed events that `wanted` selects. `now` is a moment before the snapshots were read.
pub async fn page(
    app: &App,
    user: UserId,
    (now, snapshots): (Timestamp, &[Snapshot]),
    token: &Token,
    unread: Unread,
    wanted: impl Fn(&SyncedEvent) -> bool,
) -> Result<Page> {
    let mut since = sync::since(app, now, snapshots, token, PAGE_EVENTS).await?;
    let events: Vec<SyncedEvent> = since
        .events
        .iter()
        .filter(|event| wanted(event))
        .cloned()
        .collect();
    let found = views::frames(app, user, snapshots, &events, unread).await?;
    let (mut frames, mut bytes) = (Vec::with_capacity(found.len()), 0);
    let mut found = found.into_iter();
    for (index, event) in since.events.iter().enumerate() {
        if !wanted(event) {
            continue;
        }
        let Some(frame) = found.next().flatten() else {
            continue;
        };
        let text = frame.to_text().map_err(Error::internal)?;
        bytes += text.len();
        if bytes > PAGE_BYTES && !frames.is_empty() {
            since = since.first(app, snapshots, index).await?;
            break;
        }
        frames.push(text);
    }
    Ok(Page {
        frames,
        last_at: since.events.last().map(|event| event.at),
        next: since.next,
        has_more: since.has_more,
        recovered: since.recovered,
    })
}

/// Posts frames to one connection, in order, until it is gone; returns whether all were posted.
pub async fn post(app: &App, connection: &ConnectionId, frames: &[String]) -> Result<bool> {
    for frame in frames {
        if connections_api::post(app, connection, frame).await? == Posted::Gone {
            return Ok(false);
        }
    }
    Ok(true)
}
