//! Tokens that this process has verified already: whoever calls again with the same one waits for no signature.
//!
//! What is kept of a token is its SHA-256, from which nobody can make it. Its times are looked at each time, and no
//! token is taken for good for longer than the key that verified it is.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sha2::{Digest as _, Sha256};

use super::Caller;
use crate::domain::time::Timestamp;

/// Verified tokens, each with its caller.
#[derive(Debug, Default)]
pub(super) struct Verified(Mutex<HashMap<[u8; 32], Known>>);

#[derive(Debug)]
struct Known {
    caller: Caller,
    good_until: Timestamp,
}

impl Verified {
    /// More than call one process in a while; beyond, it begins anew.
    const CAPACITY: usize = 1_000;

    /// The caller of a token that is known, and at `now` still good.
    pub(super) fn find(&self, token: &str, now: Timestamp) -> Option<Caller> {
        let known = self.lock();
        let known = known.get(&digest(token))?;
        (now < known.good_until).then(|| known.caller.clone())
    }

    /// Notes a token that has been verified.
    pub(super) fn note(&self, token: &str, caller: &Caller, good_until: Timestamp) {
        let mut known = self.lock();
        if known.len() >= Self::CAPACITY {
            known.clear();
        }
        let caller = caller.clone();
        known.insert(digest(token), Known { caller, good_until });
    }

    /// Forgets all, because other keys may be published.
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
