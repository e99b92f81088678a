//! Enqueueing the delivery of an administrator's change of a message or mail.

use shared::domain::ids::{MessageId, UserId};
use shared::queue::{self, PersonalEvent, Recipients};
use shared::store::log::RecordedChange;
use shared::{App, Result};

/// Enqueues the log entry of a changed message, if there is one, for all members.
pub(crate) async fn entry(app: &App, message: MessageId, change: &RecordedChange) -> Result<()> {
    let Some(seq) = change.seq else { return Ok(()) };
    let to = change.pair.map_or(Recipients::All, Recipients::Pair);
    queue::enqueue_entry(app, change.conversation, to, seq, message).await
}

/// Enqueues the new version of a mail for one of its two people.
pub(crate) async fn mail_update(app: &App, user: UserId, message: MessageId, version: u64) -> Result<()> {
    queue::enqueue_personal(
        app,
        user,
        PersonalEvent::MailUpdated {
            message,
            version,
            reads: false,
        },
    )
    .await
}
