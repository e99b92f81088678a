//! Telling the members of a conversation what the log tells of a message.

use shared::domain::ids::MessageId;
use shared::queue::{self, Fanout, FanoutEvent, Queue, Recipients};
use shared::store::log::Told;
use shared::{App, Result};

/// Queues the entry that tells of a message, if there is one, for all members.
pub(crate) async fn queue(app: &App, message: MessageId, told: &Told) -> Result<()> {
    let Some(seq) = told.seq else { return Ok(()) };
    let event = FanoutEvent::Entry {
        seq,
        message,
        queued_at: app.now(),
    };
    let job = Fanout {
        conversation: told.conversation,
        event,
        to: told.pair.map_or(Recipients::All, Recipients::Pair),
    };
    queue::send(app, Queue::Fanout, &job).await
}
