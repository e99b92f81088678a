//! What queues and messages look like from outside.

use std::collections::BTreeMap;

/// The account in queue URLs and ARNs.
const ACCOUNT: &str = "000000000000";

/// A queue to make sure of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSpec {
    /// The name, the last part of the queue's URL.
    pub name: String,
    /// For how long a received message is hidden from other receivers.
    pub visibility_timeout_seconds: u32,
    /// For how long a sent message is held back.
    pub delay_seconds: u32,
    /// For how long a message is kept.
    pub retention_seconds: u32,
    /// How often a message is received before it goes to the dead-letter queue.
    pub max_receive_count: Option<u32>,
    /// The name of the dead-letter queue.
    pub dead_letter_queue: Option<String>,
}

impl QueueSpec {
    pub(super) fn retention_ms(&self) -> i64 {
        i64::from(self.retention_seconds) * 1000
    }

    /// The queue's ARN.
    pub fn arn(&self) -> String {
        format!("arn:aws:sqs:us-east-1:{ACCOUNT}:{}", self.name)
    }

    /// The queue's URL, as SDK clients are to be given.
    pub fn url(&self) -> String {
        format!("http://sqs.localhost/{ACCOUNT}/{}", self.name)
    }
}

/// A received message.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// Stays the same over all receptions.
    pub message_id: String,
    /// Deletes or hides the message, until it is received again.
    pub receipt_handle: String,
    /// What was sent.
    pub body: String,
    /// The MD5 digest of the body, in hex.
    pub md5_of_body: String,
    /// `ApproximateReceiveCount`, `SentTimestamp` and the like.
    pub attributes: BTreeMap<String, String>,
    /// The sender's own attributes, in the JSON of the SQS API.
    pub message_attributes: serde_json::Value,
}

/// A message that was looked at, not received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peeked {
    /// The message's id.
    pub message_id: String,
    /// What was sent.
    pub body: String,
    /// When it was sent, in milliseconds since 1970.
    pub sent_ms: i64,
    /// When it is or was to be visible, in milliseconds since 1970.
    pub due_ms: i64,
    /// How often it was received.
    pub receive_count: u32,
    /// What it does now.
    pub state: State,
}

/// What a message does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Waits for a receiver.
    Visible,
    /// Was received and not yet deleted.
    InFlight,
    /// Was sent with a delay that isn't over.
    Delayed,
}

/// How many messages a queue holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Depth {
    /// Messages that wait for a receiver.
    pub visible: u64,
    /// Messages that were received and not yet deleted.
    pub in_flight: u64,
    /// Messages whose delay isn't over.
    pub delayed: u64,
}

/// How well-behaved the queues are. Standard queues promise neither order nor "once".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Delivery {
    /// Each message once, oldest first.
    #[default]
    Orderly,
    /// Each message that is sent from now on twice.
    Duplicated,
    /// Each message once, in random order.
    Shuffled,
    /// Twice and in random order.
    DuplicatedAndShuffled,
}

impl Delivery {
    pub(super) fn copies(self) -> usize {
        if matches!(self, Self::Duplicated | Self::DuplicatedAndShuffled) {
            2
        } else {
            1
        }
    }

    pub(super) fn order(self) -> Order {
        if matches!(self, Self::Shuffled | Self::DuplicatedAndShuffled) {
            Order::Shuffled
        } else {
            Order::ByTime
        }
    }
}

/// In which order visible messages are taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    ByTime,
    Shuffled,
}

/// A message to send.
#[derive(Debug, Clone, Default)]
pub struct Outgoing {
    /// What is sent.
    pub body: String,
    /// Overrides the delay of the queue.
    pub delay_seconds: Option<u32>,
    /// The sender's own attributes, in the JSON of the SQS API.
    pub message_attributes: serde_json::Map<String, serde_json::Value>,
    /// The function that sends, told to receivers as `SenderId`.
    pub sender: String,
}
