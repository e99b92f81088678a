//! Marking as read: the same over HTTP and over a socket.

use crate::App;
use crate::domain::conversation::Cursor;
use crate::domain::ids::{ConversationId, MessageId, UserId};
use crate::error::{Error, Result};
use crate::queue::{self, Fanout, FanoutEvent, Queue, Recipients};
use crate::store::members::{self, Membership};
use crate::store::table::Consistency;
use crate::store::{log, reads};

/// Where a member stands after marking.
#[derive(Clone, Debug)]
pub struct Marked {
    /// The cursor.
    pub cursor: Cursor,
    /// What is still unread.
    pub unread_count: u32,
}

/// Marks everything up to and including a message as read, and has the other members told. A cursor that is
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
    if membership.member().peer.is_none() && membership.cursor().last_read_seq < entry.seq {
        // Before the cursor moves: a sync that sees the sign and no moved cursor looks in vain, one that did not
        // see the sign would never look.
        reads::touch(app, conversation, app.now()).await?;
    }
    let membership = members::advance(app, &membership, entry.seq, message).await?;
    let cursor = membership.cursor().clone();
    if let Some(at) = cursor.read_at.filter(|_| cursor.last_read_seq == entry.seq) {
        // Also for a cursor that stood there already: the attempt that moved it may not have got this far.
        let event = FanoutEvent::Read {
            user,
            seq: entry.seq,
            message,
            at,
        };
        queue::send(
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
    Ok(Marked { cursor, unread_count })
}
