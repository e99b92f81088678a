//! Receipts of person-to-person messages: marking as delivered, and as read individually (contract §4).

use std::collections::BTreeMap;

use futures::stream::{self, TryStreamExt as _};

use super::reading::is_told;
use crate::App;
use crate::domain::conversation::ReadMark;
use crate::domain::ids::{ConversationId, MessageId, UserId};
use crate::domain::message_v2::Between;
use crate::error::{Error, Result};
use crate::queue::{self, Fanout, FanoutEvent, Queue, Recipients};
use crate::store::log::{self, Addressed};
use crate::store::members::{self, Membership};
use crate::store::table::Consistency;

/// How many messages are marked concurrently.
const PARALLEL: usize = 16;

/// The read marks of both members, the user's first.
pub async fn read_marks(app: &App, user: UserId, message: &Addressed) -> Result<[ReadMark; 2]> {
    let membership = Membership::of(app, user, message.conversation(), Consistency::Strong).await?;
    both(app, &membership).await
}

/// The read marks of both members of a direct conversation, the given member's first.
pub async fn both(app: &App, membership: &Membership) -> Result<[ReadMark; 2]> {
    let peer = membership.member().peer;
    let peer = peer.ok_or_else(|| Error::internal("a member of a direct conversation has no peer"))?;
    let other = members::other(app, membership, peer).await?;
    let other = other.ok_or_else(|| Error::internal("a direct conversation has one member"))?;
    Ok([membership.read_mark().clone(), other.read_mark])
}

/// Marks a message as delivered to its receiver, and enqueues this for both members. A message that is delivered or
/// read already is left unchanged.
///
/// # Errors
/// [`Error::NotFound`] if the user has no such message, [`Error::Forbidden`] if they sent it.
pub async fn mark_delivered(
    app: &App,
    user: UserId,
    message: MessageId,
) -> Result<(Addressed, [ReadMark; 2])> {
    let found = log::addressed(app, user, &[message]).await?;
    let message = found.into_iter().next().ok_or(Error::NotFound("message"))?;
    if !message.is_received() {
        return Err(Error::Forbidden(
            "only the receiver may mark a message as delivered",
        ));
    }
    let read_marks = read_marks(app, user, &message).await?;
    let [receiver, _] = &read_marks;
    let message = if receiver.has_read(message.entry().seq) {
        message
    } else {
        log::mark_delivered(app, &message).await?
    };
    let read_at = receiver
        .read_at
        .filter(|_| receiver.has_read(message.entry().seq));
    if message
        .content()?
        .delivered_at
        .max(read_at)
        .is_some_and(|at| is_told(app, at))
    {
        queue::enqueue(app, Queue::Fanout, &status_job(&message)).await?;
    }
    Ok((message, read_marks))
}

/// Marks only these messages as read, and enqueues this for both sides. Returns how many were unread. Ids that the user
/// may not mark are ignored.
pub async fn mark_read(app: &App, user: UserId, messages: &[MessageId]) -> Result<u64> {
    let mut found = log::addressed(app, user, messages).await?;
    found.retain(Addressed::is_received);
    let mut by_conversation: BTreeMap<ConversationId, Vec<Addressed>> = BTreeMap::new();
    for message in found {
        by_conversation
            .entry(message.conversation())
            .or_default()
            .push(message);
    }
    let mut marked = 0;
    for (conversation, messages) in by_conversation {
        marked += mark_in(app, user, conversation, &messages).await?;
    }
    Ok(marked)
}

async fn mark_in(
    app: &App,
    user: UserId,
    conversation: ConversationId,
    messages: &[Addressed],
) -> Result<u64> {
    let (mut after, newest) = tokio::try_join!(
        Membership::of(app, user, conversation, Consistency::Strong),
        log::newest(app, conversation, Consistency::Strong),
    )?;
    let newest = newest.ok_or_else(|| Error::internal("a log with messages has no end"))?;
    let is_new = |message: &&Addressed| !after.read_mark().has_read(message.entry().seq);
    let fresh: Vec<&Addressed> = messages.iter().filter(is_new).collect();
    let mut jobs = Vec::with_capacity(messages.len() + 1);
    for message in messages {
        // A message that is read already has been so since it was marked, or since the read mark passed it.
        let read_at = message.content()?.read_at.or(after.read_mark().read_at);
        if is_new(&message) || read_at.is_some_and(|at| is_told(app, at)) {
            jobs.push(status_job(message));
        }
    }
    if !fresh.is_empty() {
        // The times first: they have no effect until the read mark includes the messages.
        let at = app.now();
        stream::iter(fresh.iter().map(Ok::<_, Error>))
            .try_for_each_concurrent(PARALLEL, async |message| {
                log::mark_read(app, message, at).await.map(|_| ())
            })
            .await?;
        let named = fresh
            .iter()
            .map(|message| (message.entry().seq, message.entry().event.message_id()))
            .collect();
        after = members::alone::mark_alone(app, &after, &named, &newest).await?;
    }
    let first = messages.first().map(|message| message.entry().seq);
    let is_behind = first.is_some_and(|first| first <= after.read_mark().last_read_seq);
    if is_behind && after.read_mark().read_at.is_some_and(|at| is_told(app, at)) {
        jobs.extend(read_job(&after));
    }
    queue::enqueue_all(app, Queue::Fanout, &jobs).await?;
    Ok(fresh.len() as u64)
}

/// The job that delivers a message's status to both members.
fn status_job(message: &Addressed) -> Fanout {
    Fanout {
        conversation: message.conversation(),
        event: FanoutEvent::Status {
            seq: message.entry().seq,
            message: message.entry().event.message_id(),
        },
        to: Recipients::Pair(message.pair()),
    }
}

/// The job that delivers the member's read mark.
fn read_job(member: &Membership) -> Option<Fanout> {
    let read_mark = member.read_mark();
    Some(Fanout {
        conversation: member.conversation(),
        event: FanoutEvent::Read {
            user: member.user(),
            seq: read_mark.last_read_seq,
            message: read_mark.last_read_message_id?,
            at: read_mark.read_at?,
        },
        to: Recipients::of(&member.sender()),
    })
}

/// The view of a message and its status that both members share.
pub fn between<'a>(message: &Addressed, read_marks: &'a [ReadMark]) -> Between<'a> {
    Between {
        conversation: message.conversation(),
        pair: message.pair(),
        read_marks,
    }
}
