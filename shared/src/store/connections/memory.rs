//! What a process remembers for a moment of where people listen.
//!
//! A lively group has the items of the same people read for each message, and they are most of what its deliveries
//! read. Only people with a live connection are remembered: whoever comes back is seen at the next message. What else
//! is opened meanwhile is, as behind a copy of the table that lags, told a little later ([`crate::queue::CatchUp`]),
//! and a request that waits looks once more by itself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Listeners, Span};
use crate::App;
use crate::domain::ids::UserId;
use crate::domain::time::Timestamp;

/// Where people listen.
#[derive(Debug, Default)]
pub(crate) struct Memory(Mutex<HashMap<UserId, Remembered>>);

#[derive(Clone, Debug)]
struct Remembered {
    spans: Arc<[(String, Span)]>,
    asked_at: Timestamp,
}

impl Memory {
    /// More people than one process delivers to in a moment; beyond, it begins anew.
    const CAPACITY: usize = 10_000;

    /// Where somebody listens now, by what was read a moment ago.
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

    /// Remembers what was read, if it is of any use.
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

    /// Forgets somebody, of whom something has changed.
    pub(super) fn forget(&self, user: UserId) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&user);
    }
}
