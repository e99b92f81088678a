//! Notifications about mails: reading one of the two marks the other as read (S0-J02).
//!
//! Reading a mail marks its notification in the same transaction ([`mail::change`]); so a notification is marked here
//! by marking its mail, if that is unread. Marking *all* notifications as read is one write, whatever their number, and
//! leaves the mails unchanged.

use crate::App;
use crate::domain::ids::{MessageId, NotificationId, UserId};
use crate::domain::mail::Change;
use crate::error::Result;
use crate::queue::{self, PersonalEvent};
use crate::store::mail::{self, Correspondent};
use crate::store::notifications::{self, Noted};

/// Marks a notification and its mail as read, and enqueues this for the user's devices. Returns the notification as it
/// is then.
///
/// # Errors
/// [`NotFound`](crate::Error::NotFound) if it was deleted in the meantime.
pub async fn read(app: &App, user: UserId, noted: Noted) -> Result<Noted> {
    let notification = noted.id();
    if let Some(message) = noted.mail().filter(|_| noted.is_unread())
        && let Some(mail) = unread_mail(app, user, message).await?
    {
        let enqueue = async |version| {
            queue::enqueue_personal(app, user, PersonalEvent::MailRead { message, version }).await
        };
        mail::change(app, mail, Change::READ, enqueue).await?;
        let noted = Noted::of(app, user, notification).await?;
        if !noted.is_unread() {
            return Ok(noted);
        }
    }
    // Enqueued even if it is read already: the attempt that read it may have died before it could.
    let event = PersonalEvent::NotificationRead { notification };
    notifications::read(app, noted, queue::enqueue_personal(app, user, event)).await
}

/// The mail, if the user has it and it is unread.
async fn unread_mail(app: &App, user: UserId, message: MessageId) -> Result<Option<Correspondent>> {
    let found = Correspondent::of_many(app, user, &[message])
        .await?
        .remove(&message);
    Ok(found.filter(|mail| !mail.flags().is_read))
}

/// The result of marking many notifications as read.
pub struct Marked {
    /// The result for each.
    pub results: Vec<(NotificationId, Result<()>)>,
    /// The mails of these notifications that are read now. Includes those that an earlier attempt marked, because it
    /// may have died before it enqueued them.
    pub mails: Vec<MessageId>,
}

/// Marks many notifications and their mails as read. The caller enqueues this for the user's devices.
pub async fn read_many(app: &App, user: UserId, ids: &[NotificationId]) -> Result<Marked> {
    let is_unread = notifications::mails_of(app, user, ids).await?;
    let messages: Vec<MessageId> = is_unread.keys().copied().collect();
    let found = Correspondent::of_many(app, user, &messages).await?;
    let (read, unread): (Vec<_>, Vec<_>) = found.into_values().partition(|mail| mail.flags().is_read);
    // If the notification was read before, the mail was marked as unread since then.
    let is_wanted = |mail: &Correspondent| is_unread.get(&mail.content().id) == Some(&true);
    let unread = unread.into_iter().filter(is_wanted).collect();
    let changed = mail::change_many(app, unread, Change::READ).await?;
    let changed = changed.into_iter().filter(|(_, result)| result.is_ok());
    let mails = changed
        .map(|(mail, _)| mail)
        .chain(read.iter().map(|mail| mail.content().id));
    Ok(Marked {
        mails: mails.collect(),
        results: notifications::read_many(app, user, ids).await?,
    })
}
