//! Delivery of events of one person's mail and notifications (contract §4).
//!
//! The frames hold the current content and counts.

use shared::domain::frame::{
    Frame, Inbox, MailDeleted, MailRead, MailUpdated, MailsUpdated, NewMail, NewNotification,
    NotificationDeleted, NotificationRead, Notifications, NotificationsRead,
};
use shared::domain::ids::{MessageId, NotificationId, UserId};
use shared::domain::mail::{Change, Side};
use shared::operations::delivery::{self, Delivery};
use shared::operations::views;
use shared::queue::{Personal, PersonalEvent};
use shared::store::Worker;
use shared::store::audit;
use shared::store::mail::{self, Correspondent};
use shared::store::notifications;
use shared::store::table::Consistency;
use shared::store::tally;
use shared::{App, Error, Result};

use super::awaited::awaited;

/// Delivers an event to each of a person's connections.
pub(super) async fn deliver(app: &App, worker: Worker, job: Personal) -> Result<()> {
    let audience = delivery::audience(app, &[job.user], Consistency::Strong).await?;
    let listening = audience.listening.into_iter().next();
    let deleted = match &job.event {
        PersonalEvent::MailDeleted { message, .. } | PersonalEvent::MessageDeleted { message } => {
            Some(*message)
        }
        _ => None,
    };
    if listening.is_none() && deleted.is_none() {
        return Ok(());
    }
    // Boxed: a future of the SDK is large, and every worker would hold those of every event.
    let look = |_| Box::pin(frames(app, worker, job.user, &job.event));
    let Some(frames) = awaited(app, job.queued_at, look).await? else {
        return Ok(());
    };
    if let Some(message) = deleted {
        // Here and not where it is deleted: the audit log has a single end, and no request should wait for it.
        audit::record_deletion(app, worker, job.user, message).await?;
    }
    let Some((user, mut listeners)) = listening else {
        return Ok(());
    };
    // In order: a mail comes before its notification.
    for frame in frames {
        let delivery = Delivery {
            user,
            listeners: listeners.clone(),
            frame,
        };
        let (_, delivered) = delivery::deliver(app, vec![delivery]).await;
        delivered?;
        // Expired connections are closed once.
        listeners.ended.clear();
    }
    Ok(())
}

/// The frames of an event; none if it has not been written yet.
async fn frames(
    app: &App,
    worker: Worker,
    user: UserId,
    event: &PersonalEvent,
) -> Result<Option<Vec<Frame>>> {
    match event {
        PersonalEvent::MailSent {
            message,
            notification,
        } => {
            let (mail, note) = tokio::try_join!(
                new_mail(app, worker, user, *message),
                new_notification(app, worker, user, *notification),
            )?;
            Ok(Some(mail.into_iter().chain(note).collect()))
        }
        PersonalEvent::MailRead { message, version } => {
            mail_read(app, worker, user, *message, *version).await
        }
        PersonalEvent::MailUpdated {
            message,
            version,
            reads,
        } => mail_updated(app, worker, user, (*message, *version), *reads).await,
        PersonalEvent::MailDeleted {
            message,
            notification,
        } => mail_deleted(app, worker, user, *message, *notification).await,
        PersonalEvent::MessageDeleted { .. } => Ok(Some(Vec::new())),
        PersonalEvent::MailsUpdated {
            messages,
            changes,
            notifications,
        } => {
            let mut frames = vec![Frame::MailsUpdated(MailsUpdated {
                namespace: Inbox::Inbox,
                message_ids: messages.clone(),
                changes: *changes,
                updated_count: messages.len() as u64,
                unread_count: unread_mails(app, user).await?,
            })];
            if !notifications.is_empty() {
                frames.push(Frame::NotificationsRead(NotificationsRead {
                    namespace: Notifications::Notifications,
                    notification_ids: notifications.clone(),
                    all: false,
                    marked_count: notifications.len() as u64,
                    unread_count: unread_notifications(app, user).await?,
                }));
            }
            Ok(Some(frames))
        }
        PersonalEvent::NotificationCreated { notification } => {
            let frame = new_notification(app, worker, user, *notification).await?;
            Ok(Some(frame.into_iter().collect()))
        }
        PersonalEvent::NotificationRead { notification } => {
            notification_read(app, worker, user, *notification).await
        }
        PersonalEvent::NotificationDeleted { notification } => {
            let noted = notifications::find_for_worker(app, worker, user, *notification).await?;
            if noted.is_some() {
                return Ok(None);
            }
            Ok(Some(vec![notification_deleted(app, user, *notification).await?]))
        }
        PersonalEvent::NotificationsRead {
            notifications,
            all,
            marked,
            mails,
        } => {
            let mut frames = vec![Frame::NotificationsRead(NotificationsRead {
                namespace: Notifications::Notifications,
                notification_ids: notifications.clone(),
                all: *all,
                marked_count: *marked,
                unread_count: unread_notifications(app, user).await?,
            })];
            if !mails.is_empty() {
                frames.push(Frame::MailsUpdated(MailsUpdated {
                    namespace: Inbox::Inbox,
                    message_ids: mails.clone(),
                    changes: Change::READ,
                    updated_count: mails.len() as u64,
                    unread_count: unread_mails(app, user).await?,
                }));
            }
            Ok(Some(frames))
        }
    }
}

/// The frame of a new mail; none if it is already deleted.
async fn new_mail(app: &App, worker: Worker, user: UserId, message: MessageId) -> Result<Option<Frame>> {
    let side = mail::side_for_worker(app, worker, user, message).await?;
    let side = side.ok_or_else(|| Error::internal("a job for a mail that does not exist"))?;
    if side.flags().is_deleted {
        return Ok(None);
    }
    let (message, unread_count) = tokio::try_join!(views::mail::mail(app, &side), unread_mails(app, user))?;
    Ok(Some(Frame::NewMail(NewMail {
        namespace: Inbox::Inbox,
        message,
        unread_count,
    })))
}

async fn mail_read(
    app: &App,
    worker: Worker,
    user: UserId,
    message: MessageId,
    version: u64,
) -> Result<Option<Vec<Frame>>> {
    let Some(side) = side(app, worker, user, message, version).await? else {
        return Ok(None);
    };
    let flags = side.flags();
    // Unread again, or gone: another job delivers that.
    if !flags.is_read || flags.is_deleted {
        return Ok(Some(Vec::new()));
    }
    let mut frames = vec![Frame::MailRead(MailRead {
        namespace: Inbox::Inbox,
        message_id: message,
        is_read: flags.is_read,
        read_at: flags.read_at,
        version: flags.version,
        unread_count: unread_mails(app, user).await?,
    })];
    frames.extend(read_with(app, worker, user, &side).await?);
    Ok(Some(frames))
}

/// The frame of the notification that was read with a mail; none if it is deleted.
async fn read_with(app: &App, worker: Worker, user: UserId, side: &Correspondent) -> Result<Vec<Frame>> {
    if side.side() == Side::Sender {
        return Ok(Vec::new());
    }
    let frames = notification_read(app, worker, user, side.content().notification).await?;
    Ok(frames.unwrap_or_default())
}

async fn mail_updated(
    app: &App,
    worker: Worker,
    user: UserId,
    (message, version): (MessageId, u64),
    reads: bool,
) -> Result<Option<Vec<Frame>>> {
    let Some(side) = side(app, worker, user, message, version).await? else {
        return Ok(None);
    };
    let flags = side.flags();
    if flags.is_deleted {
        return Ok(Some(Vec::new()));
    }
    let mut frames = vec![Frame::MailUpdated(MailUpdated {
        namespace: Inbox::Inbox,
        message_id: message,
        is_read: flags.is_read,
        is_starred: flags.is_starred,
        is_archived: flags.is_archived,
        read_at: flags.read_at,
        updated_at: flags.updated_at.unwrap_or(side.content().created_at),
        moderation_status: flags.moderation_status,
        is_deleted: flags.is_erased,
        version: flags.version,
        unread_count: unread_mails(app, user).await?,
    })];
    if reads {
        frames.extend(read_with(app, worker, user, &side).await?);
    }
    Ok(Some(frames))
}

/// The frames of a deleted mail and its notification.
async fn mail_deleted(
    app: &App,
    worker: Worker,
    user: UserId,
    message: MessageId,
    notification: Option<NotificationId>,
) -> Result<Option<Vec<Frame>>> {
    let side = mail::side_for_worker(app, worker, user, message).await?;
    if side.is_some_and(|side| !side.flags().is_deleted) {
        return Ok(None);
    }
    let mut frames = vec![Frame::MailDeleted(MailDeleted {
        namespace: Inbox::Inbox,
        message_id: message,
        unread_count: unread_mails(app, user).await?,
    })];
    if let Some(notification) = notification {
        frames.push(notification_deleted(app, user, notification).await?);
    }
    Ok(Some(frames))
}

/// The user's side of a mail, once its flags have a version.
async fn side(
    app: &App,
    worker: Worker,
    user: UserId,
    message: MessageId,
    version: u64,
) -> Result<Option<Correspondent>> {
    let side = mail::side_for_worker(app, worker, user, message).await?;
    Ok(side.filter(|side| side.flags().version >= version))
}

/// The frame of a new notification; none if it is already deleted.
async fn new_notification(
    app: &App,
    worker: Worker,
    user: UserId,
    notification: NotificationId,
) -> Result<Option<Frame>> {
    let noted = notifications::find_for_worker(app, worker, user, notification).await?;
    let Some(noted) = noted else { return Ok(None) };
    Ok(Some(Frame::NewNotification(NewNotification {
        namespace: Notifications::Notifications,
        notification: noted.notification(),
        unread_count: unread_notifications(app, user).await?,
    })))
}

async fn notification_read(
    app: &App,
    worker: Worker,
    user: UserId,
    notification: NotificationId,
) -> Result<Option<Vec<Frame>>> {
    let Some(noted) = notifications::find_for_worker(app, worker, user, notification).await? else {
        // Gone: another job delivers that.
        return Ok(Some(Vec::new()));
    };
    if noted.is_unread() {
        return Ok(None);
    }
    Ok(Some(vec![Frame::NotificationRead(NotificationRead {
        namespace: Notifications::Notifications,
        notification_id: notification,
        read_at: noted.notification().read_at,
        unread_count: unread_notifications(app, user).await?,
    })]))
}

async fn notification_deleted(app: &App, user: UserId, notification: NotificationId) -> Result<Frame> {
    Ok(Frame::NotificationDeleted(NotificationDeleted {
        namespace: Notifications::Notifications,
        notification_id: notification,
        unread_count: unread_notifications(app, user).await?,
    }))
}

async fn unread_mails(app: &App, user: UserId) -> Result<u64> {
    Ok(tally::of(app, user).await?.unread_mails())
}

async fn unread_notifications(app: &App, user: UserId) -> Result<u64> {
    Ok(notifications::numbers(app, user).await?.unread)
}
