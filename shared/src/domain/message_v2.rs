//! Person-to-person messages: a message of a direct conversation, as S2 sees it (contract §4).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::conversation::Cursor;
use super::ids::{ConversationId, MessageId, TransactionId, UserId};
use super::message::{Attachment, Content, MessageType};
use super::time::Timestamp;

/// How far a message has come (S2-F03).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageStatus {
    /// It is stored.
    Sent,
    /// The receiver said that it arrived.
    Delivered,
    /// The receiver has read it.
    Read,
    /// It was refused after it had been accepted. Nothing here does that; clients may know the word.
    Failed,
}

/// A message between two people (S2-F01).
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MessageV2 {
    /// The id of the message.
    pub id: MessageId,
    /// The direct conversation of the two, where it stands too.
    pub conversation_id: ConversationId,
    /// Its place in the log of that conversation.
    pub seq: u64,
    /// Who sent it.
    pub sender_id: UserId,
    /// Whom it is for; null in a group, which only administration sees here.
    pub receiver_id: Option<UserId>,
    /// The text; null once the message is deleted.
    pub content: Option<String>,
    /// What it is.
    pub message_type: MessageType,
    /// How far it has come.
    pub status: MessageStatus,
    /// When the receiver said that it arrived.
    pub delivered_at: Option<Timestamp>,
    /// When the receiver marked it as read; for one that was read with others, when the last of them was marked.
    pub read_at: Option<Timestamp>,
    /// The files that it refers to.
    pub attachments: Vec<Attachment>,
    /// What the sender's client noted beside it.
    pub metadata: Map<String, Value>,
    /// What it cost.
    pub credits_cost: u64,
    /// The entry of the sender's ledger.
    pub credits_transaction_id: Option<TransactionId>,
    /// Whether the sender deleted it.
    pub is_deleted: bool,
    /// When.
    pub deleted_at: Option<Timestamp>,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// How far a message has come, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// How far.
    pub status: MessageStatus,
    /// When it arrived.
    pub delivered_at: Option<Timestamp>,
    /// When it was read.
    pub read_at: Option<Timestamp>,
}

impl Progress {
    /// The progress of the message at a place of the log; `receiver` says how far its receiver has read.
    pub fn of(seq: u64, content: &Content, receiver: Option<&Cursor>) -> Self {
        let read_at = match receiver {
            Some(cursor) if cursor.has_read(seq) => content.read_at.or(cursor.read_at),
            _ => None,
        };
        let status = match (read_at, content.delivered_at) {
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

/// What both of a direct conversation see of its messages: the same.
#[derive(Clone, Copy, Debug)]
pub struct Between<'a> {
    /// The conversation.
    pub conversation: ConversationId,
    /// The two.
    pub pair: [UserId; 2],
    /// How far each has read.
    pub cursors: &'a [Cursor],
}

impl Between<'_> {
    /// The one of the two who is not the given one.
    pub fn other(&self, user: UserId) -> UserId {
        let [first, second] = self.pair;
        if user == first { second } else { first }
    }

    /// How far a message has come.
    pub fn progress(&self, seq: u64, content: &Content) -> Progress {
        let receiver = self.other(content.sender);
        let cursor = self.cursors.iter().find(|cursor| cursor.user_id == receiver);
        Progress::of(seq, content, cursor)
    }

    /// The message at a place of the log.
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
    /// The message at a place of the log, without what nobody is to see of a deleted one.
    pub fn of(
        conversation: ConversationId,
        seq: u64,
        at: Timestamp,
        content: &Content,
        receiver: Option<UserId>,
        progress: Progress,
    ) -> Self {
        let is_shown = content.deletion.is_none();
        let deleted_at = content.deletion.map(|deletion| deletion.at);
        let changes = [progress.delivered_at, progress.read_at, deleted_at];
        Self {
            id: content.id,
            conversation_id: conversation,
            seq,
            sender_id: content.sender,
            receiver_id: receiver,
            content: is_shown.then(|| content.text.clone()),
            message_type: content.message_type,
            status: progress.status,
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
            deleted_at,
            created_at: at,
            updated_at: changes.into_iter().flatten().fold(at, Timestamp::max),
        }
    }
}
