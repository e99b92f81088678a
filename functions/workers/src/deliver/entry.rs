//! Delivery of a log entry.
//!
//! What a delivery needs is read with eventual consistency, at half the price, and again with strong consistency if
//! anything is missing.

use std::time::Duration;

use shared::domain::ids::{MessageId, UserId};
use shared::domain::time::Timestamp;
use shared::queue::{Fanout, Recipients};
use shared::store::delivery_data::{self, DeliveryData, DeliveryQuery};
use shared::store::table::Consistency;
use shared::store::{Worker, log};
use shared::{App, Result};

use super::awaited::awaited;
use super::loaded_event::LoadedEvent;
use super::members;

/// How long an entry is delivered as the end of its log, including the unread count, without checking for a later
/// entry: a later entry has its own delivery, and of two frames the one with the larger `seq` is current. A late or
/// repeated job may be the last one to arrive, so it checks.
const FRESH: Duration = Duration::from_secs(1);

/// Delivers the entry with this number, if it is about this message.
pub(super) async fn deliver(
    app: &App,
    worker: Worker,
    job: &Fanout,
    (seq, message, queued_at): (u64, MessageId, Timestamp),
) -> Result<()> {
    let conversation = job.conversation;
    let users: &[UserId] = match &job.to {
        Recipients::Pair(pair) => pair,
        Recipients::All | Recipients::Shards(..) => &[],
    };
    let query = DeliveryQuery {
        conversation,
        seq,
        next: app.now().since(queued_at) > FRESH,
        users,
    };
    let look = |is_first| look(app, worker, query, is_first);
    let (data, first) =
        tokio::try_join!(awaited(app, queued_at, look), members::first_of(app, worker, job),)?;
    let Some(data) = data else {
        return Ok(());
    };
    let Some(entry) = data.entry.filter(|entry| entry.event.message_id() == message) else {
        // Another entry has this number; the writer that lost the race has enqueued a job for its next number.
        return Ok(());
    };
    let newest = if data.has_next {
        log::newest(app, conversation, Consistency::Strong).await?
    } else {
        Some(entry.clone())
    };
    let subject = match entry.event.subject() {
        Some(seq) => log::entry_for_worker(app, worker, conversation, seq).await?,
        None => None,
    };
    let event = LoadedEvent::Entry {
        conversation,
        entry: Box::new(entry),
        subject: subject.map(Box::new),
        newest,
    };
    if matches!(job.to, Recipients::Pair(_)) {
        let found = data.members.iter().map(|member| member.user).zip(data.listeners);
        let read_marks = members::read_marks_of(&data.members);
        return members::deliver_to(app, worker, &data.members, &read_marks, found.collect(), &event).await;
    }
    members::deliver(app, worker, job, (data.head, first), &event).await
}

/// Reads the entry of a job, and what else the job needs.
async fn look(
    app: &App,
    worker: Worker,
    query: DeliveryQuery<'_>,
    is_first: bool,
) -> Result<Option<DeliveryData>> {
    let consistency = if is_first {
        Consistency::Eventual
    } else {
        Consistency::Strong
    };
    let data = delivery_data::read(app, worker, query, consistency).await?;
    let is_whole = data.members.len() == query.users.len() || consistency == Consistency::Strong;
    Ok(Some(data).filter(|data| data.entry.is_some() && is_whole))
}
