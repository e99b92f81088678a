//! Conversations as clients see them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::{ConversationId, MessageId, UserId};
use super::message::Message;
use super::time::Timestamp;

pub use super::read_mark::ReadMark;

/// How many members a conversation shows; `participant_count` counts them all (contract §2).
pub const PARTICIPANTS_LIMIT: usize = 100;
/// How many it shows if the page would grow too large otherwise.
const FEWER_PARTICIPANTS: usize = 10;
/// The most members that a group can be created with, the creator included.
pub const GROUP_LIMIT: usize = 1000;

/// The maximum size of a group in which members are told how far the others have read (contract §3). In larger ones a
/// member is only told of their own reads.
pub const READS_SHOWN_UP_TO: u32 = 100;

/// The role of a member in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Administers the group.
    Admin,
    /// An ordinary member.
    Member,
}

/// A member of a conversation.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Participant {
    /// The user.
    pub user_id: UserId,
    /// The user name.
    pub username: String,
    /// The display name.
    pub display_name: String,
    /// The URL of the user's avatar.
    pub avatar_url: Option<String>,
    /// The role.
    pub role: Role,
    /// When the user became a member.
    pub joined_at: Timestamp,
    /// Whether the user is still a member.
    pub is_active: bool,
    /// The last message that the member has read.
    pub last_read_message_id: Option<MessageId>,
}

/// A conversation, as the caller sees it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Conversation {
    /// The id of the conversation.
    pub id: ConversationId,
    /// Whether this is a group. False for a direct conversation between two users.
    pub is_group: bool,
    /// The name of a group; null for direct conversations.
    pub name: Option<String>,
    /// The description of a group; null for direct conversations.
    pub description: Option<String>,
    /// When the conversation was created.
    pub created_at: Timestamp,
    /// When the last event happened.
    pub updated_at: Timestamp,
    /// When the last message was sent.
    pub last_message_at: Option<Timestamp>,
    /// The members, at most 100, the viewer first. A page that would grow too large has fewer of them, but at least ten.
    pub participants: Vec<Participant>,
    /// The number of members.
    pub participant_count: u64,
    /// The last message, also if it is deleted.
    pub last_message: Option<Message>,
    /// The number of unread messages of others: exact up to 99, and 99 if there are more.
    pub unread_count: u32,
    /// The sequence number of the last event.
    pub last_seq: u64,
}

impl Conversation {
    /// Shows only the first few members.
    pub fn show_fewer(&mut self) {
        self.participants.truncate(FEWER_PARTICIPANTS);
    }
}
