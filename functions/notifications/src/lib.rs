//! Notifications of mails, system messages, and missed messages (S0, contract §4).

pub mod create_system_notification;
pub mod delete_notification;
pub mod get_notification;
pub mod get_notification_stats;
pub mod list_notifications;
pub mod mark_notification_read;
pub mod mark_notifications_read;

mod examples;

use shared::lambda::Function;

shared::functions! {
    in "messaging";
    CREATE_SYSTEM_NOTIFICATION = Function::http::<create_system_notification::CreateSystemNotification>();
    DELETE_NOTIFICATION = Function::http::<delete_notification::DeleteNotification>();
    GET_NOTIFICATION = Function::http::<get_notification::GetNotification>();
    GET_NOTIFICATION_STATS = Function::http::<get_notification_stats::GetNotificationStats>();
    LIST_NOTIFICATIONS = Function::http::<list_notifications::ListNotifications>();
    MARK_NOTIFICATION_READ = Function::http::<mark_notification_read::MarkNotificationRead>();
    MARK_NOTIFICATIONS_READ = Function::http::<mark_notifications_read::MarkNotificationsRead>();
}
