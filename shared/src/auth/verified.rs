//! A cache of verified tokens: a repeated token needs no signature verification.
//!
//! Only the SHA-256 of a token is kept. The token's times are checked each time, and no token is cached for longer than
//! the key that verified it may be used.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sha2::{Digest as _, Sha256};

use super::Caller;
use crate::domain::time::Timestamp;

/// Verified tokens with their callers.
#[derive(Debug, Default)]
pub(super) struct Verified(Mutex<HashMap<[u8; 32], Known>>);

#[derive(Debug)]
struct Known {
    caller: Caller,
    good_until: Timestamp,
}

impl Verified {
    /// More than one process serves within a short time; when it is full, the cache is cleared.
    const CAPACITY: usize = 1_000;

    /// The caller of a cached token that is still valid at `now`.
    pub(super) fn find(&self, token: &str, now: Timestamp) -> Option<Caller> {
        let known = self.lock();
        let known = known.get(&digest(token))?;
        (now < known.good_until).then(|| known.caller.clone())
    }

    /// Caches a verified token.
    pub(super) fn note(&self, token: &str, caller: &Caller, good_until: Timestamp) {
        let mut known = self.lock();
        if known.len() >= Self::CAPACITY {
            known.clear();
        }
        let caller = caller.clone();
        known.insert(digest(token), Known { caller, good_until });
    }

    /// Clears the cache, because the published keys may have changed.
    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}
