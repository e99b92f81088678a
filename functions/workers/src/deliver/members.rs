//! Delivery to the members of a conversation: who they are, where they are connected, and who has missed it.
//!
//! A large group is split into jobs over ranges of members, so that the cost per member is the same everywhere.

use shared::domain::conversation::ReadMark;
use shared::domain::ids::{ConversationId, UserId};
use shared::operations::delivery::{self, Audience, Delivery};
use shared::queue::{self, Fanout, Missing, Offline, Queue, Recipients};
use shared::store::conversations::{self, Head};
use shared::store::members::{self, Member, Shards};
use shared::store::{Worker, reads};
use shared::{App, Error, Result};

use super::loaded_event::LoadedEvent;

/// About how many members one job reaches.
const CHUNK: u32 = 100;
/// The maximum number of members that one job reaches.
const MOST: u32 = CHUNK + CHUNK / 2;

/// The static data of a conversation.
pub(super) async fn head(app: &App, worker: Worker, conversation: ConversationId) -> Result<Head> {
    let head = conversations::head_for_worker(app, worker, conversation).await?;
    head.ok_or_else(|| Error::internal("a job for a conversation that does not exist"))
}

/// The first members for a job for all of them: all members, unless they are too many for one job or very new. Read
/// concurrently with what else the job needs, which saves a round trip for nearly every job.
pub(super) async fn first_of(app: &App, worker: Worker, job: &Fanout) -> Result<Vec<Member>> {
    match job.to {
        Recipients::All => members::at_most(app, worker, job.conversation, MOST).await,
        Recipients::Pair(_) | Recipients::Shards(..) => Ok(Vec::new()),
    }
}

/// Delivers to the members that a job is for, or splits the job if they are too many. The head and the first members
/// are passed in if they have been read.
pub(super) async fn deliver(
    app: &App,
    worker: Worker,
    job: &Fanout,
    (known, first): (Option<Head>, Vec<Member>),
    event: &LoadedEvent,
) -> Result<()> {
    let conversation = job.conversation;
    let members = match &job.to {
        Recipients::Pair(pair) => members::some(app, worker, conversation, pair).await?,
        Recipients::Shards(first, last) => {
            let (first, last) = (*first, *last);
            members::in_shards(app, worker, conversation, Shards { first, last }).await?
        }
        Recipients::All => {
            let count = match known {
                Some(head) => head.members,
                None => head(app, worker, conversation).await?.members,
            };
            if count > MOST {
                return split(app, job, count).await;
            }
            if first.len() == count as usize {
                first
            } else {
                members::in_shards(app, worker, conversation, Shards::ALL).await?
            }
        }
    };
    if !matches!(
        (&job.to, event),
        (Recipients::Shards(..), LoadedEvent::Entry { .. })
    ) {
        return deliver_to_each(app, worker, &members, event).await;
    }
    let audience = audience_of(app, &members, event).await?;
    // A recent message has rarely been read, which half a read unit can tell.
    let last_read = reads::last(app, worker, conversation).await?;
    let read_marks = if last_read.is_some_and(|last_read| event.is_read_since(last_read)) {
        read_marks_of(&members::in_shards(app, worker, conversation, Shards::ALL).await?)
    } else {
        read_marks_of(&members)
    };
    deliver_to(app, worker, &members, &read_marks, audience, event).await
}

/// Delivers to the given members only, for events that do not depend on others.
pub(super) async fn deliver_to_each(
    app: &App,
    worker: Worker,
    members: &[Member],
    event: &LoadedEvent,
) -> Result<()> {
    let audience = audience_of(app, members, event).await?;
    deliver_to(app, worker, members, &read_marks_of(members), audience, event).await
}

async fn audience_of(app: &App, members: &[Member], event: &LoadedEvent) -> Result<Audience> {
    let users: Vec<UserId> = members.iter().map(|member| member.user).collect();
    delivery::audience(app, &users, event.consistency()).await
}

/// Splits a job into several, for ranges of members.
async fn split(app: &App, job: &Fanout, members: u32) -> Result<()> {
    let count = u16::try_from(members.div_ceil(CHUNK)).unwrap_or(u16::MAX);
    let part = |shards: Shards| Fanout {
        to: Recipients::Shards(shards.first, shards.last),
        ..job.clone()
    };
    let jobs: Vec<Fanout> = Shards::split(count).into_iter().map(part).collect();
    queue::enqueue_all(app, Queue::Fanout, &jobs).await
}

/// Delivers to members whose connections are known, and enqueues a job for `notify` about the others.
pub(super) async fn deliver_to(
    app: &App,
    worker: Worker,
    members: &[Member],
    read_marks: &[ReadMark],
    audience: Audience,
    event: &LoadedEvent,
) -> Result<()> {
    let Audience { listening, offline } = audience;
    let mut deliveries = Vec::with_capacity(listening.len());
    for (user, listeners) in listening {
        let Some(member) = members.iter().find(|member| member.user == user) else {
            continue;
        };
        if let Some(frame) = event.frame(app, worker, member, read_marks).await? {
            deliveries.push(Delivery {
                user,
                listeners,
                frame,
            });
        }
    }
    // Offline members do not wait for another member's throttled connection.
    let ((unreached, delivered), queued) = tokio::join!(
        delivery::deliver(app, deliveries),
        enqueue_missed(app, event, offline)
    );
    queued?;
    enqueue_missed(app, event, unreached).await?;
    delivered
}

/// Enqueues a job for `notify` about the members whom a message did not reach.
async fn enqueue_missed(app: &App, event: &LoadedEvent, mut users: Vec<UserId>) -> Result<()> {
    let Some((conversation, seq, sender)) = event.missable() else {
        return Ok(());
    };
    users.retain(|user| *user != sender);
    if users.is_empty() {
        return Ok(());
    }
    let job = Offline {
        conversation,
        missing: vec![Missing { seq, users }],
    };
    queue::enqueue_later(app, Queue::Offline, &job, app.config().offline_grace).await
}

/// The read marks of members.
pub(super) fn read_marks_of(members: &[Member]) -> Vec<ReadMark> {
    members.iter().map(|member| member.read_mark.clone()).collect()
}
