//! Frames: what is posted over the WebSocket, and what the event routes list.

mod event;
mod personal;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::conversation::Conversation;
use super::ids::{ConversationId, MessageId, UserId};
use super::message::Message;
use super::message_v2;
use super::moderation::ModerationStatus;
use super::time::Timestamp;

pub use event::{ConversationEvent, MessageEvent, NotificationEvent};
pub use personal::{
    Inbox, MailDeleted, MailRead, MailUpdated, MailsUpdated, NewMail, NewNotification, NotificationDeleted,
    NotificationRead, Notifications, NotificationsRead,
};

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
    /// A moderator changed the moderation status of a message.
    MessageModerated(MessageModerated),
    /// A member has read up to a message.
    MessageRead(MessageRead),
    /// The status of a person-to-person message changed.
    MessageStatus(MessageStatus),
    /// A member started or stopped typing.
    Typing(Typing),
    /// A mail arrived.
    #[serde(rename = "new_message")]
    NewMail(NewMail),
    /// A mail was read by opening it.
    #[serde(rename = "message_read")]
    MailRead(MailRead),
    /// The flags of a mail changed.
    #[serde(rename = "message_updated")]
    MailUpdated(MailUpdated),
    /// A mail was deleted.
    #[serde(rename = "message_deleted")]
    MailDeleted(MailDeleted),
    /// The flags of many mails changed.
    #[serde(rename = "messages_bulk_updated")]
    MailsUpdated(MailsUpdated),
    /// A notification was created.
    NewNotification(NewNotification),
    /// A notification was read.
    NotificationRead(NotificationRead),
    /// A notification was deleted.
    NotificationDeleted(NotificationDeleted),
    /// Many notifications were read.
    #[serde(rename = "notifications_bulk_read")]
    NotificationsRead(NotificationsRead),
    /// The missed frames, or the first page of them, have been sent.
    Resumed(Resumed),
    /// The response to a ping.
    Pong(Pong),
    /// A frame of the client was rejected.
    Error(ErrorFrame),
    /// A frame that would have been over 32 KB; the client fetches the rest.
    #[serde(untagged)]
    Truncated(Truncated),
}

/// The area that a frame belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Namespace {
    /// Direct and group conversations.
    #[default]
    Conversations,
}

/// You were added to a new conversation.
///
/// Sent to all connections of all members, including the creator's.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ConversationCreated {
    /// The area that the frame belongs to.
    pub namespace: Namespace,
    /// The last sequence number of the conversation: 0, it has no events yet.
    pub seq: u64,
    /// The conversation.
    pub conversation: Conversation,
}

/// A message was sent in a conversation.
///
/// Sent to all connections of all members, including the sender's, so that all devices agree. `unread_count` is the
/// receiver's own; if frames arrive out of order, the one with the highest `seq` is current.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct NewMessage {
    /// The area that the frame belongs to.
    pub namespace: Namespace,
    /// The conversation.
    pub conversation_id: ConversationId,
    /// The sequence number of the message.
    pub seq: u64,
    /// The message, as the receiver sees it.
    pub message: Message,
    /// The receiver's unread messages in this conversation; only in pushed frames.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread_count: Option<u32>,
}

/// A message was deleted.
///
/// The message keeps its `seq`, without its content.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MessageDeleted {
    /// The area that the frame belongs to.
    pub namespace: Namespace,
    /// The conversation.
    pub conversation_id: ConversationId,
    /// The deleted message.
    pub message_id: MessageId,
    /// The sequence number of the deletion.
    pub seq: u64,
    /// The receiver's unread messages in this conversation; only in pushed frames.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread_count: Option<u32>,
}

/// A moderator changed the status of a message.
///
/// Sent to all connections of all members. `message` is the current state: without content while the message is blocked,
/// with its content once it is approved.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MessageModerated {
    /// The area that the frame belongs to.
    pub namespace: Namespace,
    /// The conversation.
    pub conversation_id: ConversationId,
    /// The moderated message.
    pub message_id: MessageId,
    /// The sequence number of the decision.
    pub seq: u64,
    /// The new status.
    pub moderation_status: ModerationStatus,
    /// The message as the receiver sees it now.
    pub message: Message,
    /// The receiver's unread messages in this conversation; only in pushed frames.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread_count: Option<u32>,
}

/// A member has read a conversation up to a message.
///
/// Sent to all connections of all members; in groups of more than 100 members only to the reader's own. `unread_count`
/// is only present on the reader's own connections.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MessageRead {
    /// The area that the frame belongs to.
    pub namespace: Namespace,
    /// The conversation.
    pub conversation_id: ConversationId,
    /// The member who has read.
    pub user_id: UserId,
    /// The last message that was read.
    pub message_id: MessageId,
    /// The sequence number of that message.
    pub seq: u64,
    /// When.
    pub read_at: Timestamp,
    /// The reader's unread messages in this conversation; only on the reader's own connections.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread_count: Option<u32>,
}

/// The status of a person-to-person message changed.
///
/// Sent to all connections of both users.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "MessageStatusChanged")]
pub struct MessageStatus {
    /// The area that the frame belongs to.
    pub namespace: Namespace,
    /// The direct conversation.
    pub conversation_id: ConversationId,
    /// The message.
    pub message_id: MessageId,
    /// The sequence number of the message.
    pub seq: u64,
    /// The new status.
    pub status: message_v2::MessageStatus,
    /// When the message was delivered.
    pub delivered_at: Option<Timestamp>,
    /// When the receiver read the message.
    pub read_at: Option<Timestamp>,
}

/// A member started or stopped typing.
///
/// Sent to the other members. Hide it after `expires_in_ms` unless another one arrives: the frame with `is_typing: false`
/// may never arrive.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Typing {
    /// The area that the frame belongs to.
    pub namespace: Namespace,
    /// The conversation.
    pub conversation_id: ConversationId,
    /// The member.
    pub user_id: UserId,
    /// Whether the member is typing or has stopped.
    pub is_typing: bool,
    /// After how many milliseconds a start expires unless it is repeated.
    pub expires_in_ms: u32,
}

impl Typing {
    /// How long after a start typing is over by itself (contract §3).
    pub const EXPIRES_IN_MS: u32 = 8_000;
}

/// Missed frames have been sent.
///
/// The last frame of the response to `resume`. Keep `next` for the next `resume`; send it at once while `has_more` is true.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Resumed {
    /// The area that the frame belongs to.
    pub namespace: Namespace,
    /// The sync token for the next `resume`.
    pub next: String,
    /// False if the token was too old to list all missed events: reload the conversations.
    pub recovered: bool,
    /// Whether more was missed: send `resume` with `next` to receive it.
    pub has_more: bool,
    /// Unread messages.
    pub unread: UnreadSummary,
}

/// The connection is alive.
///
/// The response to `ping`.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Pong {}

/// A frame that you sent was refused.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ErrorFrame {
    /// 4001 authentication failed, 4003 invalid format, 4004 conversation not found, 4008 rate limited, 4013 unavailable.
    pub code: u16,
    /// The name of the code.
    pub name: String,
    /// A description of the problem.
    pub message: String,
}

/// A frame without its content, which would have been larger than 32 KB.
///
/// `type` is the type of the full frame. It contains the ids, without the content: fetch that over HTTP.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Truncated {
    /// The type of the full frame.
    #[serde(rename = "type")]
    pub frame_type: TruncatedType,
    /// The area that the frame belongs to.
    pub namespace: Part,
    /// The conversation, if the frame belongs to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<ConversationId>,
    /// The sequence number, if the frame has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// The message, if the frame is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
    /// The number of unread mails, if the frame is about a mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread_count: Option<u64>,
    /// Always true.
    #[schemars(extend("const" = true))]
    pub truncated: bool,
}

/// The types of frames that can be too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TruncatedType {
    /// A conversation with many members.
    ConversationCreated,
    /// A long message or mail.
    NewMessage,
    /// A long message.
    MessageModerated,
}

/// The areas whose frames can be too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Direct and group conversations.
    Conversations,
    /// Mail.
    Inbox,
}

/// Unread messages in all conversations.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct UnreadSummary {
    /// The sum of all conversations.
    pub total: u64,
    /// By conversation; conversations without unread messages are left out.
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
        let of_conversation = |frame_type, conversation_id, seq, message_id| Truncated {
            frame_type,
            namespace: Part::Conversations,
            conversation_id: Some(conversation_id),
            seq: Some(seq),
            message_id,
            unread_count: None,
            truncated: true,
        };
        match self {
            Self::ConversationCreated(frame) => Some(of_conversation(
                TruncatedType::ConversationCreated,
                frame.conversation.id,
                frame.seq,
                None,
            )),
            Self::NewMessage(frame) => Some(of_conversation(
                TruncatedType::NewMessage,
                frame.conversation_id,
                frame.seq,
                Some(frame.message.id),
            )),
            Self::MessageModerated(frame) => Some(of_conversation(
                TruncatedType::MessageModerated,
                frame.conversation_id,
                frame.seq,
                Some(frame.message_id),
            )),
            Self::NewMail(frame) => Some(Truncated {
                frame_type: TruncatedType::NewMessage,
                namespace: Part::Inbox,
                conversation_id: None,
                seq: None,
                message_id: Some(frame.message.id),
                unread_count: Some(frame.unread_count),
                truncated: true,
            }),
            // No other frame carries anything whose size a client decides.
            Self::MessageDeleted(_)
            | Self::MessageRead(_)
            | Self::MessageStatus(_)
            | Self::Typing(_)
            | Self::MailRead(_)
            | Self::MailUpdated(_)
            | Self::MailDeleted(_)
            | Self::MailsUpdated(_)
            | Self::NewNotification(_)
            | Self::NotificationRead(_)
            | Self::NotificationDeleted(_)
            | Self::NotificationsRead(_)
            | Self::Resumed(_)
            | Self::Pong(_)
            | Self::Error(_)
            | Self::Truncated(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;

    /// Contract §3: a frame that is cut says where it belongs, so that the client knows what to fetch.
    #[test]
    fn a_moderated_message_that_is_cut_keeps_its_place() {
        let conversation = ConversationId::from_uuid(Uuid::from_u128(1));
        let id = MessageId::from_uuid(Uuid::from_u128(2));
        let at = Timestamp::from_milliseconds(0);
        let message = Message {
            id,
            conversation_id: conversation,
            seq: 7,
            sender_id: crate::domain::ids::UserId::from_uuid(Uuid::from_u128(3)),
            sender_username: "ada".to_owned(),
            content: Some("x".repeat(FRAME_LIMIT_BYTES)),
            content_type: crate::domain::message::MessageType::Text.into(),
            client_message_id: None,
            created_at: at,
            updated_at: at,
            is_deleted: false,
            is_read: false,
            read_by: Vec::new(),
            read_count: 0,
        };
        let frame = Frame::MessageModerated(MessageModerated {
            namespace: Namespace::default(),
            conversation_id: conversation,
            message_id: id,
            seq: 8,
            moderation_status: ModerationStatus::Flagged,
            message,
            unread_count: None,
        });
        let text: Value = serde_json::from_str(&frame.to_text().unwrap()).unwrap();
        let expected = json!({
            "type": "message_moderated", "namespace": "conversations", "conversation_id": conversation, "seq": 8,
            "message_id": id, "truncated": true
        });
        assert_eq!(text, expected);
    }
}
