//! How often a call to a service is retried, and the retry budget of a process.
//!
//! The SDK is the only layer that retries a call; what retries above it makes new decisions. Retrying two or three
//! times makes an overload worse: a process may retry once per ten successful calls, plus a small initial budget. While
//! half of all calls are throttled, the table gets at most a tenth more calls than without throttling
//! (`tests/it/faults/half.rs`).
//! Source: AWS, *Retry behavior*, "retry quota".

use std::time::Duration;

use aws_sdk_dynamodb::config::retry::{RetryPartition, TokenBucket};
use aws_smithy_types::retry::RetryConfig;

/// Attempts at one call.
const MAX_ATTEMPTS: u32 = 3;
/// The maximum delay before the second attempt, with full jitter; doubled before the third.
const FIRST_PAUSE: Duration = Duration::from_millis(25);

/// The cost of a retry.
const COST: u32 = 10;
/// What a successful call adds: a tenth of a retry.
const REWARD: f32 = 1.0;
/// The initial budget of a process: ten retries.
const CAPACITY: usize = 100;

/// The retry configuration.
pub(crate) fn schedule() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(MAX_ATTEMPTS)
        .with_initial_backoff(FIRST_PAUSE)
}

/// The budget of one process for one service. The SDK's default would be shared by all functions in one process, as on
/// the desk.
pub(crate) fn budget() -> RetryPartition {
    let bucket = TokenBucket::builder()
        .capacity(CAPACITY)
        .throttling_retry_cost(COST)
        .timeout_retry_cost(COST)
        // Conflicts of transactions (`clients::conflicts`) should not use up the budget.
        .retry_cost(0)
        .success_reward(REWARD)
        .build();
    RetryPartition::custom("function").token_bucket(bucket).build()
}
