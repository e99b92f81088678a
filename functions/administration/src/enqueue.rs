//! Telling people what an administrator has done with a message or a mail of theirs.

use shared::domain::ids::{MessageId, UserId};
use shared::queue::{self, PersonalEvent, Recipients};
use shared::store::log::RecordedChange;
use shared::{App, Result};

/// Queues the entry that tells of a message, if there is one, for all members.
pub(crate) async fn entry(app: &App, message: MessageId, change: &RecordedChange) -> Result<()> {
    let Some(seq) = change.seq else { return Ok(()) };
    let to = change.pair.map_or(Recipients::All, Recipients::Pair);
    queue::enqueue_entry(app, change.conversation, to, seq, message).await
}

/// Tells one of the two people of a mail that it has another version.
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
