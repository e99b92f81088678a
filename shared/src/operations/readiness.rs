//! Whether what the system depends on answers.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::error::Result;
use crate::store::table;
use crate::{App, blob, queue};

/// How long a process goes by the last check in which everything answered. Anybody may ask, and a check is five calls.
/// A failure is not remembered: whoever asks again learns at once that it is over.
pub const REMEMBERED: Duration = Duration::from_secs(5);

/// When this process last saw everything answer, in milliseconds since 1970.
#[derive(Debug)]
struct Memory(AtomicI64);

impl Default for Memory {
    fn default() -> Self {
        Self(AtomicI64::new(i64::MIN))
    }
}

/// Checks that the table, the queues and the bucket answer, unless they did a moment ago.
///
/// # Errors
/// What the first of them that does not answer failed with.
pub async fn check(app: &App) -> Result<()> {
    let memory = app.remembered::<Memory>();
    let Memory(last) = &*memory;
    let now = app.now().milliseconds();
    let since = now.saturating_sub(last.load(Ordering::Relaxed));
    if u128::try_from(since).is_ok_and(|since| since < REMEMBERED.as_millis()) {
        return Ok(());
    }
    tokio::try_join!(table::ready(app), queue::ready(app), blob::ready(app))?;
    last.store(now, Ordering::Relaxed);
    Ok(())
}
