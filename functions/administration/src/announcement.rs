//! Telling people what an administrator has done with a message or a mail of theirs.

use shared::domain::ids::{MessageId, UserId};
use shared::queue::{self, PersonalEvent, Recipients};
use shared::store::log::Told;
use shared::{App, Result};

/// Queues the entry that tells of a message, if there is one, for all members.
pub(crate) async fn queue(app: &App, message: MessageId, told: &Told) -> Result<()> {
    let Some(seq) = told.seq else { return Ok(()) };
    let to = told.pair.map_or(Recipients::All, Recipients::Pair);
    queue::announce(app, told.conversation, to, seq, message).await
}

/// Tells one of the two people of a mail that it has another version.
pub(crate) async fn tell(app: &App, user: UserId, message: MessageId, version: u64) -> Result<()> {
    queue::tell(
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
