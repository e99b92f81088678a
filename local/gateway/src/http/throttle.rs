//! The throttle of a route: a bucket of tokens, as API Gateway has one for each.
//!
//! From "Throttle requests to your HTTP APIs": requests beyond the burst, which the rate fills up again, are answered
//! 429 and reach no function. AWS does so "on a best-effort basis"; the desk is exact.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::template::ThrottleSpec;

/// The tokens of a route.
#[derive(Debug)]
pub(super) struct Bucket {
    spec: ThrottleSpec,
    /// When it will be full: for each token that it lacks, the time that the rate takes to bring one later than now.
    full_at: Mutex<Option<Instant>>,
}

impl Bucket {
    /// A full one.
    pub(super) fn new(spec: ThrottleSpec) -> Self {
        Self {
            spec,
            full_at: Mutex::new(None),
        }
    }

    /// Takes a token, if there is one.
    pub(super) fn admits(&self, now: Instant) -> bool {
        let (Ok(rate), Ok(burst)) = (u32::try_from(self.spec.rate), u32::try_from(self.spec.burst)) else {
            return true;
        };
        if rate == 0 || burst == 0 {
            return false;
        }
        let a_token = Duration::from_secs(1) / rate;
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let then = full_at.map_or(now, |full_at| full_at.max(now)) + a_token;
        let is_there = then.duration_since(now) <= a_token * burst;
        if is_there {
            *full_at = Some(then);
        }
        is_there
    }
}
