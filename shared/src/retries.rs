//! How often a call to a service is tried again, and how many retries a process has in all.
//!
//! The SDK's is the only layer that retries a call; what retries above it makes new decisions. A service that is
//! overloaded is not helped by two or three times the calls: a process may try again once for each ten calls that
//! succeeded, and a few times more at once. While half of all calls are throttled, the table then gets at most a
//! tenth more of them than while none is (`tests/it/faults/half.rs`).
//! Source: AWS, *Retry behavior*, "retry quota".

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
const REWARD: f32 = 1.0;
/// The budget of a process that has called nothing yet: ten retries.
const CAPACITY: usize = 100;

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
        .capacity(CAPACITY)
        .throttling_retry_cost(COST)
        .timeout_retry_cost(COST)
        // Conflicts of transactions (`store::table::Conflicts`): of no use to save.
        .retry_cost(0)
        .success_reward(REWARD)
        .build();
    RetryPartition::custom("function").token_bucket(bucket).build()
}
