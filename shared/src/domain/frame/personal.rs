//! Frames about what one person has: their mail and their notifications.

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::ids::{MessageId, NotificationId};
use crate::domain::mail::{Change, Mail};
use crate::domain::moderation::ModerationStatus;
use crate::domain::notification::Notification;
use crate::domain::time::Timestamp;

/// The area of mail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Inbox {
    /// Mail.
    #[default]
    Inbox,
}

/// The area of notifications.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Notifications {
    /// Notifications.
    #[default]
    Notifications,
}

/// A mail arrived.
///
/// Sent to all connections of the recipient. A mail that does not fit into a frame comes as `truncated`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct NewMail {
    /// The area that the frame belongs to.
    pub namespace: Inbox,
    /// The mail, as its recipient sees it.
    pub message: Mail,
    /// The number of unread mails that are not archived.
    pub unread_count: u64,
}

/// You opened a mail.
///
/// Sent to your own connections; the sender is not told.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MailRead {
    /// The area that the frame belongs to.
    pub namespace: Inbox,
    /// The mail.
    pub message_id: MessageId,
    /// Always true.
    #[schemars(extend("const" = true))]
    pub is_read: bool,
    /// When it happened.
    pub read_at: Option<Timestamp>,
    /// The new version of the flags.
    pub version: u64,
    /// The number of unread mails that are not archived.
    pub unread_count: u64,
}

/// You changed the flags of a mail.
///
/// Sent to your own connections. Ignore it if you know a higher `version`.
#[expect(clippy::struct_excessive_bools, reason = "the contract names them")]
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MailUpdated {
    /// The area that the frame belongs to.
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
    /// The moderation status. Hide the content while it is `blocked`, and get the mail again once it is not.
    pub moderation_status: ModerationStatus,
    /// Whether the content was deleted permanently: hide it.
    pub is_deleted: bool,
    /// The new version of the flags.
    pub version: u64,
    /// The number of unread mails that are not archived.
    pub unread_count: u64,
}

/// You deleted a mail.
///
/// Sent to your own connections. The other side keeps its copy and is not told.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MailDeleted {
    /// The area that the frame belongs to.
    pub namespace: Inbox,
    /// The mail.
    pub message_id: MessageId,
    /// The number of unread mails that are not archived.
    pub unread_count: u64,
}

/// You changed the flags of several mails.
///
/// Sent once to your own connections. `changes` applies to each of the mails.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MailsUpdated {
    /// The area that the frame belongs to.
    pub namespace: Inbox,
    /// The mails.
    pub message_ids: Vec<MessageId>,
    /// The flags that were set.
    pub changes: Change,
    /// The number of mails.
    pub updated_count: u64,
    /// The number of unread mails that are not archived.
    pub unread_count: u64,
}

/// A notification arrived.
///
/// Sent to all connections of the user whom it is for.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct NewNotification {
    /// The area that the frame belongs to.
    pub namespace: Notifications,
    /// The notification.
    pub notification: Notification,
    /// The number of unread notifications.
    pub unread_count: u64,
}

/// You read a notification.
///
/// Sent to your own connections.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct NotificationRead {
    /// The area that the frame belongs to.
    pub namespace: Notifications,
    /// The notification.
    pub notification_id: NotificationId,
    /// When it was read.
    pub read_at: Option<Timestamp>,
    /// The number of unread notifications.
    pub unread_count: u64,
}

/// You deleted a notification.
///
/// Sent to your own connections.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct NotificationDeleted {
    /// The area that the frame belongs to.
    pub namespace: Notifications,
    /// The notification.
    pub notification_id: NotificationId,
    /// The number of unread notifications.
    pub unread_count: u64,
}

/// You marked several notifications as read.
///
/// Sent once to your own connections. With `all: true` all existing notifications were marked, and `notification_ids` is
/// empty.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct NotificationsRead {
    /// The area that the frame belongs to.
    pub namespace: Notifications,
    /// The notifications; empty if all were marked.
    pub notification_ids: Vec<NotificationId>,
    /// Whether all existing notifications were marked.
    pub all: bool,
    /// The number of notifications that were marked.
    pub marked_count: u64,
    /// The number of unread notifications.
    pub unread_count: u64,
}
