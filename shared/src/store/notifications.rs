//! Notifications of a user: those that are stored, one item each, and what was [missed](note_missed) in conversations.
//!
//! The ids of those that are stored follow each other, so their order is that in which they came, and "all are read"
//! is one write whatever their number: it names the newest. A notification is read if it was marked, or if it is not
//! behind that one. A second item, which is there until it is marked, lists what is unread.

mod many;
mod missed;
mod pages;

pub use many::{mails_of, read_all, read_many};
pub use missed::{Missed, note_missed};
pub use pages::{Page, Position, page};

use serde_json::json;

use super::Worker;
use super::audit::{self, Act, Pending};
use super::item::{Item, number, text};
use super::keys;
use super::once::Once;
use super::table::{self, Backoff, Condition, Consistency, Transacted, Transaction, Update};
use super::tally::{self, Delta, Tally};
use crate::App;
use crate::auth::Permit;
use crate::domain::audit::{Actor, Target};
use crate::domain::ids::{MessageId, NotificationId, UserId};
use crate::domain::notification::{Notification, NotificationText, NotificationType};
use crate::domain::permission::NotificationsSystem;
use crate::domain::time::Timestamp;
use crate::error::{Error, Result};
use missed::Note;

/// How often a change looks again before it gives up with 503.
const ATTEMPTS: u32 = 24;

/// How many notifications one transaction marks at the most: each takes part with two items, the tally is another, and a
/// transaction has a hundred parts.
/// Source: AWS, *Amazon DynamoDB Transactions: How it works*.
const TOGETHER: usize = 40;

/// The attributes of notifications.
mod attribute {
    /// What it says.
    pub(super) const CONTENT: &str = "c";
    /// The message that it speaks of.
    pub(super) const MESSAGE: &str = "m";
    /// When it was marked as read.
    pub(super) const READ_AT: &str = "r";
    /// What kind it is.
    pub(super) const TYPE: &str = "t";
}

/// A notification as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) id: NotificationId,
    pub(super) of_type: String,
    pub(super) content: String,
    pub(super) message: Option<MessageId>,
    /// When it was marked alone; it may be read with all others.
    read_at: Option<Timestamp>,
}

impl Stored {
    pub(super) fn new(
        id: NotificationId,
        of_type: impl Into<String>,
        content: impl Into<String>,
        message: Option<MessageId>,
    ) -> Self {
        Self {
            id,
            of_type: of_type.into(),
            content: content.into(),
            message,
            read_at: None,
        }
    }

    fn read_at(&self, tally: &Tally) -> Option<Timestamp> {
        self.read_at.or_else(|| tally.read_with_all(self.id))
    }

    /// As its user sees it.
    pub(super) fn notification(&self, user: UserId, tally: &Tally) -> Notification {
        let read_at = self.read_at(tally);
        Notification {
            id: self.id,
            user_id: user,
            message_id: self.message,
            notification_type: self.of_type.clone(),
            content: self.content.clone(),
            is_read: read_at.is_some(),
            read_at,
            created_at: self.id.moment().unwrap_or_default(),
        }
    }

    /// What is written when it comes, beside the tally.
    pub(super) fn put_into(&self, transaction: Transaction, user: UserId) -> Transaction {
        let item = Item::new(&keys::notification(user, self.id))
            .text(attribute::TYPE, &self.of_type)
            .text(attribute::CONTENT, &self.content);
        let item = match self.message {
            Some(message) => item.id(attribute::MESSAGE, message.uuid()),
            None => item,
        };
        transaction.put(item, Condition::absent()).put(
            Item::new(&keys::unread_notification(user, self.id)),
            Condition::default(),
        )
    }

    /// What is written when it is read alone, beside the tally. The transaction is refused if it was read or deleted
    /// meanwhile.
    fn mark_in(&self, transaction: Transaction, user: UserId, now: Timestamp) -> Transaction {
        let read_at = attribute::READ_AT;
        let mark = Update::new(keys::notification(user, self.id), format!("SET {read_at} = :now"))
            .only_if(format!(
                "attribute_exists({}) AND attribute_not_exists({read_at})",
                keys::PARTITION
            ))
            .value(":now", number(now.milliseconds()));
        transaction
            .update(mark)
            .delete(keys::unread_notification(user, self.id), Condition::default())
    }

    /// What is written when its mail is read, and what that takes from the tally; nothing if it is read already. The
    /// transaction is refused if it was read or deleted meanwhile.
    pub(super) fn read_in(
        &self,
        transaction: Transaction,
        delta: Delta,
        (user, tally): (UserId, &Tally),
        now: Timestamp,
    ) -> (Transaction, Delta) {
        if self.read_at(tally).is_some() {
            return (transaction, delta);
        }
        (self.mark_in(transaction, user, now), delta.read(self.id))
    }

    /// What is written when it goes, and what that takes from the tally. The transaction is refused if it was read or
    /// deleted meanwhile.
    pub(super) fn remove_from(
        &self,
        transaction: Transaction,
        delta: Delta,
        user: UserId,
        tally: &Tally,
    ) -> (Transaction, Delta) {
        let as_seen = if self.read_at.is_some() {
            format!("attribute_exists({})", attribute::READ_AT)
        } else {
            let read = attribute::READ_AT;
            format!(
                "attribute_exists({}) AND attribute_not_exists({read})",
                keys::PARTITION
            )
        };
        let transaction = transaction
            .delete(keys::notification(user, self.id), Condition::holds(as_seen))
            .delete(keys::unread_notification(user, self.id), Condition::default());
        let delta = delta.forgotten(&self.of_type);
        if self.read_at(tally).is_some() {
            (transaction, delta)
        } else {
            (transaction, delta.read(self.id))
        }
    }

    pub(super) fn decode(id: NotificationId, item: &Item) -> Result<Self> {
        Ok(Self {
            id,
            of_type: item.get_text(attribute::TYPE)?.to_owned(),
            content: item.get_text(attribute::CONTENT)?.to_owned(),
            message: item.find_id(attribute::MESSAGE)?.map(MessageId::from_uuid),
            read_at: item.find_time(attribute::READ_AT)?,
        })
    }
}

/// One of a user's notifications, wherever it is kept.
#[derive(Clone, Debug)]
pub struct Noted {
    user: UserId,
    kept: Kept,
    tally: Tally,
}

#[derive(Clone, Debug)]
enum Kept {
    Stored(Stored),
    Missed(Note),
}

impl Noted {
    /// The user's notification with an id.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is none, or it is somebody else's.
    pub async fn of(app: &App, user: UserId, id: NotificationId) -> Result<Self> {
        Self::find(app, user, id)
            .await?
            .ok_or(Error::NotFound("notification"))
    }

    async fn find(app: &App, user: UserId, id: NotificationId) -> Result<Option<Self>> {
        // An id that is drawn tells when it came; one that is derived, from a conversation and the user, names no key.
        if id.moment().is_none() {
            let note = missed::of(app, user)
                .await?
                .into_iter()
                .find(|note| note.id() == id);
            return Ok(note.map(|note| Self {
                user,
                kept: Kept::Missed(note),
                tally: Tally::default(),
            }));
        }
        let (note, tally) = (keys::notification(user, id), keys::tally(user));
        let items = table::get_many(app, vec![note.clone(), tally.clone()], Consistency::Strong).await?;
        let Some(item) = items.get(&note) else {
            return Ok(None);
        };
        Ok(Some(Self {
            user,
            kept: Kept::Stored(Stored::decode(id, item)?),
            tally: items.get(&tally).map_or(Ok(Tally::default()), tally::decode)?,
        }))
    }

    /// As the user sees it.
    pub fn notification(&self) -> Notification {
        match &self.kept {
            Kept::Stored(stored) => stored.notification(self.user, &self.tally),
            Kept::Missed(note) => note.notification(self.user),
        }
    }

    /// Whether it is unread.
    pub fn is_unread(&self) -> bool {
        match &self.kept {
            Kept::Stored(stored) => stored.read_at(&self.tally).is_none(),
            Kept::Missed(note) => note.is_unread(),
        }
    }

    /// The mail that it is about, if it is about one.
    pub fn mail(&self) -> Option<MessageId> {
        match &self.kept {
            Kept::Stored(stored) => stored.message,
            Kept::Missed(_) => None,
        }
    }

    /// Its id.
    pub fn id(&self) -> NotificationId {
        match &self.kept {
            Kept::Stored(stored) => stored.id,
            Kept::Missed(note) => note.id(),
        }
    }
}

/// Marks a notification as read; as it is then. `enqueue` tells others of it **before** it is done, as with a
/// [change](super::mail::change) of a mail.
pub async fn read(app: &App, noted: Noted, enqueue: impl Future<Output = Result<()>>) -> Result<Noted> {
    enqueue.await?;
    let (user, id) = (noted.user, noted.id());
    let mut noted = noted;
    let mut backoff = Backoff::new(ATTEMPTS);
    while noted.is_unread() {
        match &noted.kept {
            Kept::Missed(note) => missed::read(app, user, std::slice::from_ref(note)).await?,
            Kept::Stored(stored) => {
                let transaction = stored.mark_in(Transaction::default(), user, app.now());
                let delta = Delta::default().read(stored.id);
                if let Transacted::Refused(_) = counted(transaction, delta, user).send(app).await? {
                    backoff.wait("marking a notification").await?;
                }
            }
        }
        noted = Noted::of(app, user, id).await?;
    }
    Ok(noted)
}

/// Deletes a notification. One that is gone already is as good. `enqueue` comes first, as with [`read`].
pub async fn delete(app: &App, noted: Noted, enqueue: impl Future<Output = Result<()>>) -> Result<()> {
    enqueue.await?;
    let (user, id) = (noted.user, noted.id());
    let mut noted = noted;
    let mut backoff = Backoff::new(ATTEMPTS);
    loop {
        match &noted.kept {
            Kept::Missed(note) => return missed::delete(app, user, note).await,
            Kept::Stored(stored) => {
                let (transaction, delta) =
                    stored.remove_from(Transaction::default(), Delta::default(), user, &noted.tally);
                if let Some(Transacted::Done) = counted(transaction, delta, user).contend(app).await? {
                    return Ok(());
                }
            }
        }
        backoff.wait("deleting a notification").await?;
        match Noted::find(app, user, id).await? {
            Some(found) => noted = found,
            None => return Ok(()),
        }
    }
}

/// The change with which a notification says something else; none if it is deleted. It is refused if the notification is
/// deleted meanwhile.
pub(super) async fn said_anew(
    app: &App,
    user: UserId,
    id: NotificationId,
    says: &str,
) -> Result<Option<Update>> {
    let key = keys::notification(user, id);
    if table::get(app, &key, Consistency::Strong).await?.is_none() {
        return Ok(None);
    }
    let update = Update::new(key, format!("SET {} = :says", attribute::CONTENT))
        .only_if(format!("attribute_exists({})", keys::PARTITION))
        .value(":says", text(says));
    Ok(Some(update))
}

/// Notifies a user on behalf of the system, once for all attempts under a key; whether an earlier one had done so. It is
/// audited in the same transaction, and an attempt that finds it done as a look.
///
/// # Errors
/// [`Error::IdempotencyKeyReused`] if the key stands for another notification.
pub async fn notify(
    app: &App,
    permit: &Permit<NotificationsSystem>,
    user: UserId,
    of_type: &NotificationType,
    content: &NotificationText,
    once: Option<&Once>,
) -> Result<(Notification, bool)> {
    let actor = Actor::from(permit);
    let act = |id: NotificationId| {
        let metadata = json!({ "notification_id": id, "notification_type": of_type.as_str() });
        Act::read("notifications.system", Target::one("user", user), metadata)
    };
    let mut newest = None;
    let mut backoff = Backoff::new(ATTEMPTS);
    loop {
        let id = NotificationId::following(newest, app.now());
        let stored = Stored::new(id, of_type.as_str(), content.as_str(), None);
        let transaction = match once {
            Some(once) => Transaction::default().put(once.marker(id.uuid()), Once::is_first(app.now())),
            None => Transaction::default(),
        };
        let transaction = stored.put_into(transaction, user);
        let delta = Delta::default().notified(id, of_type.as_str());
        let pending = Pending::next(app, &actor, &act(id)).await?;
        let (transaction, _) = pending.join(transaction);
        match counted(transaction, delta, user).contend(app).await? {
            Some(Transacted::Done) => return Ok((stored.notification(user, &Tally::default()), false)),
            Some(Transacted::Refused(parts)) => {
                if let (Some(once), Some(Some(marker))) = (once, parts.first()) {
                    let id = NotificationId::from_uuid(once.found(marker)?.made);
                    audit::record(app, actor, act(id)).await?;
                    // One that its user has deleted is answered as it was.
                    let first = || {
                        Stored::new(id, of_type.as_str(), content.as_str(), None)
                            .notification(user, &Tally::default())
                    };
                    let now = Noted::find(app, user, id).await?;
                    return Ok((now.map_or_else(first, |now| now.notification()), true));
                }
                newest = newest_of(&parts)?;
            }
            None => {}
        }
        backoff.wait("notifying a user").await?;
    }
}

/// The newest notification, by the tally that refused an older one: the last part of the transaction.
pub(super) fn newest_of(parts: &[Option<Item>]) -> Result<Option<NotificationId>> {
    match parts.last() {
        Some(Some(item)) => Ok(tally::decode(item)?.newest),
        _ => Ok(None),
    }
}

fn counted(transaction: Transaction, delta: Delta, user: UserId) -> Transaction {
    match delta.update(user) {
        Some(update) => transaction.update(update),
        None => transaction,
    }
}

/// How many notifications a user has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// All of them.
    pub total: u64,
    /// Those that are unread.
    pub unread: u64,
    /// All of them, by type.
    pub by_type: std::collections::BTreeMap<String, u64>,
}

impl Numbers {
    fn of(tally: &Tally, notes: &[Note]) -> Self {
        let missed = notes.len() as u64;
        let unread = notes.iter().filter(|note| note.is_unread()).count() as u64;
        let mut by_type = tally.by_type.clone();
        if missed > 0 {
            *by_type
                .entry(crate::domain::notification::MISSED_MESSAGES.to_owned())
                .or_default() += missed;
        }
        Self {
            total: tally.notifications + missed,
            unread: tally.unread_notifications + unread,
            by_type,
        }
    }
}

/// How many notifications a user has, without counting them.
pub async fn numbers(app: &App, user: UserId) -> Result<Numbers> {
    // On the heap: a future of the SDK is large, and every caller would carry both.
    let reads = Box::pin(async { tokio::try_join!(tally::of(app, user), missed::of(app, user)) });
    let (tally, notes) = reads.await?;
    Ok(Numbers::of(&tally, &notes))
}

/// A notification of a user, for a worker; none if there is no such one any more.
pub async fn find_for_worker(
    app: &App,
    _: Worker,
    user: UserId,
    id: NotificationId,
) -> Result<Option<Noted>> {
    Noted::find(app, user, id).await
}
