//! `deliver`: posts the frames of an event to the live connections of the people concerned.
//!
//! It is the third of four stages: an entry is *appended* to a log, a job is *enqueued*, the job is *delivered*, and
//! frames are *posted* to connections.
//!
//! A job holds ids and no content; each kind of job has a file here, which reads the current content from the table.
//! Members without a live connection are handed to `notify`, all members of a job in one job. Idempotent: frames carry
//! their `seq`, and a missed message is recorded once.

mod awaited;
mod catch_up;
mod entry;
mod loaded_event;
mod members;
mod opened;
mod personal;
mod read;
mod status;

use shared::domain::conversation::ReadMark;
use shared::domain::read_alone::ReadAlone;
use shared::job::Job;
use shared::queue::{DeliverJob, Fanout, FanoutEvent, Queue, Recipients};
use shared::rights::{Rights, TableAction};
use shared::store::Worker;
use shared::{App, Error, Result};

/// The worker of the queue `fanout`.
pub struct Deliver;

impl Job for Deliver {
    const NAME: &'static str = "deliver";
    const QUEUE: Queue = Queue::Fanout;
    const RIGHTS: Rights = Rights::NONE
        .table(&[
            TableAction::BatchGetItem,
            TableAction::GetItem,
            TableAction::PutItem,
            TableAction::Query,
            TableAction::UpdateItem,
        ])
        .queries_by_user()
        .sends_to(&[Queue::Fanout, Queue::Offline])
        .posts_frames();
    type Message = DeliverJob;

    async fn run(app: &App, worker: Worker, job: DeliverJob) -> Result<()> {
        match job {
            DeliverJob::Conversation(job) => to_conversation(app, worker, job).await,
            DeliverJob::Person(job) => personal::deliver(app, worker, job).await,
            DeliverJob::Connection(job) => catch_up::deliver(app, worker, job).await,
        }
    }
}

async fn to_conversation(app: &App, worker: Worker, job: Fanout) -> Result<()> {
    match job.event {
        FanoutEvent::Entry {
            seq,
            message,
            queued_at,
        } => entry::deliver(app, worker, &job, (seq, message, queued_at)).await,
        FanoutEvent::Status { seq, message } => {
            let Recipients::Pair(pair) = job.to else {
                return Err(Error::internal(
                    "a status of a message that is not in a direct conversation",
                ));
            };
            status::deliver(app, worker, job.conversation, (seq, message), pair).await
        }
        // Boxed: a future of the SDK is large, and every job would hold those of this one.
        FanoutEvent::Opened => Box::pin(opened::deliver(app, worker, &job)).await,
        FanoutEvent::Read {
            user,
            seq,
            message,
            at,
        } => {
            let read_mark = ReadMark {
                user_id: user,
                last_read_seq: seq,
                last_read_message_id: Some(message),
                read_at: Some(at),
                alone: ReadAlone::default(),
            };
            read::deliver(app, worker, &job, read_mark).await
        }
    }
}
