//! The direct conversation of two people in pages, for moderators.

use crate::App;
use crate::auth::Permit;
use crate::domain::conversation::ReadMark;
use crate::domain::ids::{ConversationId, UserId};
use crate::domain::message::{Entry, Event};
use crate::domain::permission::ModerationView;
use crate::error::{Error, Result};
use crate::store::table::Consistency;
use crate::store::{conversations, log, members};

/// The direct conversation of two people, seen by a third.
#[derive(Clone, Debug)]
pub struct Between {
    /// The conversation.
    pub conversation: ConversationId,
    /// The read marks of both.
    pub read_marks: Vec<ReadMark>,
    newest: Option<Entry>,
}

/// The direct conversation of two people.
///
/// # Errors
/// There is none.
pub async fn between(app: &App, _: &Permit<ModerationView>, users: [UserId; 2]) -> Result<Between> {
    let [one, other] = users;
    let conversation = ConversationId::direct(one, other);
    // Boxed: a future of the SDK is large, and every caller would hold all three.
    let reads = Box::pin(async {
        tokio::try_join!(
            conversations::find(app, conversation),
            log::newest(app, conversation, Consistency::Strong),
            members::read_marks_of(app, conversation),
        )
    });
    let (head, newest, read_marks) = reads.await?;
    head.ok_or(Error::NotFound("conversation"))?;
    Ok(Between {
        conversation,
        read_marks,
        newest,
    })
}

impl Between {
    /// How many messages it has.
    pub fn total(&self) -> u64 {
        self.newest.as_ref().map_or(0, |newest| newest.tail.messages)
    }

    /// The position after skipping the newest messages.
    pub async fn leaving_out(&self, app: &App, skipped: u64) -> Result<u64> {
        let Some(newest) = &self.newest else { return Ok(1) };
        match newest.tail.messages.saturating_sub(skipped) {
            0 => Ok(1),
            first => Ok(log::seq_of_message_in(app, self.conversation, newest, first).await? + 1),
        }
    }

    /// Up to `most` messages before a position, newest first.
    pub async fn before(&self, app: &App, place: u64, most: usize) -> Result<Vec<Entry>> {
        let mut messages: Vec<Entry> = Vec::new();
        let mut last = place.saturating_sub(1);
        // Reads on until there are enough messages, skipping other entries.
        while messages.len() < most && last > 0 {
            let limit = u32::try_from(most - messages.len()).unwrap_or(u32::MAX);
            let entries = log::range_in(app, self.conversation, (1, last), true, limit).await?;
            let Some(end) = entries.last().map(|entry| entry.seq) else {
                break;
            };
            let is_message = |entry: &Entry| matches!(entry.event, Event::Message(_));
            messages.extend(entries.into_iter().filter(is_message));
            last = end - 1;
        }
        Ok(messages)
    }
}
