//! The schemas of lists and groups of frames. The values are `Frame`s.

use schemars::JsonSchema;

use super::{
    ConversationCreated, MailDeleted, MailRead, MailUpdated, MailsUpdated, MessageDeleted, MessageModerated,
    MessageRead, MessageStatus, NewMail, NewMessage, NewNotification, NotificationDeleted, NotificationRead,
    NotificationsRead,
};

/// An event of a conversation, as the event routes list it: the frames that are kept. This is the schema of what is in
/// their lists; the values are `Frame`s.
#[derive(Clone, Debug, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ConversationEvent {
    /// A conversation was created.
    ConversationCreated(ConversationCreated),
    /// A message was sent.
    NewMessage(NewMessage),
    /// A message was deleted.
    MessageDeleted(MessageDeleted),
    /// A message was moderated.
    MessageModerated(MessageModerated),
    /// A member has read.
    MessageRead(MessageRead),
    /// The status of a person-to-person message changed.
    MessageStatus(MessageStatus),
}

/// A frame about mail (S0-F13), as a schema; the values are `Frame`s.
#[derive(Clone, Debug, JsonSchema)]
#[serde(tag = "type")]
pub enum MessageEvent {
    /// A mail arrived.
    #[serde(rename = "new_message")]
    NewMail(NewMail),
    /// A mail was opened.
    #[serde(rename = "message_read")]
    MailRead(MailRead),
    /// The flags of a mail changed.
    #[serde(rename = "message_updated")]
    MailUpdated(MailUpdated),
    /// A mail was deleted.
    #[serde(rename = "message_deleted")]
    MailDeleted(MailDeleted),
    /// The flags of several mails changed.
    #[serde(rename = "messages_bulk_updated")]
    MailsUpdated(MailsUpdated),
}

/// A frame about notifications (S0-F13), as a schema; the values are `Frame`s.
#[derive(Clone, Debug, JsonSchema)]
#[serde(tag = "type")]
pub enum NotificationEvent {
    /// A notification arrived.
    #[serde(rename = "new_notification")]
    NewNotification(NewNotification),
    /// A notification was read.
    #[serde(rename = "notification_read")]
    NotificationRead(NotificationRead),
    /// A notification was deleted.
    #[serde(rename = "notification_deleted")]
    NotificationDeleted(NotificationDeleted),
    /// Several notifications were read.
    #[serde(rename = "notifications_bulk_read")]
    NotificationsRead(NotificationsRead),
}
