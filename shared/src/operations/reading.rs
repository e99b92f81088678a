//! Marking as read, over HTTP and over the WebSocket.

use std::time::Duration;

use crate::App;
use crate::domain::conversation::ReadMark;
use crate::domain::ids::{ConversationId, MessageId, UserId};
use crate::domain::time::Timestamp;
use crate::error::{Error, Result};
use crate::queue::{self, Fanout, FanoutEvent, Queue, Recipients};
use crate::store::members::{self, Membership};
use crate::store::table::Consistency;
use crate::store::{log, reads};

/// For how long a repeated mark is enqueued again: a client without a response repeats its request, and the first
/// attempt may have died before it enqueued. Later repeats would only deliver what everybody knows.
const TOLD_AGAIN_WITHIN: Duration = Duration::from_mins(1);

/// Whether a mark made at this moment is to be enqueued (again).
pub(super) fn is_told(app: &App, marked_at: Timestamp) -> bool {
    app.now().since(marked_at) <= TOLD_AGAIN_WITHIN
}

/// The state after marking.
#[derive(Clone, Debug)]
pub struct Marked {
    /// The read mark.
    pub read_mark: ReadMark,
    /// The number of unread messages.
    pub unread_count: u32,
}

/// Marks everything up to and including a message as read, and enqueues this for the other members. A read mark that is
/// already further on is left unchanged.
pub async fn mark(
    app: &App,
    user: UserId,
    conversation: ConversationId,
    message: MessageId,
) -> Result<Marked> {
    let membership = Membership::of(app, user, conversation, Consistency::Eventual).await?;
    let entry = log::find(app, &membership, message)
        .await?
        .ok_or(Error::NotFound("message"))?;
    if membership.member().peer.is_none() && membership.read_mark().last_read_seq < entry.seq {
        // Before the read mark moves: a sync that sees this item but no moved read mark looks in vain, but a sync that
        // did not see the item would never look.
        reads::touch(app, conversation, app.now()).await?;
    }
    let membership = members::advance(app, &membership, entry.seq, message).await?;
    let read_mark = membership.read_mark().clone();
    let marked_at = read_mark.read_at.filter(|_| read_mark.last_read_seq == entry.seq);
    if let Some(at) = marked_at.filter(|at| is_told(app, *at)) {
        let event = FanoutEvent::Read {
            user,
            seq: entry.seq,
            message,
            at,
        };
        queue::enqueue(
            app,
            Queue::Fanout,
            &Fanout {
                conversation,
                event,
                to: Recipients::of(&membership.sender()),
            },
        )
        .await?;
    }
    let newest = log::newest(app, conversation, Consistency::Strong).await?;
    let unread_count = log::unread(app, &membership, newest.as_ref()).await?;
    Ok(Marked {
        read_mark,
        unread_count,
    })
}
