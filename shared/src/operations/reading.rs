//! Marking as read: the same over HTTP and over a socket.

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

/// For how long after a mark the same one has the members told again: a client that got no answer marks again, and the
/// attempt before may not have come to telling them. Later ones would tell them over and over what they know.
const TOLD_AGAIN_WITHIN: Duration = Duration::from_mins(1);

/// Whether a mark of this moment is to be told: one that was made just now is, and one that was made a while ago is not.
pub(super) fn is_told(app: &App, marked_at: Timestamp) -> bool {
    app.now().since(marked_at) <= TOLD_AGAIN_WITHIN
}

/// Where a member stands after marking.
#[derive(Clone, Debug)]
pub struct Marked {
    /// The read mark.
    pub read_mark: ReadMark,
    /// What is still unread.
    pub unread_count: u32,
}

/// Marks everything up to and including a message as read, and has the other members told. A read mark that is
/// further on stays where it is.
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
        // Before the read mark moves: a sync that sees the sign and no moved read mark looks in vain, one that did not
        // see the sign would never look.
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
