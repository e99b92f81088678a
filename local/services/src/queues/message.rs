//! Queues and messages as callers see them.

use std::collections::BTreeMap;

/// The account in queue URLs and ARNs.
const ACCOUNT: &str = "000000000000";

/// A queue to create if it does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSpec {
    /// The name, the last part of the queue's URL.
    pub name: String,
    /// The visibility timeout.
    pub visibility_timeout_seconds: u32,
    /// The delivery delay.
    pub delay_seconds: u32,
    /// The retention period.
    pub retention_seconds: u32,
    /// The maximum number of receives before a message moves to the dead-letter queue.
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

    /// The queue's URL for SDK clients.
    pub fn url(&self) -> String {
        format!("http://sqs.localhost/{ACCOUNT}/{}", self.name)
    }
}

/// A received message.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// The same for all receives.
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

/// A message that was listed, not received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peeked {
    /// The message's id.
    pub message_id: String,
    /// What was sent.
    pub body: String,
    /// When it was sent, in milliseconds since 1970.
    pub sent_ms: i64,
    /// When it becomes or became visible, in milliseconds since 1970.
    pub due_ms: i64,
    /// How often it was received.
    pub receive_count: u32,
    /// Its state.
    pub state: State,
}

/// The state of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Waits for a receiver.
    Visible,
    /// Was received and not yet deleted.
    InFlight,
    /// Was sent with a delay that has not passed.
    Delayed,
}

/// How many messages a queue holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Depth {
    /// Visible messages.
    pub visible: u64,
    /// Messages in flight.
    pub in_flight: u64,
    /// Delayed messages.
    pub delayed: u64,
}

/// Duplication and reordering of deliveries. Standard queues guarantee neither order nor exactly-once delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Delivery {
    /// Each message once, oldest first.
    #[default]
    Orderly,
    /// Each message that is sent from now on is delivered twice.
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

/// The order in which visible messages are taken.
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
    /// The sending function, shown to receivers as `SenderId`.
    pub sender: String,
}
