//! Waiting for what a job refers to: a job may be enqueued before its event is written, so that no event stays
//! undelivered.

use std::future::Future;
use std::time::Duration;

use shared::domain::time::Timestamp;
use shared::{App, Error, Result};

/// The waits between attempts. After the last one the job fails, and SQS delivers it again.
const WAITS: [Duration; 4] = [
    Duration::from_millis(5),
    Duration::from_millis(25),
    Duration::from_millis(100),
    Duration::from_millis(400),
];
/// How long after its job was enqueued an event can still be written: longer than any request takes (29 s).
const WRITTEN_WITHIN: Duration = Duration::from_mins(1);

/// Calls `look` until it finds what a job refers to; `look` is told whether it is the first attempt. None if it will
/// never be written: its writer has died, and a retry has enqueued another job.
///
/// # Errors
/// [`Error::Unavailable`] if it may be written later than this job can wait.
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
    Err(Error::unavailable("what the job refers to is not written yet"))
}
