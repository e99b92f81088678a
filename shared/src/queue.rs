//! Jobs: work that happens after the response, through SQS.

use std::time::Duration;

use aws_sdk_sqs::types::{QueueAttributeName, SendMessageBatchRequestEntry};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::App;
use crate::clients::failed;
use crate::domain::ids::{ConnectionId, ConversationId, ExportId, MessageId, NotificationId, UserId};
use crate::domain::mail::Change;
use crate::domain::time::Timestamp;
use crate::error::{Error, Result};
use crate::store::members::Sender;

/// An SQS queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Queue {
    /// Exports to write.
    Export,
    /// Events to deliver to live connections.
    Fanout,
    /// Messages that members without a live connection missed.
    Offline,
}

impl Queue {
    /// Every queue.
    pub const ALL: [Self; 3] = [Self::Export, Self::Fanout, Self::Offline];

    /// The logical id in the template.
    pub const fn resource(self) -> &'static str {
        match self {
            Self::Export => "ExportQueue",
            Self::Fanout => "FanoutQueue",
            Self::Offline => "OfflineQueue",
        }
    }

    fn url(self, app: &App) -> &str {
        match self {
            Self::Export => &app.config().export_queue_url,
            Self::Fanout => &app.config().fanout_queue_url,
            Self::Offline => &app.config().offline_queue_url,
        }
    }
}

/// A job for `deliver`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum DeliverJob {
    /// An event for the members of a conversation.
    Conversation(Fanout),
    /// An event for one person.
    Person(Personal),
    /// The catch-up of a new connection.
    Connection(CatchUp),
}

/// A new connection that may have missed events. Deliveries find connections by eventually consistent reads, which may
/// not show a new connection at once. This job runs when they surely do, and posts what the connection missed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatchUp {
    /// The connection.
    pub connection: ConnectionId,
    /// The user who opened it.
    pub user: UserId,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// The sync token to continue from, in the second and later jobs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Whether this job comes so late that the connection can no longer be opening.
    #[serde(default)]
    pub is_late: bool,
}

/// An event for one person, which `deliver` posts to their connections. It holds ids and no content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Personal {
    /// The person.
    pub user: UserId,
    /// What happened.
    pub event: PersonalEvent,
    /// When it was enqueued. The change itself may be written later, see [`crate::store::mail::change`].
    pub queued_at: Timestamp,
}

/// What happened to a person's mails and notifications.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PersonalEvent {
    /// A mail and its notification were created.
    MailSent {
        /// The mail.
        message: MessageId,
        /// The notification.
        notification: NotificationId,
    },
    /// A mail was read.
    MailRead {
        /// The mail.
        message: MessageId,
        /// The version of its flags.
        version: u64,
    },
    /// The flags of a mail changed.
    MailUpdated {
        /// The mail.
        message: MessageId,
        /// The new version.
        version: u64,
        /// Whether this marked the mail as read, and so its notification.
        #[serde(default)]
        reads: bool,
    },
    /// A mail was deleted.
    MailDeleted {
        /// The mail.
        message: MessageId,
        /// The notification about it, if there is one.
        notification: Option<NotificationId>,
    },
    /// A person-to-person message was deleted. Its conversation's log has the deletion; what is left is the audit log.
    MessageDeleted {
        /// The message.
        message: MessageId,
    },
    /// The flags of many mails changed.
    MailsUpdated {
        /// The mails.
        messages: Vec<MessageId>,
        /// The change.
        changes: Change,
        /// The notifications that were marked as read with them.
        #[serde(default)]
        notifications: Vec<NotificationId>,
    },
    /// A notification was created.
    NotificationCreated {
        /// The notification.
        notification: NotificationId,
    },
    /// A notification was read.
    NotificationRead {
        /// The notification.
        notification: NotificationId,
    },
    /// A notification was deleted.
    NotificationDeleted {
        /// The notification.
        notification: NotificationId,
    },
    /// Many notifications were read.
    NotificationsRead {
        /// The notifications; empty if `all`.
        notifications: Vec<NotificationId>,
        /// Whether all notifications were marked.
        all: bool,
        /// How many were marked.
        marked: u64,
        /// The mails that were marked as read with them.
        #[serde(default)]
        mails: Vec<MessageId>,
    },
}

/// Enqueues an event for one person.
pub async fn enqueue_personal(app: &App, user: UserId, event: PersonalEvent) -> Result<()> {
    let job = Personal {
        user,
        event,
        queued_at: app.now(),
    };
    enqueue(app, Queue::Fanout, &job).await
}

/// Enqueues the delivery of a log entry about a message to the members of its conversation. The entry may not be stored
/// yet.
pub async fn enqueue_entry(
    app: &App,
    conversation: ConversationId,
    to: Recipients,
    seq: u64,
    message: MessageId,
) -> Result<()> {
    let event = FanoutEvent::Entry {
        seq,
        message,
        queued_at: app.now(),
    };
    let job = Fanout {
        conversation,
        event,
        to,
    };
    enqueue(app, Queue::Fanout, &job).await
}

/// An event for members of a conversation. It holds numbers and ids but no content: `deliver` reads the current
/// content, so nothing that was deleted in the meantime is posted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fanout {
    /// The conversation.
    pub conversation: ConversationId,
    /// What happened.
    pub event: FanoutEvent,
    /// The recipients.
    #[serde(default)]
    pub to: Recipients,
}

/// Which members a job is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipients {
    /// All members; the job is split if there are many.
    #[default]
    All,
    /// The two members of a direct conversation.
    Pair([UserId; 2]),
    /// Members in a range of shards, both ends included.
    Shards(u16, u16),
}

impl Recipients {
    /// The recipients of what a sender appends.
    pub fn of(sender: &Sender) -> Self {
        sender.pair().map_or(Self::All, Self::Pair)
    }
}

/// What happened in a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FanoutEvent {
    /// The log entry with this number, if it is about this message. It may not be stored yet.
    Entry {
        /// Its number.
        seq: u64,
        /// The message.
        message: MessageId,
        /// When it was enqueued.
        queued_at: Timestamp,
    },
    /// The conversation was opened.
    Opened,
    /// The status of a person-to-person message changed: it was delivered, or read individually.
    Status {
        /// Its number.
        seq: u64,
        /// Its id.
        message: MessageId,
    },
    /// A member's read mark moved.
    Read {
        /// The member.
        user: UserId,
        /// The new position.
        seq: u64,
        /// The message with that number.
        message: MessageId,
        /// When.
        at: Timestamp,
    },
}

/// Members without a live connection when messages were delivered, for `notify`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offline {
    /// Where.
    pub conversation: ConversationId,
    /// Who missed which message.
    pub missing: Vec<Missing>,
}

/// The users who missed a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// The message's number.
    pub seq: u64,
    /// The absent users.
    pub users: Vec<UserId>,
}

/// A step of an export, for `export_messages`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportStep {
    /// The export.
    pub export: ExportId,
    /// Counted from 1.
    pub step: u32,
}

/// How often SQS delivers a message before it moves it to the dead-letter queue; a test compares this with the
/// template.
pub const MOST_RECEIVES: u32 = 5;

/// SQS accepts at most ten messages per batch request.
const BATCH: usize = 10;

/// Enqueues a job. When this returns, SQS has stored it.
pub async fn enqueue<J: Serialize>(app: &App, queue: Queue, job: &J) -> Result<()> {
    enqueue_later(app, queue, job, Duration::ZERO).await
}

/// Enqueues a job with a delay of at most 15 minutes. When this returns, SQS has stored it.
pub async fn enqueue_later<J: Serialize>(app: &App, queue: Queue, job: &J, delay: Duration) -> Result<()> {
    let body = serde_json::to_string(job).map_err(Error::internal)?;
    app.meter().call();
    app.outside
        .clients
        .sqs
        .send_message()
        .queue_url(queue.url(app))
        .message_body(body)
        .delay_seconds(i32::try_from(delay.as_secs()).map_err(Error::internal)?)
        .send()
        .await
        .map_err(|error| unavailable(failed(error)))?;
    Ok(())
}

/// Enqueues many jobs. When this returns, SQS has stored all of them.
pub async fn enqueue_all<J: Serialize>(app: &App, queue: Queue, jobs: &[J]) -> Result<()> {
    for batch in jobs.chunks(BATCH) {
        let mut entries = Vec::with_capacity(batch.len());
        for (index, job) in batch.iter().enumerate() {
            let body = serde_json::to_string(job).map_err(Error::internal)?;
            let entry = SendMessageBatchRequestEntry::builder()
                .id(index.to_string())
                .message_body(body)
                .build();
            entries.push(entry.map_err(Error::internal)?);
        }
        app.meter().call();
        let request = app
            .outside
            .clients
            .sqs
            .send_message_batch()
            .queue_url(queue.url(app))
            .set_entries(Some(entries));
        let output = request.send().await.map_err(|error| unavailable(failed(error)))?;
        if let Some(refused) = output.failed().first() {
            return Err(Error::unavailable(format!(
                "SQS refused a job of a batch: {}",
                refused.code()
            )));
        }
    }
    Ok(())
}

/// Opens the connection to SQS with an empty batch, which SQS rejects and which needs no further right.
///
/// # Errors
/// SQS cannot be reached.
pub async fn connect(app: &App) -> Result<()> {
    let request = app.outside.clients.sqs.send_message_batch();
    let request = request
        .queue_url(Queue::Fanout.url(app))
        .set_entries(Some(Vec::new()));
    match request.send().await {
        Err(error) if error.as_service_error().is_none() => Err(failed(error)),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Parses the body of a job.
pub fn parse<J: DeserializeOwned>(body: &str) -> Result<J> {
    serde_json::from_str(body).map_err(Error::internal)
}

/// Checks that the queues are reachable.
pub async fn ready(app: &App) -> Result<()> {
    for queue in Queue::ALL {
        app.meter().call();
        let request = app
            .outside
            .clients
            .sqs
            .get_queue_attributes()
            .queue_url(queue.url(app));
        let request = request.attribute_names(QueueAttributeName::ApproximateNumberOfMessages);
        request.send().await.map_err(failed)?;
    }
    Ok(())
}

/// Any failure to enqueue is retryable: the client's retry enqueues the job.
fn unavailable(error: Error) -> Error {
    match error {
        Error::Internal(cause) => Error::Unavailable(cause),
        other => other,
    }
}
