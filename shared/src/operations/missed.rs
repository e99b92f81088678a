//! What a connection has missed, page by page: for `resume`, and for the catch-up of a new connection.
//!
//! Each frame of a page is a call to the `@connections` API, so a page is bounded in number and in bytes, however much
//! was missed; whoever asked goes on with its token.

use crate::App;
use crate::connections_api::{self, Posted};
use crate::domain::ids::{ConnectionId, UserId};
use crate::domain::time::Timestamp;
use crate::error::{Error, Result};
use crate::operations::views::{self, Unread};
use crate::store::sync::{self, Snapshot, SyncedEvent, Token};

/// How many events a page has at the most (contract §3).
pub const PAGE_EVENTS: usize = 200;
/// How many bytes the frames of a page have at the most (contract §3). The first is there whatever its size, which is
/// at most [`FRAME_LIMIT_BYTES`](crate::domain::frame::FRAME_LIMIT_BYTES).
pub const PAGE_BYTES: usize = 256 * 1024;

/// The first of what was missed since a token.
#[derive(Clone, Debug)]
pub struct Page {
    /// The frames, in order.
    pub frames: Vec<String>,
    /// The time of the last event that was looked at.
    pub last_at: Option<Timestamp>,
    /// Where to go on.
    pub next: Token,
    /// Whether there is more.
    pub has_more: bool,
    /// False if the token is too old for a complete answer.
    pub recovered: bool,
}

/// Finds the first of what was missed since a token, of what is wanted. `now` is a moment before the places were read.
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

/// Posts frames to one connection, in order, and stops if it is gone; whether it has them all.
pub async fn post(app: &App, connection: &ConnectionId, frames: &[String]) -> Result<bool> {
    for frame in frames {
        if connections_api::post(app, connection, frame).await? == Posted::Gone {
            return Ok(false);
        }
    }
    Ok(true)
}
