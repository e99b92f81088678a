//! Frames: what is pushed over the WebSocket, and what the event routes list.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::conversation::Conversation;
use super::ids::{ConversationId, MessageId, UserId};
use super::message::Message;
use super::moderation::ModerationStatus;
use super::time::Timestamp;

/// A frame from the server.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Frame {
    /// A conversation was opened with the receiver in it.
    ConversationCreated(ConversationCreated),
    /// A message was sent.
    NewMessage(NewMessage),
    /// A message was deleted.
    MessageDeleted(MessageDeleted),
    /// A moderator gave a message another status.
    MessageModerated(MessageModerated),
    /// A member has read up to a message.
    MessageRead(MessageRead),
    /// A member started or stopped typing.
    Typing(Typing),
    /// The missed frames have been sent.
    Resumed(Resumed),
    /// The answer to a ping.
    Pong(Pong),
    /// Something that the client sent cannot be done.
    Error(ErrorFrame),
    /// A frame that would have been over 32 KB; the client fetches the rest.
    #[serde(untagged)]
    Truncated(Truncated),
}

/// Which part of Tidings a frame speaks of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Namespace {
    /// Direct and group conversations.
    #[default]
    Conversations,
}

/// `conversation_created`
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ConversationCreated {
    /// The part of Tidings.
    pub namespace: Namespace,
    /// The number of the last log entry: 0, the log is empty.
    pub seq: u64,
    /// The conversation.
    pub conversation: Conversation,
}

/// `new_message`
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct NewMessage {
    /// The part of Tidings.
    pub namespace: Namespace,
    /// The conversation.
    pub conversation_id: ConversationId,
    /// Its place in the log.
    pub seq: u64,
    /// The message, as the receiver sees it.
    pub message: Message,
    /// What the receiver has not read in this conversation; only in a pushed frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread_count: Option<u32>,
}

/// `message_deleted`
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MessageDeleted {
    /// The part of Tidings.
    pub namespace: Namespace,
    /// The conversation.
    pub conversation_id: ConversationId,
    /// The message that is gone.
    pub message_id: MessageId,
    /// The place of the deletion in the log.
    pub seq: u64,
    /// What the receiver has not read in this conversation; only in a pushed frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread_count: Option<u32>,
}

/// `message_moderated`
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MessageModerated {
    /// The part of Tidings.
    pub namespace: Namespace,
    /// The conversation.
    pub conversation_id: ConversationId,
    /// The message that it is about.
    pub message_id: MessageId,
    /// The place of the decision in the log.
    pub seq: u64,
    /// What the moderator decided.
    pub moderation_status: ModerationStatus,
    /// The message as the receiver sees it now: without content while it is blocked.
    pub message: Message,
    /// What the receiver has not read in this conversation; only in a pushed frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread_count: Option<u32>,
}

/// `message_read`
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MessageRead {
    /// The part of Tidings.
    pub namespace: Namespace,
    /// The conversation.
    pub conversation_id: ConversationId,
    /// Who has read.
    pub user_id: UserId,
    /// Up to which message.
    pub message_id: MessageId,
    /// The place of that message in the log.
    pub seq: u64,
    /// When.
    pub read_at: Timestamp,
    /// What the reader has still not read; only on the reader's own connections.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread_count: Option<u32>,
}

/// `typing`
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Typing {
    /// The part of Tidings.
    pub namespace: Namespace,
    /// The conversation.
    pub conversation_id: ConversationId,
    /// Who is typing.
    pub user_id: UserId,
    /// Whether they are, or have stopped.
    pub is_typing: bool,
}

/// `resumed`
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Resumed {
    /// The part of Tidings.
    pub namespace: Namespace,
    /// The token to resume from next time.
    pub next: String,
    /// False if the token was too old for a complete answer: fetch the conversations afresh.
    pub recovered: bool,
    /// What is unread.
    pub unread: UnreadSummary,
}

/// `pong`
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Pong {}

/// `error`
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ErrorFrame {
    /// 4001 authentication failed, 4003 invalid format, 4004 conversation not found, 4008 rate limited, 4013 unavailable.
    pub code: u16,
    /// The code in words.
    pub name: String,
    /// A sentence.
    pub message: String,
}

/// A frame without its content.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Truncated {
    /// The type of the frame.
    #[serde(rename = "type")]
    pub frame_type: String,
    /// The part of Tidings.
    pub namespace: Namespace,
    /// The conversation.
    pub conversation_id: ConversationId,
    /// Its place in the log.
    pub seq: u64,
    /// The message, where it speaks of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
    /// Always true.
    pub truncated: bool,
}

/// What somebody has not read.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct UnreadSummary {
    /// The sum over all conversations.
    pub total: u64,
    /// Per conversation, those with something unread.
    pub by_conversation: BTreeMap<ConversationId, u32>,
}

/// API Gateway's limit for one WebSocket frame, in bytes.
pub const FRAME_LIMIT_BYTES: usize = 32 * 1024;

impl Frame {
    /// The frame as JSON text, cut down if it would not fit into one WebSocket frame.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        let text = serde_json::to_string(self)?;
        if text.len() <= FRAME_LIMIT_BYTES {
            return Ok(text);
        }
        match self.truncated() {
            Some(truncated) => serde_json::to_string(&truncated),
            None => Ok(text),
        }
    }

    fn truncated(&self) -> Option<Truncated> {
        let (frame_type, conversation_id, seq, message_id) = match self {
            Self::ConversationCreated(frame) => {
                ("conversation_created", frame.conversation.id, frame.seq, None)
            }
            Self::NewMessage(frame) => (
                "new_message",
                frame.conversation_id,
                frame.seq,
                Some(frame.message.id),
            ),
            Self::MessageModerated(frame) => (
                "message_moderated",
                frame.conversation_id,
                frame.seq,
                Some(frame.message_id),
            ),
            // No other frame carries anything whose size a client decides.
            Self::MessageDeleted(_)
            | Self::MessageRead(_)
            | Self::Typing(_)
            | Self::Resumed(_)
            | Self::Pong(_)
            | Self::Error(_)
            | Self::Truncated(_) => return None,
        };
        Some(Truncated {
            frame_type: frame_type.to_owned(),
            namespace: Namespace::Conversations,
            conversation_id,
            seq,
            message_id,
            truncated: true,
        })
    }
}
