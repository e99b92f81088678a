//! Messages and the log that they live in.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::conversation::Cursor;
use super::ids::{ConversationId, FileId, MessageId, UserId};
use super::time::Timestamp;
use super::unread::Window;

/// How many readers a message names; `read_count` counts them all (contract §2).
pub const READ_BY_LIMIT: usize = 50;

/// What a message consists of (S1-F05).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContentType {
    /// Words.
    #[default]
    Text,
    /// A picture.
    Image,
    /// A file.
    File,
    /// Written by the system; no client may send it.
    System,
}

impl ContentType {
    /// The name that clients use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Image => "image",
            Self::File => "file",
            Self::System => "system",
        }
    }
}

/// One entry of a conversation's log: something that happened and took the number `seq`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number: from 1, no gap, no repeat.
    pub seq: u64,
    /// When it happened; never before the entry in front of it.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
    /// What the whole log comes to, up to and with this entry.
    pub tail: Tail,
}

/// What a log comes to at one of its entries. Each entry carries it, so that the newest one alone tells what
/// a list of conversations shows, and a send need not rewrite anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tail {
    /// How many messages the log holds: finds a page without walking to it.
    pub messages: u64,
    /// The newest message, 0 without one.
    pub last_message_seq: u64,
    /// When it came.
    pub last_message_at: Option<Timestamp>,
    /// Who sent the last entries.
    pub window: Window,
    /// The two of a direct conversation, so that a send between them need not ask for their memberships.
    pub pair: Option<[UserId; 2]>,
}

/// What can happen in a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Somebody sent a message.
    Message(Content),
    /// The sender deleted a message.
    Deletion {
        /// The message.
        message_id: MessageId,
        /// Its place in the log.
        message_seq: u64,
    },
}

impl Event {
    /// The message that it speaks of.
    pub fn message_id(&self) -> MessageId {
        match self {
            Self::Message(content) => content.id,
            Self::Deletion { message_id, .. } => *message_id,
        }
    }
}

/// A file that a message refers to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attachment {
    /// The file.
    pub file_id: FileId,
    /// What it is called.
    pub filename: String,
    /// Its media type.
    pub content_type: String,
    /// Its size.
    pub size_bytes: u64,
}

/// A message as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// Its id.
    pub id: MessageId,
    /// Who sent it.
    pub sender: UserId,
    /// What the sender was called then.
    pub sender_username: String,
    /// The text.
    pub text: String,
    /// What kind of text.
    pub content_type: ContentType,
    /// The id that the client gave it.
    pub client_message_id: Option<String>,
    /// When and by which log entry it was deleted; the text stays for moderation and is shown to nobody.
    pub deletion: Option<Deletion>,
}

/// The end of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// When.
    pub at: Timestamp,
    /// The log entry that says so.
    pub seq: u64,
}

/// A message as one of the members sees it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Message {
    /// The id of the message.
    pub id: MessageId,
    /// The conversation that it belongs to.
    pub conversation_id: ConversationId,
    /// Its place in the log of the conversation: what clients order by.
    pub seq: u64,
    /// Who sent it.
    pub sender_id: UserId,
    /// What the sender was called when sending.
    pub sender_username: String,
    /// The text; null once the message is deleted.
    pub content: Option<String>,
    /// What kind of text.
    pub content_type: ContentType,
    /// The id that the client gave it.
    pub client_message_id: Option<String>,
    /// When it was accepted; for display, not for order.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Whether the sender deleted it.
    pub is_deleted: bool,
    /// For the sender: somebody else has read it. For others: they have.
    pub is_read: bool,
    /// Who has read it, the sender aside; at most 50.
    pub read_by: Vec<UserId>,
    /// How many have read it, the sender aside.
    pub read_count: u64,
}

/// From where a message is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Viewpoint<'a> {
    /// The conversation.
    pub conversation: ConversationId,
    /// Who looks.
    pub viewer: UserId,
    /// How far each member has read.
    pub cursors: &'a [Cursor],
}

impl Viewpoint<'_> {
    /// The message at a place of the log, as the viewer sees it.
    pub fn message(&self, seq: u64, at: Timestamp, content: &Content) -> Message {
        let readers = || {
            let has_read = |cursor: &&Cursor| cursor.user_id != content.sender && cursor.last_read_seq >= seq;
            self.cursors.iter().filter(has_read).map(|cursor| cursor.user_id)
        };
        let read_count = readers().count();
        let is_read = if self.viewer == content.sender {
            read_count > 0
        } else {
            readers().any(|reader| reader == self.viewer)
        };
        Message {
            id: content.id,
            conversation_id: self.conversation,
            seq,
            sender_id: content.sender,
            sender_username: content.sender_username.clone(),
            content: content.deletion.is_none().then(|| content.text.clone()),
            content_type: content.content_type,
            client_message_id: content.client_message_id.clone(),
            created_at: at,
            updated_at: content.deletion.map_or(at, |deletion| deletion.at),
            is_deleted: content.deletion.is_some(),
            is_read,
            read_by: readers().take(READ_BY_LIMIT).collect(),
            read_count: read_count as u64,
        }
    }
}
