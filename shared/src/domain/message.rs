//! Messages, and the log of a conversation.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::ids::{ConversationId, FileId, MessageId, TransactionId, UserId};
use super::moderation::{Moderation, ModerationStatus};
use super::read_mark::ReadMark;
use super::time::Timestamp;
use super::unread::Window;

/// How many readers a message names; `read_count` counts them all (contract §2).
pub const READ_BY_LIMIT: usize = 50;

/// The kind of content (S1-F05).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContentType {
    /// Plain text.
    #[default]
    Text,
    /// An image.
    Image,
    /// The id of a file.
    File,
    /// A system message; clients can't send it.
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

/// The type of a person-to-person message (S2-F02).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageType {
    /// Plain text.
    #[default]
    Text,
    /// An image.
    Image,
    /// A video.
    Video,
    /// An audio recording.
    Audio,
    /// Any other file.
    File,
}

impl MessageType {
    /// Every type.
    pub const ALL: [Self; 5] = [Self::Text, Self::Image, Self::Video, Self::Audio, Self::File];

    /// The name that clients use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::File => "file",
        }
    }
}

impl From<MessageType> for ContentType {
    /// The corresponding type in conversations, which have fewer types.
    fn from(message_type: MessageType) -> Self {
        match message_type {
            MessageType::Text => Self::Text,
            MessageType::Image => Self::Image,
            MessageType::Video | MessageType::Audio | MessageType::File => Self::File,
        }
    }
}

/// A file that is attached to a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attachment {
    /// The file.
    pub file_id: FileId,
    /// The file name.
    pub filename: String,
    /// The media type.
    pub content_type: String,
    /// The size in bytes.
    pub size_bytes: u64,
}

/// The payment for a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payment {
    /// How many credits.
    pub cost: u64,
    /// The ledger's entry.
    pub transaction: TransactionId,
}

/// An entry of a conversation's log, with the number `seq`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number: from 1, without gaps or duplicates.
    pub seq: u64,
    /// When it happened; never before the previous entry.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
    /// The summary of the log up to and including this entry.
    pub tail: Tail,
}

/// The summary of a log at one of its entries. Each entry carries it, so that lists of conversations need only the
/// newest entry, and a send rewrites nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tail {
    /// The number of messages: finds a page without walking to it.
    pub messages: u64,
    /// The number of the newest message; 0 without one.
    pub last_message_seq: u64,
    /// Its time.
    pub last_message_at: Option<Timestamp>,
    /// The senders of the last entries.
    pub window: Window,
    /// The two members of a direct conversation, so that a send need not read their memberships.
    pub pair: Option<[UserId; 2]>,
    /// How many of the messages of a direct conversation its first member has sent; the other member sent the rest.
    pub messages_of_first: u64,
}

/// The content of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Somebody sent a message.
    Message(Box<Content>),
    /// The sender deleted a message.
    Deletion {
        /// The message.
        message_id: MessageId,
        /// Its number.
        message_seq: u64,
    },
    /// A moderator changed the moderation status of a message.
    Moderation {
        /// The message.
        message_id: MessageId,
        /// Its number.
        message_seq: u64,
        /// The new status.
        status: ModerationStatus,
    },
}

impl Event {
    /// The message that it is about.
    pub fn message_id(&self) -> MessageId {
        match self {
            Self::Message(content) => content.id,
            Self::Deletion { message_id, .. } | Self::Moderation { message_id, .. } => *message_id,
        }
    }

    /// The number of another message that it shows again.
    pub fn subject(&self) -> Option<u64> {
        match self {
            Self::Moderation { message_seq, .. } => Some(*message_seq),
            Self::Message(_) | Self::Deletion { .. } => None,
        }
    }
}

/// A message as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// Its id.
    pub id: MessageId,
    /// Who sent it.
    pub sender: UserId,
    /// The sender's user name at the time of sending.
    pub sender_username: String,
    /// The text.
    pub text: String,
    /// Its type.
    pub message_type: MessageType,
    /// The id that the client gave it.
    pub client_message_id: Option<String>,
    /// The files that it refers to.
    pub attachments: Vec<Attachment>,
    /// The client's metadata.
    pub metadata: Map<String, Value>,
    /// The payment for it.
    pub payment: Option<Payment>,
    /// When the receiver of a person-to-person message marked it as delivered.
    pub delivered_at: Option<Timestamp>,
    /// When the receiver of a person-to-person message read it individually.
    pub read_at: Option<Timestamp>,
    /// When and by which log entry it was deleted; the text is kept for moderation and hidden from everybody else.
    pub deletion: Option<Deletion>,
    /// The last moderation.
    pub moderation: Option<Moderation>,
    /// When it was erased; the text is then empty.
    pub erased_at: Option<Timestamp>,
}

impl Content {
    /// The moderation status; approved unless it was changed.
    pub fn moderation_status(&self) -> ModerationStatus {
        self.moderation
            .map(|moderation| moderation.status)
            .unwrap_or_default()
    }

    /// Whether members see the content, so that it counts as unread: it is neither deleted nor blocked.
    pub fn is_shown(&self) -> bool {
        self.deletion.is_none() && self.moderation_status() != ModerationStatus::Blocked
    }

    /// The text as members see it.
    pub fn shown_text(&self) -> Option<&str> {
        self.is_shown().then_some(self.text.as_str())
    }

    /// The text as moderators see it: everything that was not erased.
    pub fn kept_text(&self) -> Option<&str> {
        self.erased_at.is_none().then_some(self.text.as_str())
    }

    /// When it last changed; `accepted_at` is when it was stored.
    pub fn changed_at(&self, accepted_at: Timestamp) -> Timestamp {
        let changes = [
            self.deletion.map(|deletion| deletion.at),
            self.moderation.map(|moderation| moderation.at),
            self.erased_at,
        ];
        changes.into_iter().flatten().fold(accepted_at, Timestamp::max)
    }
}

/// A deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// When it happened.
    pub at: Timestamp,
    /// The number of the deletion entry.
    pub seq: u64,
}

/// A message, as the caller sees it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Message {
    /// The id of the message.
    pub id: MessageId,
    /// The conversation.
    pub conversation_id: ConversationId,
    /// The sequence number in the conversation. Sort by this field.
    pub seq: u64,
    /// The sender.
    pub sender_id: UserId,
    /// The sender's user name at the time of sending.
    pub sender_username: String,
    /// The text; null if the message is deleted or blocked.
    pub content: Option<String>,
    /// The kind of content.
    pub content_type: ContentType,
    /// The id that the sending client chose.
    pub client_message_id: Option<String>,
    /// When the message was sent. For display; sort by `seq`.
    pub created_at: Timestamp,
    /// When the message last changed.
    pub updated_at: Timestamp,
    /// Whether the message is deleted.
    pub is_deleted: bool,
    /// For the sender, whether anybody has read it; for others, whether the caller has read it.
    pub is_read: bool,
    /// The members who have read it, except the sender; at most 50.
    pub read_by: Vec<UserId>,
    /// The number of members who have read it, except the sender.
    pub read_count: u64,
}

/// The viewer of a message, with the read marks.
#[derive(Clone, Copy, Debug)]
pub struct Viewpoint<'a> {
    /// The conversation.
    pub conversation: ConversationId,
    /// The viewer.
    pub viewer: UserId,
    /// The read marks of all members.
    pub read_marks: &'a [ReadMark],
}

impl Viewpoint<'_> {
    /// The message with a number, as the viewer sees it.
    pub fn message(&self, seq: u64, at: Timestamp, content: &Content) -> Message {
        let readers = || {
            let has_read =
                |read_mark: &&ReadMark| read_mark.user_id != content.sender && read_mark.has_read(seq);
            self.read_marks
                .iter()
                .filter(has_read)
                .map(|read_mark| read_mark.user_id)
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
            content: content.shown_text().map(str::to_owned),
            content_type: content.message_type.into(),
            client_message_id: content.client_message_id.clone(),
            created_at: at,
            updated_at: content.changed_at(at),
            is_deleted: content.deletion.is_some(),
            is_read,
            read_by: readers().take(READ_BY_LIMIT).collect(),
            read_count: read_count as u64,
        }
    }
}
