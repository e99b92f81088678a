//! Deleting one's own message, in conversations and among person-to-person messages.

use crate::App;
use crate::domain::ids::{ConversationId, MessageId, UserId};
use crate::domain::message::Event;
use crate::error::{Error, Result};
use crate::queue::{self, Recipients};
use crate::store::log;
use crate::store::members::Membership;
use crate::store::table::Consistency;

/// Deletes a message for everybody, and enqueues the delivery to the members.
///
/// # Errors
/// [`Error::NotFound`] if the user is no member or there is no such message, [`Error::Forbidden`] if somebody else sent
/// it.
pub async fn delete(app: &App, user: UserId, conversation: ConversationId, message: MessageId) -> Result<()> {
    let membership = Membership::of(app, user, conversation, Consistency::Strong).await?;
    let (found, newest) = tokio::try_join!(
        log::find(app, &membership, message),
        log::newest(app, conversation, Consistency::Eventual),
    )?;
    let found = found.ok_or(Error::NotFound("message"))?;
    match &found.event {
        Event::Message(content) if content.sender == user => {}
        _ => return Err(Error::Forbidden("only the sender may delete a message")),
    }
    let seq = log::delete(app, &membership, &found, newest).await?;
    // Enqueued by every attempt: the attempt that stored the deletion may have died before it could.
    queue::enqueue_entry(
        app,
        conversation,
        Recipients::of(&membership.sender()),
        seq,
        message,
    )
    .await
}
