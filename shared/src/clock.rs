//! The clock: all code gets the time here, so that tests can move it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::domain::time::Timestamp;

/// The system's clock plus an offset that tests set.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    ahead_milliseconds: Arc<AtomicI64>,
}

impl Clock {
    /// The current time.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that asks the system"
    )]
    pub fn now(&self) -> Timestamp {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let milliseconds = i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_milliseconds(
            milliseconds.saturating_add(self.ahead_milliseconds.load(Ordering::Relaxed)),
        )
    }

    /// Moves this clock, and all its clones, forward.
    pub fn advance(&self, duration: Duration) {
        let milliseconds = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        self.ahead_milliseconds.fetch_add(milliseconds, Ordering::Relaxed);
    }
}
