//! Frames: what is pushed over the WebSocket, and what the event routes list.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::conversation::Conversation;
use super::ids::{ConversationId, MessageId, NotificationId, UserId};
use super::mail::{Change, Mail};
use super::message::Message;
use super::message_v2;
use super::moderation::ModerationStatus;
use super::notification::Notification;
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
    /// A person-to-person message has come further.
    MessageStatus(MessageStatus),
    /// A member started or stopped typing.
    Typing(Typing),
    /// A mail came.
    #[serde(rename = "new_message")]
    NewMail(NewMail),
    /// A mail was read by opening it.
    #[serde(rename = "message_read")]
    MailRead(MailRead),
    /// The flags of a mail changed.
    #[serde(rename = "message_updated")]
    MailUpdated(MailUpdated),
    /// A mail left the box.
    #[serde(rename = "message_deleted")]
    MailDeleted(MailDeleted),
    /// The flags of many mails changed.
    #[serde(rename = "messages_bulk_updated")]
    MailsUpdated(MailsUpdated),
    /// A notification came.
    NewNotification(NewNotification),
    /// A notification was read.
    NotificationRead(NotificationRead),
    /// A notification was deleted.
    NotificationDeleted(NotificationDeleted),
    /// Many notifications were read.
    #[serde(rename = "notifications_bulk_read")]
    NotificationsRead(NotificationsRead),
    /// The missed frames, or as many as one `resume` brings, have been sent.
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

/// `inbox`: the part of Tidings that mail is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Inbox {
    /// Mail.
    #[default]
    Inbox,
}

/// `notifications`: the part of Tidings that notifications are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Notifications {
    /// Notifications.
    #[default]
    Notifications,
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

/// `message_status`
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "MessageStatusChanged")]
pub struct MessageStatus {
    /// The part of Tidings.
    pub namespace: Namespace,
    /// The direct conversation.
    pub conversation_id: ConversationId,
    /// The message.
    pub message_id: MessageId,
    /// Its place in the log.
    pub seq: u64,
    /// How far it has come.
    pub status: message_v2::MessageStatus,
    /// When the receiver said that it arrived.
    pub delivered_at: Option<Timestamp>,
    /// When the receiver read it.
    pub read_at: Option<Timestamp>,
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
    /// For how many milliseconds a start holds: without another one, typing is over then, `false` or not.
    pub expires_in_ms: u32,
}

impl Typing {
    /// How long after a start typing is over by itself (contract §3).
    pub const EXPIRES_IN_MS: u32 = 8_000;
}

/// `new_message` of a mail
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct NewMail {
    /// The part of Tidings.
    pub namespace: Inbox,
    /// The mail, as its recipient sees it.
    pub message: Mail,
    /// How many mails are unread now.
    pub unread_count: u64,
}

/// `message_read` of a mail
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MailRead {
    /// The part of Tidings.
    pub namespace: Inbox,
    /// The mail.
    pub message_id: MessageId,
    /// Always true.
    pub is_read: bool,
    /// When.
    pub read_at: Option<Timestamp>,
    /// The version of the flags.
    pub version: u64,
    /// How many mails are unread now.
    pub unread_count: u64,
}

/// `message_updated`
#[expect(clippy::struct_excessive_bools, reason = "the contract names them")]
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MailUpdated {
    /// The part of Tidings.
    pub namespace: Inbox,
    /// The mail.
    pub message_id: MessageId,
    /// Whether it is read.
    pub is_read: bool,
    /// Whether it is starred.
    pub is_starred: bool,
    /// Whether it is archived.
    pub is_archived: bool,
    /// When it was read.
    pub read_at: Option<Timestamp>,
    /// When the flags changed.
    pub updated_at: Timestamp,
    /// What moderators say of it: show its content no more once it is `blocked`, and get it again once it is not.
    pub moderation_status: ModerationStatus,
    /// Whether its content was deleted for good: show it no more.
    pub is_deleted: bool,
    /// The version of the flags.
    pub version: u64,
    /// How many mails are unread now.
    pub unread_count: u64,
}

/// `message_deleted` of a mail
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MailDeleted {
    /// The part of Tidings.
    pub namespace: Inbox,
    /// The mail.
    pub message_id: MessageId,
    /// How many mails are unread now.
    pub unread_count: u64,
}

/// `messages_bulk_updated`
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MailsUpdated {
    /// The part of Tidings.
    pub namespace: Inbox,
    /// The mails.
    pub message_ids: Vec<MessageId>,
    /// What was asked for, and holds for each of them.
    pub changes: Change,
    /// How many they are.
    pub updated_count: u64,
    /// How many mails are unread now.
    pub unread_count: u64,
}

/// `new_notification`
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct NewNotification {
    /// The part of Tidings.
    pub namespace: Notifications,
    /// The notification.
    pub notification: Notification,
    /// How many notifications are unread now.
    pub unread_count: u64,
}

/// `notification_read`
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct NotificationRead {
    /// The part of Tidings.
    pub namespace: Notifications,
    /// The notification.
    pub notification_id: NotificationId,
    /// When it was read.
    pub read_at: Option<Timestamp>,
    /// How many notifications are unread now.
    pub unread_count: u64,
}

/// `notification_deleted`
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct NotificationDeleted {
    /// The part of Tidings.
    pub namespace: Notifications,
    /// The notification.
    pub notification_id: NotificationId,
    /// How many notifications are unread now.
    pub unread_count: u64,
}

/// `notifications_bulk_read`
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct NotificationsRead {
    /// The part of Tidings.
    pub namespace: Notifications,
    /// The notifications; empty if it was all that there were.
    pub notification_ids: Vec<NotificationId>,
    /// Whether all were marked that there were.
    pub all: bool,
    /// How many were marked.
    pub marked_count: u64,
    /// How many notifications are unread now.
    pub unread_count: u64,
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
    /// Whether more was missed: send `resume` with `next` for it.
    pub has_more: bool,
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
    pub namespace: Part,
    /// The conversation, where it speaks of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<ConversationId>,
    /// Its place in the log, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// The message, where it speaks of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
    /// How many mails are unread now, where it speaks of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread_count: Option<u64>,
    /// Always true.
    pub truncated: bool,
}

/// The parts of Tidings whose frames can be too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Part {
    /// Direct and group conversations.
    Conversations,
    /// Mail.
    Inbox,
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
        let (frame_type, message_id) = match self {
            Self::ConversationCreated(_) => ("conversation_created", None),
            Self::NewMessage(frame) => ("new_message", Some(frame.message.id)),
            Self::MessageModerated(frame) => ("message_moderated", Some(frame.message_id)),
            Self::NewMail(frame) => ("new_message", Some(frame.message.id)),
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
            | Self::Truncated(_) => return None,
        };
        let place = match self {
            Self::ConversationCreated(frame) => Some((frame.conversation.id, frame.seq)),
            Self::NewMessage(frame) => Some((frame.conversation_id, frame.seq)),
            _ => None,
        };
        let unread_count = match self {
            Self::NewMail(frame) => Some(frame.unread_count),
            _ => None,
        };
        Some(Truncated {
            frame_type: frame_type.to_owned(),
            namespace: if place.is_some() {
                Part::Conversations
            } else {
                Part::Inbox
            },
            conversation_id: place.map(|(conversation, _)| conversation),
            seq: place.map(|(_, seq)| seq),
            message_id,
            unread_count,
            truncated: true,
        })
    }
}
