//! How often a call to a service is tried again, and how many retries a process has in all.
//!
//! The SDK's is the only layer that retries its calls, and [`crate::push`] that of its own; what tries again above them
//! makes new decisions. A service that is overloaded is not helped by two or three times the calls: a process may try
//! again once for each ten calls that succeeded, and a few times more at once. While half of all calls are throttled,
//! the table then gets at most a tenth more of them than while none is (`tests/it/faults/half.rs`).
//! Source: AWS, *Retry behavior*, "retry quota".

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::config::retry::{RetryPartition, TokenBucket};
use aws_smithy_types::retry::RetryConfig;

/// Attempts at one call.
const MAX_ATTEMPTS: u32 = 3;
/// The most time before the second attempt, of which a random part is waited; twice as much before the third.
const FIRST_PAUSE: Duration = Duration::from_millis(25);

/// What a retry takes from the budget.
const COST: u32 = 10;
/// What a call that succeeded brings in: a tenth of a retry.
const REWARD: u16 = 1;
/// The budget of a process that has called nothing yet: ten retries.
const FULL: u32 = 100;

/// How often a call is tried again, and when.
pub(crate) fn schedule() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(MAX_ATTEMPTS)
        .with_initial_backoff(FIRST_PAUSE)
}

/// The budget of one process with one service. That of the SDK would be shared by all functions that run in one
/// process, as they do on the desk.
pub(crate) fn budget() -> RetryPartition {
    let bucket = TokenBucket::builder()
        .capacity(FULL as usize)
        .throttling_retry_cost(COST)
        .timeout_retry_cost(COST)
        // Conflicts of transactions (`store::table::Conflicts`): of no use to save.
        .retry_cost(0)
        .success_reward(f32::from(REWARD))
        .build();
    RetryPartition::custom("function").token_bucket(bucket).build()
}

/// What is left of the retries of one process with a service that is not called through the SDK, by the same figures.
#[derive(Debug)]
pub(crate) struct Budget(AtomicU32);

impl Default for Budget {
    fn default() -> Self {
        Self(AtomicU32::new(FULL))
    }
}

impl Budget {
    /// Takes a retry, if one is left.
    fn take(&self) -> bool {
        let less = |left: u32| left.checked_sub(COST);
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
            .is_ok()
    }

    /// Puts back what was not needed, or what a call that succeeded brings.
    fn add(&self, tokens: u32) {
        let more = |left: u32| Some(FULL.min(left + tokens));
        // It never refuses.
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .ok();
    }
}

/// The attempts at one call that is not made through the SDK.
pub(crate) struct Attempts<'a> {
    budget: &'a Budget,
    made: u32,
}

impl<'a> Attempts<'a> {
    /// Before the first one.
    pub(crate) fn new(budget: &'a Budget) -> Self {
        Self { budget, made: 0 }
    }

    /// Notes that the last attempt was answered. A retry that helped is given back, as the SDK gives it back.
    pub(crate) fn succeeded(self) {
        self.budget.add(if self.made == 0 { REWARD.into() } else { COST });
    }

    /// After an attempt in vain: whether there is to be another, once the pause before it is over.
    pub(crate) async fn pause(&mut self) -> bool {
        self.made += 1;
        if self.made >= MAX_ATTEMPTS || !self.budget.take() {
            return false;
        }
        let longest = FIRST_PAUSE * 2_u32.pow(self.made - 1);
        tokio::time::sleep(longest.mul_f64(fastrand::f64())).await;
        true
    }
}
