//! A user's notifications: stored ones, one item each, and [missed messages](note_missed) in conversations.
//!
//! The ids of stored notifications increase in the order of creation, so marking all as read is one write, whatever
//! their number: it stores the newest id. A notification is read if it was marked itself, or if it is not newer than
//! that id. A second item per notification, until it is read, lists the unread ones.

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

/// How often a change retries before it fails with 503.
const ATTEMPTS: u32 = 24;

/// The maximum number of notifications marked by one transaction: each needs two items, the tally is one more, and a
/// transaction has at most a hundred.
/// Source: AWS, *Amazon DynamoDB Transactions: How it works*.
const TOGETHER: usize = 40;

/// The attributes of notifications.
mod attribute {
    /// The text.
    pub(super) const CONTENT: &str = "c";
    /// The message that it is about.
    pub(super) const MESSAGE: &str = "m";
    /// When it was marked as read.
    pub(super) const READ_AT: &str = "r";
    /// Its type.
    pub(super) const TYPE: &str = "t";
}

/// A stored notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) id: NotificationId,
    pub(super) of_type: String,
    pub(super) content: String,
    pub(super) message: Option<MessageId>,
    /// When it was marked individually; it may also be read because all were marked.
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

    /// Adds the writes that create it, except the tally's.
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

    /// Adds the writes that mark it as read, except the tally's. The transaction is refused if it was read or deleted
    /// concurrently.
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

    /// Adds the writes that mark it as read together with its mail, and updates the delta of the tally; nothing if it
    /// is already read. The transaction is refused if it was read or deleted concurrently.
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

    /// Adds the writes that delete it, and updates the delta of the tally. The transaction is refused if it was read or
    /// deleted concurrently.
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

/// A user's notification, stored or missed.
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
    /// [`Error::NotFound`] if there is none, or it is another user's.
    pub async fn of(app: &App, user: UserId, id: NotificationId) -> Result<Self> {
        Self::find(app, user, id)
            .await?
            .ok_or(Error::NotFound("notification"))
    }

    async fn find(app: &App, user: UserId, id: NotificationId) -> Result<Option<Self>> {
        // A generated id holds its creation time; one that is derived from a conversation and the user refers to no
        // key.
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

    /// The mail that it is about, if any.
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

/// Marks a notification as read and returns it. `enqueue` enqueues the delivery **before** the write, as with a
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

/// Deletes a notification; succeeds if it is already gone. `enqueue` comes first, as with [`read`].
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

/// The update that changes a notification's text; none if it is deleted. Refused if it is deleted concurrently.
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

/// Creates a system notification, once for all requests with a key; also returns whether an earlier one created it. It
/// is audited in the same transaction; a request that finds it already created is audited as a read.
///
/// # Errors
/// [`Error::IdempotencyKeyReused`] if the key was used for another notification.
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
                    // A notification that its user has deleted since is returned as it was.
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

/// The newest notification according to the tally that refused an older id: the last part of the transaction.
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

/// A user's notification counts.
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

/// A user's notification counts, without counting.
pub async fn numbers(app: &App, user: UserId) -> Result<Numbers> {
    // Boxed: a future of the SDK is large, and every caller would hold both.
    let reads = Box::pin(async { tokio::try_join!(tally::of(app, user), missed::of(app, user)) });
    let (tally, notes) = reads.await?;
    Ok(Numbers::of(&tally, &notes))
}

/// A user's notification, for a worker; none if it is gone.
pub async fn find_for_worker(
    app: &App,
    _: Worker,
    user: UserId,
    id: NotificationId,
) -> Result<Option<Noted>> {
    Noted::find(app, user, id).await
}
