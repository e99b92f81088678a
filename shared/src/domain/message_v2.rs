//! Person-to-person messages: messages of a direct conversation in the format of S2 (contract §4).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::ids::{ConversationId, MessageId, TransactionId, UserId};
use super::message::{Attachment, Content, MessageType};
use super::moderation::ModerationStatus;
use super::read_mark::ReadMark;
use super::time::Timestamp;

/// The delivery status of a message (S2-F03).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageStatus {
    /// Stored.
    Sent,
    /// Delivered to the receiver.
    Delivered,
    /// Read by the receiver.
    Read,
    /// Reserved; currently not used.
    Failed,
}

impl MessageStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Sent, Self::Delivered, Self::Read, Self::Failed];
}

/// A person-to-person message (S2-F01).
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MessageV2 {
    /// The id of the message.
    pub id: MessageId,
    /// The direct conversation that the message is part of.
    pub conversation_id: ConversationId,
    /// The sequence number in the conversation.
    pub seq: u64,
    /// The sender.
    pub sender_id: UserId,
    /// The receiver. Null for group messages, which only administrative routes return.
    pub receiver_id: Option<UserId>,
    /// The text; null if the message is deleted or blocked.
    pub content: Option<String>,
    /// The type.
    pub message_type: MessageType,
    /// The current status.
    pub status: MessageStatus,
    /// The moderation status.
    pub moderation_status: ModerationStatus,
    /// When it was delivered; null if it was not.
    pub delivered_at: Option<Timestamp>,
    /// When it was marked as read, by itself or together with later messages; null if it was not.
    pub read_at: Option<Timestamp>,
    /// The attached files.
    pub attachments: Vec<Attachment>,
    /// Data of the sending client.
    pub metadata: Map<String, Value>,
    /// The number of credits that it cost.
    pub credits_cost: u64,
    /// The transaction of the sender.
    pub credits_transaction_id: Option<TransactionId>,
    /// Whether the message is deleted.
    pub is_deleted: bool,
    /// When it happened.
    pub deleted_at: Option<Timestamp>,
    /// When the message was sent.
    pub created_at: Timestamp,
    /// When the message last changed.
    pub updated_at: Timestamp,
}

/// The status of a message, with times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// How far.
    pub status: MessageStatus,
    /// When it was delivered.
    pub delivered_at: Option<Timestamp>,
    /// When it was read.
    pub read_at: Option<Timestamp>,
}

impl Progress {
    /// The progress of the message with a number; `receiver` is the receiver's read mark.
    pub fn of(seq: u64, content: &Content, receiver: Option<&ReadMark>) -> Self {
        let read = receiver.filter(|read_mark| read_mark.has_read(seq));
        let read_at = read.and_then(|read_mark| content.read_at.or(read_mark.read_at));
        let status = match (read, content.delivered_at) {
            (Some(_), _) => MessageStatus::Read,
            (None, Some(_)) => MessageStatus::Delivered,
            (None, None) => MessageStatus::Sent,
        };
        Self {
            status,
            delivered_at: content.delivered_at,
            read_at,
        }
    }
}

/// The view of messages that both members of a direct conversation share.
#[derive(Clone, Copy, Debug)]
pub struct Between<'a> {
    /// The conversation.
    pub conversation: ConversationId,
    /// The two members.
    pub pair: [UserId; 2],
    /// Their read marks.
    pub read_marks: &'a [ReadMark],
}

impl Between<'_> {
    /// The other member.
    pub fn other(&self, user: UserId) -> UserId {
        let [first, second] = self.pair;
        if user == first { second } else { first }
    }

    /// The progress of a message.
    pub fn progress(&self, seq: u64, content: &Content) -> Progress {
        let receiver = self.other(content.sender);
        let read_mark = self
            .read_marks
            .iter()
            .find(|read_mark| read_mark.user_id == receiver);
        Progress::of(seq, content, read_mark)
    }

    /// The message with a number.
    pub fn message(&self, seq: u64, at: Timestamp, content: &Content) -> MessageV2 {
        MessageV2::of(
            self.conversation,
            seq,
            at,
            content,
            Some(self.other(content.sender)),
            self.progress(seq, content),
        )
    }
}

impl MessageV2 {
    /// The message with a number, without the content of a deleted or blocked one.
    pub fn of(
        conversation: ConversationId,
        seq: u64,
        at: Timestamp,
        content: &Content,
        receiver: Option<UserId>,
        progress: Progress,
    ) -> Self {
        let is_shown = content.is_shown();
        let changes = [progress.delivered_at, progress.read_at];
        Self {
            id: content.id,
            conversation_id: conversation,
            seq,
            sender_id: content.sender,
            receiver_id: receiver,
            content: content.shown_text().map(str::to_owned),
            message_type: content.message_type,
            status: progress.status,
            moderation_status: content.moderation_status(),
            delivered_at: progress.delivered_at,
            read_at: progress.read_at,
            attachments: if is_shown {
                content.attachments.clone()
            } else {
                Vec::new()
            },
            metadata: if is_shown {
                content.metadata.clone()
            } else {
                Map::new()
            },
            credits_cost: content.payment.map_or(0, |payment| payment.cost),
            credits_transaction_id: content.payment.map(|payment| payment.transaction),
            is_deleted: content.deletion.is_some(),
            deleted_at: content.deletion.map(|deletion| deletion.at),
            created_at: at,
            updated_at: changes
                .into_iter()
                .flatten()
                .fold(content.changed_at(at), Timestamp::max),
        }
    }

    /// The same message as moderators see it, with deleted or blocked content.
    #[must_use]
    pub fn with_what_is_kept(self, content: &Content) -> Self {
        Self {
            content: content.kept_text().map(str::to_owned),
            attachments: content.attachments.clone(),
            metadata: content.metadata.clone(),
            ..self
        }
    }
}
