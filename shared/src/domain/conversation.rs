//! Conversations as clients see them, and what a member has read.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::{ConversationId, MessageId, UserId};
use super::message::Message;
use super::read_alone::ReadAlone;
use super::time::Timestamp;

/// How many members a conversation shows; `participant_count` counts them all (contract §2).
pub const PARTICIPANTS_LIMIT: usize = 100;
/// How many it still shows where a page would grow too large.
const FEWER_PARTICIPANTS: usize = 10;
/// The most members that a group can be created with, the creator included.
pub const GROUP_LIMIT: usize = 1000;

/// What a member may do in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Runs the group.
    Admin,
    /// Takes part.
    Member,
}

/// How far a member has read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Cursor {
    /// The member.
    pub user_id: UserId,
    /// Everything up to this place of the log is read; 0 before the first.
    pub last_read_seq: u64,
    /// The message that was marked last.
    pub last_read_message_id: Option<MessageId>,
    /// When.
    pub read_at: Option<Timestamp>,
    /// What was marked by itself behind that place. Each message says for itself whether it is read.
    #[serde(skip)]
    pub alone: ReadAlone,
}

impl Cursor {
    /// Whether the member has read the message at a place of the log.
    pub fn has_read(&self, seq: u64) -> bool {
        self.last_read_seq >= seq || self.alone.holds(seq)
    }
}

/// Somebody in a conversation.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Participant {
    /// Who.
    pub user_id: UserId,
    /// Their short name.
    pub username: String,
    /// The name to show.
    pub display_name: String,
    /// Their picture.
    pub avatar_url: Option<String>,
    /// What they may do.
    pub role: Role,
    /// Since when they have been in it.
    pub joined_at: Timestamp,
    /// Whether they still are.
    pub is_active: bool,
    /// The message up to which they have read.
    pub last_read_message_id: Option<MessageId>,
}

/// A conversation as one of its members sees it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Conversation {
    /// The id of the conversation.
    pub id: ConversationId,
    /// Whether it is a group; else it is between two people.
    pub is_group: bool,
    /// The name of a group.
    pub name: Option<String>,
    /// The description of a group.
    pub description: Option<String>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When something last happened in it.
    pub updated_at: Timestamp,
    /// When the last message came.
    pub last_message_at: Option<Timestamp>,
    /// Its members: at most 100 of them, the viewer first. In a page that would grow too large there are fewer,
    /// but never fewer than ten.
    pub participants: Vec<Participant>,
    /// How many members it has.
    pub participant_count: u64,
    /// The last message; a deleted one as its tombstone.
    pub last_message: Option<Message>,
    /// How many messages of others the viewer has not read: exact to 99, then 99.
    pub unread_count: u32,
    /// The number of the last log entry.
    pub last_seq: u64,
}

impl Conversation {
    /// Shows but the first few members.
    pub fn show_fewer(&mut self) {
        self.participants.truncate(FEWER_PARTICIPANTS);
    }
}
