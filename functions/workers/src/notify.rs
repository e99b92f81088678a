//! `notify`: notes what absent members have missed, after a grace time.
//!
//! Whoever has read meanwhile is left alone. The rest get one notification per conversation, updated in place.

use futures::stream::{self, TryStreamExt as _};
use shared::domain::message::Event;
use shared::job::{Job, entry};
use shared::lambda::Function;
use shared::queue::{Offline, Queue};
use shared::store::Worker;
use shared::store::notifications::{self, Missed};
use shared::store::{log, members};
use shared::{App, Error, Result};

/// The worker of the queue `offline`.
pub struct Notify;

/// How many notifications are on their way at once.
const PARALLEL: usize = 16;

/// The function.
pub fn function() -> Function {
    Function::queue(entry::<Notify>())
}

impl Job for Notify {
    const NAME: &'static str = "notify";
    const QUEUE: Queue = Queue::Offline;
    type Message = Offline;

    async fn run(app: &App, worker: Worker, job: Offline) -> Result<()> {
        let entry = log::entry_for_worker(app, worker, job.conversation, job.seq).await?;
        let entry = entry.ok_or_else(|| Error::internal("a job for a log entry that does not exist"))?;
        let Event::Message(content) = &entry.event else {
            return Err(Error::internal("a job for a log entry that is no message"));
        };
        if content.deletion.is_some() {
            return Ok(());
        }
        let missed = Missed {
            conversation: job.conversation,
            seq: entry.seq,
            message: content.id,
            sender_username: content.sender_username.clone(),
            at: entry.at,
        };
        let members = members::some(app, worker, job.conversation, &job.users).await?;
        let behind = members
            .iter()
            .filter(|member| member.cursor.last_read_seq < job.seq);
        stream::iter(behind.map(Ok::<_, Error>))
            .try_for_each_concurrent(PARALLEL, |member| {
                notifications::note_missed(app, worker, member.user, &missed)
            })
            .await
    }
}
