//! What somebody missed: one notification per conversation, updated in place.

use super::Worker;
use super::item::{bytes, number, text};
use super::keys;
use super::table::{Update, Written};
use crate::App;
use crate::domain::ids::{ConversationId, MessageId, NotificationId, UserId};
use crate::domain::time::Timestamp;
use crate::error::Result;

/// What was missed.
#[derive(Clone, Debug)]
pub struct Missed {
    /// The conversation.
    pub conversation: ConversationId,
    /// The newest message that was missed.
    pub seq: u64,
    /// Its id.
    pub message: MessageId,
    /// Who sent it.
    pub sender_username: String,
    /// When.
    pub at: Timestamp,
}

/// Notes that a user missed a message; an older one than is noted already changes nothing, so that a job that
/// comes twice, or late, does no harm.
pub async fn note_missed(app: &App, _: Worker, user: UserId, missed: &Missed) -> Result<()> {
    let id = NotificationId::missed_in(missed.conversation, user);
    let update = Update::new(
        keys::missed(user, missed.conversation),
        "SET q = :seq, m = :message, u = :sender, a = :at, i = :id, c = :conversation, f = if_not_exists(f, :at)",
    )
    .only_if("attribute_not_exists(q) OR q < :seq")
    .value(":seq", number(missed.seq))
    .value(":message", bytes(missed.message.uuid().as_bytes().to_vec()))
    .value(":sender", text(&missed.sender_username))
    .value(":at", number(missed.at.milliseconds()))
    .value(":id", bytes(id.uuid().as_bytes().to_vec()))
    .value(":conversation", bytes(missed.conversation.uuid().as_bytes().to_vec()));
    match update.send(app).await? {
        Written::Done(_) | Written::Refused(_) => Ok(()),
    }
}
