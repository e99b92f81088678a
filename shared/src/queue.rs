//! Jobs: what is to be done after an answer, through SQS.

use std::time::Duration;

use aws_sdk_sqs::types::{QueueAttributeName, SendMessageBatchRequestEntry};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::App;
use crate::domain::ids::{ConnectionId, ConversationId, ExportId, MessageId, NotificationId, UserId};
use crate::domain::mail::Change;
use crate::domain::time::Timestamp;
use crate::error::{Error, Result};
use crate::store::members::Sender;
use crate::store::table::failed;

/// A queue of this system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Queue {
    /// Exports to be written.
    Export,
    /// To be delivered to live connections.
    Fanout,
    /// Missed by members without one.
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

/// A job for `deliver`: what happened in a conversation, or to one person, or that somebody connected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Announcement {
    /// To the members of a conversation.
    Conversation(Fanout),
    /// To one person.
    Person(Personal),
    /// Over a new connection.
    Connection(CatchUp),
}

/// A connection that was opened: what took place since may have passed it by. Deliveries of messages find connections
/// by eventually consistent reads, and not every copy of the table knows at once of a new one. The job is done once
/// all of them do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatchUp {
    /// The connection.
    pub connection: ConnectionId,
    /// Whose it is.
    pub user: UserId,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// The sync token to go on from, of a job that is not the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// What happened to what one person has, for `deliver` to push to their connections. It names ids and no content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Personal {
    /// Who.
    pub user: UserId,
    /// What.
    pub event: PersonalEvent,
    /// When it was queued. What it speaks of may come after it, see [`crate::store::mail::change`].
    pub queued_at: Timestamp,
}

/// What there is to push to one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PersonalEvent {
    /// A mail came, and a notification about it.
    MailSent {
        /// The mail.
        message: MessageId,
        /// The notification.
        notification: NotificationId,
    },
    /// A mail is read, with this version of its flags.
    MailRead {
        /// The mail.
        message: MessageId,
        /// The version.
        version: u64,
    },
    /// The flags of a mail have this version.
    MailUpdated {
        /// The mail.
        message: MessageId,
        /// The version.
        version: u64,
        /// Whether it is read by that, and the notification about it with it.
        #[serde(default)]
        reads: bool,
    },
    /// A mail is deleted.
    MailDeleted {
        /// The mail.
        message: MessageId,
        /// The notification about it, if there was one.
        notification: Option<NotificationId>,
    },
    /// A person-to-person message is deleted, which the log of its conversation has told its members: what is left is
    /// to record it.
    MessageDeleted {
        /// The message.
        message: MessageId,
    },
    /// The flags of many mails have changed.
    MailsUpdated {
        /// The mails.
        messages: Vec<MessageId>,
        /// How.
        changes: Change,
        /// The notifications that were read with them.
        #[serde(default)]
        notifications: Vec<NotificationId>,
    },
    /// A notification came.
    NotificationCreated {
        /// The notification.
        notification: NotificationId,
    },
    /// A notification is read.
    NotificationRead {
        /// The notification.
        notification: NotificationId,
    },
    /// A notification is deleted.
    NotificationDeleted {
        /// The notification.
        notification: NotificationId,
    },
    /// Many notifications are read.
    NotificationsRead {
        /// The notifications; empty if it was all that there were.
        notifications: Vec<NotificationId>,
        /// Whether it was all that there were.
        all: bool,
        /// How many it were.
        marked: u64,
        /// The mails that are read with them.
        #[serde(default)]
        mails: Vec<MessageId>,
    },
}

/// Queues what happened to a person.
pub async fn tell(app: &App, user: UserId, event: PersonalEvent) -> Result<()> {
    let job = Personal {
        user,
        event,
        queued_at: app.now(),
    };
    send(app, Queue::Fanout, &job).await
}

/// Queues an entry of a conversation's log, which speaks of a message, for its members. It may be queued while the entry
/// is being put.
pub async fn announce(
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
    send(app, Queue::Fanout, &job).await
}

/// What happened, for `deliver` to push. It names places and no content: what is pushed is what the table
/// holds by then, so that nothing deleted meanwhile goes out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fanout {
    /// Where.
    pub conversation: ConversationId,
    /// What.
    pub event: FanoutEvent,
    /// Which members.
    #[serde(default)]
    pub to: Recipients,
}

/// Which members a job is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipients {
    /// All of them, to be split if there are many.
    #[default]
    All,
    /// The two of a direct conversation.
    Pair([UserId; 2]),
    /// Those whose ids lie in a range of shards, both ends included.
    Shards(u16, u16),
}

impl Recipients {
    /// Who is to be told of what a sender appends.
    pub fn of(sender: &Sender) -> Self {
        sender.pair().map_or(Self::All, Self::Pair)
    }
}

/// What there is to push.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FanoutEvent {
    /// The entry with this number, if it speaks of this message. It may be queued while the entry is being put.
    Entry {
        /// The number.
        seq: u64,
        /// The message.
        message: MessageId,
        /// When it was queued.
        queued_at: Timestamp,
    },
    /// The conversation was opened.
    Opened,
    /// A person-to-person message has come further: it was marked as delivered, or by itself as read.
    Status {
        /// Its place in the log.
        seq: u64,
        /// Its id.
        message: MessageId,
    },
    /// A member has read.
    Read {
        /// Who.
        user: UserId,
        /// Up to which entry.
        seq: u64,
        /// The message of that entry.
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
    /// Who was away for what.
    pub missing: Vec<Missing>,
}

/// Who was away when a message was delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// The message's place.
    pub seq: u64,
    /// Who was away.
    pub users: Vec<UserId>,
}

/// A step of an export, for `export_messages`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportStep {
    /// The export.
    pub export: ExportId,
    /// The number of the step, from 1.
    pub step: u32,
}

/// How often a message is received before it goes to the dead letters; a test compares it with the template.
pub const MOST_RECEIVES: u32 = 5;

/// SQS takes ten messages in one request.
const BATCH: usize = 10;

/// Queues a job. When this returns, SQS holds it.
pub async fn send<J: Serialize>(app: &App, queue: Queue, job: &J) -> Result<()> {
    send_later(app, queue, job, Duration::ZERO).await
}

/// Queues a job to be done after a while, 15 minutes at the most. When this returns, SQS holds it.
pub async fn send_later<J: Serialize>(app: &App, queue: Queue, job: &J, delay: Duration) -> Result<()> {
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

/// Queues many jobs. When this returns, SQS holds all of them.
pub async fn send_all<J: Serialize>(app: &App, queue: Queue, jobs: &[J]) -> Result<()> {
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

/// Connects to SQS: asks it to take no jobs at all, which needs no more rights than queueing one, and which it refuses.
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

/// Reads a job back.
pub fn parse<J: DeserializeOwned>(body: &str) -> Result<J> {
    serde_json::from_str(body).map_err(Error::internal)
}

/// Whether the queues answer.
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

/// A job that was refused, whatever the reason, is one that the client's retry will queue.
fn unavailable(error: Error) -> Error {
    match error {
        Error::Internal(cause) => Error::Unavailable(cause),
        other => other,
    }
}
