//! Notifications: what a person is to be told of, and what they missed (S0, contract §4).

pub mod create_system_notification;
pub mod delete_notification;
pub mod get_notification;
pub mod get_notification_stats;
pub mod list_notifications;
pub mod mark_notification_read;
pub mod mark_notifications_read;

mod examples;

use shared::lambda::Function;

/// Every function of this domain.
pub fn functions() -> Vec<Function> {
    vec![
        create_system_notification::function(),
        delete_notification::function(),
        get_notification::function(),
        get_notification_stats::function(),
        list_notifications::function(),
        mark_notification_read::function(),
        mark_notifications_read::function(),
    ]
}
