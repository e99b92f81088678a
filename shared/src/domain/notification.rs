//! Notifications (S0, contract §4).

use schemars::JsonSchema;
use serde::Serialize;

use super::ids::{MessageId, NotificationId, UserId};
use super::text::Text;
use super::time::Timestamp;

/// The text of a notification.
pub type NotificationText = Text<1, 2000>;
/// The type of a notification (S0-F09).
pub type NotificationType = Text<1, 50>;

/// The type of a notification about a mail.
pub const NEW_MESSAGE: &str = "new_message";
/// The type of a notification about missed conversation messages.
pub const MISSED_MESSAGES: &str = "missed_messages";
/// The default type of a system notification.
pub const SYSTEM_ALERT: &str = "system_alert";

/// A notification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "NotificationWithMessage")]
pub struct Notification {
    /// The id.
    pub id: NotificationId,
    /// The user who was notified.
    pub user_id: UserId,
    /// The message that the notification is about; the latest one if several were missed.
    pub message_id: Option<MessageId>,
    /// The type: `new_message` for a mail, `missed_messages` for a conversation, `system_alert` or another one for a
    /// system notification.
    #[serde(rename = "type")]
    #[schemars(length(max = 50))]
    pub notification_type: String,
    /// The text.
    pub content: String,
    /// Whether the caller has read it.
    pub is_read: bool,
    /// When the caller read it; null if unread.
    pub read_at: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
}

/// The text about a mail whose content is hidden or erased.
pub fn about_hidden_mail(sender_name: &str) -> String {
    format!("New message from {sender_name}")
}

/// The exact text about a mail (S0-F11).
pub fn about_mail(sender_name: &str, subject: &str) -> String {
    format!("New message from {sender_name}: {subject}")
}

/// The text about missed messages: without their content, which may be gone by the time it is read.
pub fn about_missed(sender_username: &str) -> String {
    format!("{sender_username} wrote while you were away")
}
