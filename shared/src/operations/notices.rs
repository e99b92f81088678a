//! Notifications about mails: whoever reads one of the two has read the other (S0-J02).
//!
//! A mail that is read reads its notification in its own transaction ([`mail::change`]); so here a notification is read
//! by way of its mail, where that is unread. Marking *all* notifications as read is one write whatever their number, and
//! leaves the mails as they are.

use crate::App;
use crate::domain::ids::{MessageId, NotificationId, UserId};
use crate::domain::mail::Change;
use crate::error::Result;
use crate::queue::{self, PersonalEvent};
use crate::store::mail::{self, Correspondent};
use crate::store::notifications::{self, Noted};

/// Marks a notification as read, and the mail that it is about; as it is then. The user's devices are told.
///
/// # Errors
/// [`Error::NotFound`] if it was deleted meanwhile.
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
    // Of one that is read already too: whoever read it may have failed to tell.
    let event = PersonalEvent::NotificationRead { notification };
    notifications::read(app, noted, queue::enqueue_personal(app, user, event)).await
}

/// The mail, if the user has it and has not read it.
async fn unread_mail(app: &App, user: UserId, message: MessageId) -> Result<Option<Correspondent>> {
    let found = Correspondent::of_many(app, user, &[message])
        .await?
        .remove(&message);
    Ok(found.filter(|mail| !mail.flags().is_read))
}

/// Many notifications that were marked as read.
pub struct Marked {
    /// For each what went wrong.
    pub results: Vec<(NotificationId, Result<()>)>,
    /// The mails that they are about and that are read now: those that an earlier attempt has read too, because it may
    /// have failed to tell.
    pub mails: Vec<MessageId>,
}

/// Marks many notifications as read, and the mails that they are about. The caller tells the user's devices.
pub async fn read_many(app: &App, user: UserId, ids: &[NotificationId]) -> Result<Marked> {
    let is_unread = notifications::mails_of(app, user, ids).await?;
    let messages: Vec<MessageId> = is_unread.keys().copied().collect();
    let found = Correspondent::of_many(app, user, &messages).await?;
    let (read, unread): (Vec<_>, Vec<_>) = found.into_values().partition(|mail| mail.flags().is_read);
    // One whose notification was read before has been marked as unread since then.
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
