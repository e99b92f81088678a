//! A short-lived cache of connections in a process.
//!
//! In a busy group the items of the same people are read for every message, which is most of what deliveries read. Only
//! people with a live connection are cached, so somebody who comes back is seen at the next message. A connection that
//! is opened in the meantime is caught up later, as with an outdated eventually consistent read
//! ([`crate::queue::CatchUp`]), and a waiting request checks once more by itself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Listeners, Span};
use crate::App;
use crate::domain::ids::UserId;
use crate::domain::time::Timestamp;

/// The cached connections.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<HashMap<UserId, Remembered>>);

#[derive(Clone, Debug)]
struct Remembered {
    spans: Arc<[(String, Span)]>,
    asked_at: Timestamp,
}

impl Memory {
    /// More people than one process delivers to within a moment; when it is full, the cache is cleared.
    const CAPACITY: usize = 10_000;

    /// The cached listeners of a user.
    pub(in crate::store) fn find(&self, app: &App, user: UserId) -> Option<Listeners> {
        let now = app.now();
        let known = {
            let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            known.get(&user).cloned()?
        };
        if now.since(known.asked_at) >= app.config().listeners_memory {
            return None;
        }
        let spans = known.spans.iter().map(|(name, span)| (&**name, *span));
        let listeners = Listeners {
            is_remembered: true,
            ..super::listening(spans, now)
        };
        (!listeners.connections.is_empty()).then_some(listeners)
    }

    /// Caches what was read, if it has a live connection.
    pub(super) fn note(&self, app: &App, user: UserId, spans: &[(&str, Span)], asked_at: Timestamp) {
        if app.config().listeners_memory.is_zero() || !spans.iter().any(|(_, span)| span.ends_at > asked_at) {
            return;
        }
        let spans = spans.iter().map(|(name, span)| ((*name).to_owned(), *span));
        let remembered = Remembered {
            spans: spans.collect(),
            asked_at,
        };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= Self::CAPACITY {
            known.clear();
        }
        known.insert(user, remembered);
    }

    /// Removes a user whose connections changed.
    pub(super) fn forget(&self, user: UserId) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&user);
    }
}
