//! Samples of the frames about one's own mail and notifications.

use shared::domain::frame::{
    Frame, Inbox, MailDeleted, MailRead, MailUpdated, MailsUpdated, NewMail, NewNotification,
    NotificationDeleted, NotificationRead, Notifications, NotificationsRead,
};
use shared::domain::ids::{MessageId, NotificationId, UserId};
use shared::domain::mail::{Change, Mail, Person};
use shared::domain::moderation::ModerationStatus;
use shared::domain::notification::{NEW_MESSAGE, Notification, about_mail};
use uuid::uuid;

use super::sample::{ADA, BOB, moment};

const MAIL: MessageId = MessageId::from_uuid(uuid!("4de88682-fe68-53cd-8cc1-2cd7093ebe74"));
const NOTIFICATION: NotificationId = NotificationId::from_uuid(uuid!("019bc154-2bc0-7a3e-8d10-5b6f4e3c2a19"));

fn person(id: UserId, name: &str) -> Person {
    Person {
        id,
        name: name.to_owned(),
        avatar_url: None,
    }
}

pub(super) fn new_mail() -> Frame {
    let message = Mail {
        id: MAIL,
        sender: person(ADA, "Ada Lovelace"),
        recipient: person(BOB, "Bob Noyce"),
        subject: "The engine".to_owned(),
        body: Some("It weaves algebraic patterns.".to_owned()),
        moderation_status: ModerationStatus::Approved,
        is_deleted: false,
        is_read: false,
        is_starred: false,
        is_archived: false,
        read_at: None,
        created_at: moment(0),
        updated_at: moment(0),
        version: 1,
        truncated: false,
    };
    Frame::NewMail(NewMail {
        namespace: Inbox::Inbox,
        message,
        unread_count: 1,
    })
}

pub(super) fn mail_read() -> Frame {
    Frame::MailRead(MailRead {
        namespace: Inbox::Inbox,
        message_id: MAIL,
        is_read: true,
        read_at: Some(moment(30)),
        version: 2,
        unread_count: 0,
    })
}

pub(super) fn mail_updated() -> Frame {
    Frame::MailUpdated(MailUpdated {
        namespace: Inbox::Inbox,
        message_id: MAIL,
        is_read: true,
        is_starred: true,
        is_archived: false,
        read_at: Some(moment(30)),
        updated_at: moment(40),
        moderation_status: ModerationStatus::Approved,
        is_deleted: false,
        version: 3,
        unread_count: 0,
    })
}

pub(super) fn mail_deleted() -> Frame {
    Frame::MailDeleted(MailDeleted {
        namespace: Inbox::Inbox,
        message_id: MAIL,
        unread_count: 0,
    })
}

pub(super) fn mails_updated() -> Frame {
    Frame::MailsUpdated(MailsUpdated {
        namespace: Inbox::Inbox,
        message_ids: vec![MAIL],
        changes: Change {
            is_archived: Some(true),
            ..Change::default()
        },
        updated_count: 1,
        unread_count: 0,
    })
}

pub(super) fn new_notification() -> Frame {
    let notification = Notification {
        id: NOTIFICATION,
        user_id: BOB,
        message_id: Some(MAIL),
        notification_type: NEW_MESSAGE.to_owned(),
        content: about_mail("Ada Lovelace", "The engine"),
        is_read: false,
        read_at: None,
        created_at: moment(0),
    };
    Frame::NewNotification(NewNotification {
        namespace: Notifications::Notifications,
        notification,
        unread_count: 1,
    })
}

pub(super) fn notification_read() -> Frame {
    Frame::NotificationRead(NotificationRead {
        namespace: Notifications::Notifications,
        notification_id: NOTIFICATION,
        read_at: Some(moment(30)),
        unread_count: 0,
    })
}

pub(super) fn notification_deleted() -> Frame {
    Frame::NotificationDeleted(NotificationDeleted {
        namespace: Notifications::Notifications,
        notification_id: NOTIFICATION,
        unread_count: 0,
    })
}

pub(super) fn notifications_read() -> Frame {
    Frame::NotificationsRead(NotificationsRead {
        namespace: Notifications::Notifications,
        notification_ids: vec![NOTIFICATION],
        all: false,
        marked_count: 1,
        unread_count: 0,
    })
}
