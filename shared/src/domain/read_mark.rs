//! Read marks: how far a member has read.

use schemars::JsonSchema;
use serde::Serialize;

use super::ids::{MessageId, UserId};
use super::read_alone::ReadAlone;
use super::time::Timestamp;

/// How far a member has read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReadMark {
    /// The member.
    pub user_id: UserId,
    /// All events up to this sequence number are read; 0 if none is.
    pub last_read_seq: u64,
    /// The last message that was read.
    pub last_read_message_id: Option<MessageId>,
    /// When it happened.
    pub read_at: Option<Timestamp>,
    /// Messages after the read mark that were read individually.
    #[serde(skip)]
    pub alone: ReadAlone,
}

impl ReadMark {
    /// Whether the member has read the message with a number.
    pub fn has_read(&self, seq: u64) -> bool {
        self.last_read_seq >= seq || self.alone.holds(seq)
    }
}
