//! Waiting for what a job speaks of: a job may be queued before it is written, so that nothing is written that nobody
//! hears of.

use std::future::Future;
use std::time::Duration;

use shared::domain::time::Timestamp;
use shared::{App, Error, Result};

/// The waits between looks. After the last of them the job fails, and comes back.
const WAITS: [Duration; 4] = [
    Duration::from_millis(5),
    Duration::from_millis(25),
    Duration::from_millis(100),
    Duration::from_millis(400),
];
/// How long after its job was queued something can still be written: longer than any request lasts (29 s).
const WRITTEN_WITHIN: Duration = Duration::from_mins(1);

/// Looks until it finds what a job speaks of; `look` is told whether it is the first time. None if it will never come:
/// whoever was writing it has died, and a retry has queued another job.
///
/// # Errors
/// [`Error::Unavailable`] if it may come later than this job can wait.
pub(super) async fn awaited<T, Looking>(
    app: &App,
    queued_at: Timestamp,
    look: impl Fn(bool) -> Looking + Send,
) -> Result<Option<T>>
where
    Looking: Future<Output = Result<Option<T>>> + Send,
    T: Send,
{
    let mut is_first = true;
    for wait in WAITS.into_iter().map(Some).chain([None]) {
        if let Some(found) = look(is_first).await? {
            return Ok(Some(found));
        }
        if app.now().since(queued_at) > WRITTEN_WITHIN {
            return Ok(None);
        }
        is_first = false;
        if let Some(wait) = wait {
            tokio::time::sleep(wait).await;
        }
    }
    Err(Error::unavailable("what a job speaks of is not there yet"))
}
