//! `notify`: records what offline members have missed, after a grace period.
//!
//! Members who have read in the meantime are left out. The others get one notification per conversation, updated in
//! place. So the jobs of a batch about one conversation are merged: each member is recorded once, for the newest missed
//! message.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use shared::domain::ids::{ConversationId, UserId};
use shared::domain::message::Event;
use shared::job::Job;
use shared::queue::{Missing, Offline, Queue};
use shared::rights::{Rights, TableAction};
use shared::store::Worker;
use shared::store::notifications::{self, Missed};
use shared::store::{log, members};
use shared::{App, Error, Result};

/// The worker of the queue `offline`.
pub struct Notify;

/// How many reads and writes are made concurrently.
const PARALLEL: usize = 16;

impl Job for Notify {
    const NAME: &'static str = "notify";
    const QUEUE: Queue = Queue::Offline;
    const RIGHTS: Rights = Rights::NONE.table(&[
        TableAction::BatchGetItem,
        TableAction::GetItem,
        TableAction::UpdateItem,
    ]);
    type Message = Offline;

    async fn run(app: &App, worker: Worker, job: Offline) -> Result<()> {
        let conversation = job.conversation;
        let numbers: BTreeSet<u64> = job.missing.iter().map(|missing| missing.seq).collect();
        let missed: BTreeMap<u64, Missed> = stream::iter(numbers)
            .map(|seq| missed(app, worker, conversation, seq))
            .buffer_unordered(PARALLEL)
            .try_filter_map(async |missed| Ok(missed.map(|missed| (missed.seq, missed))))
            .try_collect()
            .await?;
        let mut newest: HashMap<UserId, &Missed> = HashMap::new();
        for missing in &job.missing {
            let Some(missed) = missed.get(&missing.seq) else {
                continue;
            };
            for user in &missing.users {
                let known = newest.entry(*user).or_insert(missed);
                if known.seq < missed.seq {
                    *known = missed;
                }
            }
        }
        let users: Vec<UserId> = newest.keys().copied().collect();
        let members = members::some(app, worker, conversation, &users).await?;
        let behind = members.iter().filter_map(|member| {
            let missed = *newest.get(&member.user)?;
            (!member.read_mark.has_read(missed.seq)).then_some((member.user, missed))
        });
        stream::iter(behind.map(Ok::<_, Error>))
            .try_for_each_concurrent(PARALLEL, |(user, missed)| {
                notifications::note_missed(app, worker, user, missed)
            })
            .await
    }

    fn fold(batch: Vec<(usize, Offline)>) -> Vec<(Offline, Vec<usize>)> {
        let mut jobs: BTreeMap<ConversationId, (Vec<Missing>, Vec<usize>)> = BTreeMap::new();
        for (place, job) in batch {
            let (missing, places) = jobs.entry(job.conversation).or_default();
            missing.extend(job.missing);
            places.push(place);
        }
        let job = |(conversation, (missing, places))| {
            (
                Offline {
                    conversation,
                    missing,
                },
                places,
            )
        };
        jobs.into_iter().map(job).collect()
    }
}

/// The message with a number; none if it has been deleted or blocked in the meantime.
async fn missed(app: &App, worker: Worker, conversation: ConversationId, seq: u64) -> Result<Option<Missed>> {
    let entry = log::entry_for_worker(app, worker, conversation, seq).await?;
    let entry = entry.ok_or_else(|| Error::internal("a job for a log entry that does not exist"))?;
    let Event::Message(content) = entry.event else {
        return Err(Error::internal("a job for a log entry that is no message"));
    };
    Ok(content.is_shown().then_some(Missed {
        conversation,
        seq: entry.seq,
        message: content.id,
        sender_username: content.sender_username,
        at: entry.at,
    }))
}
