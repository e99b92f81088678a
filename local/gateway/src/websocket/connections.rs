//! The live connections, and what `@connections` can do with them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc::error::SendTimeoutError;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::MESSAGE_LIMIT_BYTES;
use super::goodbye::Goodbye;
use crate::server::Moment;

/// Why a post to a connection was refused, as `PostToConnection` tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// The connection is not live: over, or its `$connect` has not ended. On AWS status 410, `GoneException`.
    #[error("the connection is gone")]
    Gone,
    /// The message is over 128 KB. On AWS status 413, `PayloadTooLargeException`.
    #[error("the message is over 128 KB")]
    TooLarge,
    /// The client takes its frames too slowly: what is queued for it is all that may be. On AWS status 429,
    /// `LimitExceededException`, as for an account that posts too much.
    #[error("posts are throttled")]
    Throttled,
}

/// What `GetConnection` tells of a live connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionInfo {
    /// When it connected, in milliseconds since 1970.
    pub connected_at: u64,
    /// When the last frame went in either direction, in milliseconds since 1970.
    pub last_active_at: u64,
    /// The client's address.
    pub source_ip: String,
    /// The client's `User-Agent`, if it sent one.
    pub user_agent: Option<String>,
}

/// What a connection's writer is told to do, in order.
pub(super) enum Outgoing {
    Text(Utf8Bytes),
    Close(Goodbye),
}

/// One live connection, as seen from outside its task.
pub(super) struct Line {
    outgoing: mpsc::Sender<Outgoing>,
    info: Mutex<(ConnectionInfo, Instant)>,
    /// Signalled when there is no place for a close frame: the connection ends at once.
    pub(super) cut: Notify,
}

#[derive(Default)]
pub(super) struct Connections {
    live: Mutex<HashMap<String, Arc<Line>>>,
    /// Sessions whose task has not ended, `$disconnect` included.
    sessions: watch::Sender<usize>,
}

/// Counts one session for as long as it lives.
pub(super) struct Session {
    sessions: watch::Sender<usize>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.sessions
            .send_modify(|count| *count = count.saturating_sub(1));
    }
}

impl Connections {
    /// Makes a connection live: from here on, posts reach it.
    pub(super) fn open(
        &self,
        id: &str,
        info: ConnectionInfo,
        capacity: usize,
    ) -> (Arc<Line>, mpsc::Receiver<Outgoing>, Session) {
        let (outgoing, queued) = mpsc::channel(capacity.max(1));
        let info = Mutex::new((info, Instant::now()));
        let line = Arc::new(Line {
            outgoing,
            info,
            cut: Notify::new(),
        });
        lock(&self.live).insert(id.to_owned(), Arc::clone(&line));
        self.sessions.send_modify(|count| *count += 1);
        (
            line,
            queued,
            Session {
                sessions: self.sessions.clone(),
            },
        )
    }

    pub(super) async fn post(&self, id: &str, data: &Bytes, patience: Duration) -> Result<(), PostError> {
        if data.len() > MESSAGE_LIMIT_BYTES {
            return Err(PostError::TooLarge);
        }
        let line = self.line(id).ok_or(PostError::Gone)?;
        let text = Outgoing::Text(String::from_utf8_lossy(data).as_ref().into());
        match line.outgoing.send_timeout(text, patience).await {
            Ok(()) => Ok(()),
            Err(SendTimeoutError::Timeout(_)) => Err(PostError::Throttled),
            Err(SendTimeoutError::Closed(_)) => Err(PostError::Gone),
        }
    }

    pub(super) fn get(&self, id: &str) -> Option<ConnectionInfo> {
        self.line(id).map(|line| lock(&line.info).0.clone())
    }

    pub(super) fn close(&self, id: &str, goodbye: &Goodbye) -> Result<(), PostError> {
        let line = lock(&self.live).remove(id).ok_or(PostError::Gone)?;
        finish(&line, goodbye);
        Ok(())
    }

    pub(super) async fn close_all(&self, goodbye: &Goodbye) {
        let lines: Vec<_> = lock(&self.live).drain().map(|(_, line)| line).collect();
        for line in lines {
            finish(&line, goodbye);
        }
        let mut sessions = self.sessions.subscribe();
        sessions.wait_for(|count| *count == 0).await.ok();
    }

    pub(super) fn remove(&self, id: &str) {
        lock(&self.live).remove(id);
    }

    pub(super) fn count(&self) -> usize {
        lock(&self.live).len()
    }

    fn line(&self, id: &str) -> Option<Arc<Line>> {
        lock(&self.live).get(id).cloned()
    }
}

/// Has a connection that is live no more end behind what is queued for it; at once, if its queue is full.
fn finish(line: &Line, goodbye: &Goodbye) {
    if line.outgoing.try_send(Outgoing::Close(goodbye.clone())).is_err() {
        line.cut.notify_one();
    }
}

impl Line {
    /// Queues a text behind what is queued already, however long the client takes; nothing for one that has ended.
    pub(super) async fn say(&self, text: &str) {
        self.outgoing.send(Outgoing::Text(text.into())).await.ok();
    }

    /// Notes that a frame went in either direction.
    pub(super) fn touch(&self) {
        let mut info = lock(&self.info);
        info.0.last_active_at = Moment::now().epoch_milliseconds;
        info.1 = Instant::now();
    }

    /// Resolves once the connection has been silent for so long.
    pub(super) async fn idle(&self, limit: Duration) {
        loop {
            let due = lock(&self.info).1 + limit;
            if due <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(due).await;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
