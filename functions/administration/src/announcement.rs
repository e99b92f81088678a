//! Telling the members of a conversation what the log tells of a message.

use shared::domain::ids::MessageId;
use shared::queue::{self, Recipients};
use shared::store::log::Told;
use shared::{App, Result};

/// Queues the entry that tells of a message, if there is one, for all members.
pub(crate) async fn queue(app: &App, message: MessageId, told: &Told) -> Result<()> {
    let Some(seq) = told.seq else { return Ok(()) };
    let to = told.pair.map_or(Recipients::All, Recipients::Pair);
    queue::announce(app, told.conversation, to, seq, message).await
}
