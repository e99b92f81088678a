//! Mail: one content, and a box for each side.
//!
//! The content is written once, and changes only when administrators [moderate] it or [erase] it. What a user
//! does with a mail is stored in the flags of their side, a separate item that exists once the flags differ from
//! [`Flags::untouched`]. The lists that a mail is in, and what it adds to the [tally], follow from the flags alone
//! ([`Flags::listings`], [`Flags::counts`]). So every change is one transaction: the flags, if they are unchanged since
//! they were read, and the differences that they make.

mod codec;
mod many;
mod moderation;
mod pages;

pub use many::change_many;
pub use moderation::{erase, moderate};
pub use pages::{Page, Position, page};

use std::collections::{BTreeMap, HashMap};

use self::codec::{attribute, decode, decode_flags, encode, encode_flags};
use super::Worker;
use super::admission::Admitted;
use super::item::{Item, number};
use super::keys::{self, Key};
use super::notifications::{Stored, newest_of};
use super::table::{self, Backoff, Condition, Consistency, Transacted, Transaction};
use super::tally::{self, Delta, Tally};
use crate::App;
use crate::domain::fingerprint;
use crate::domain::ids::{MessageId, NotificationId, UserId};
use crate::domain::mail::{Change, Content, Flags, MailBody, Side, Subject};
use crate::domain::notification::{self, about_mail};
use crate::domain::precondition::{Preconditions, etag};
use crate::error::{Error, Result};
use crate::telemetry::Count;

/// How often a change retries before it fails with 503.
const ATTEMPTS: u32 = 24;
/// The maximum number of mails changed by one transaction: each needs its flags, at most eight lists and the two items
/// of its notification; the tally is one more item; a transaction has at most a hundred.
/// Source: AWS, *Amazon DynamoDB Transactions: How it works*.
const TOGETHER: usize = 9;

/// Proof that a user is the sender or the recipient of a mail and has not deleted it. Only this module creates one,
/// from the table, and every function that accesses a mail on a user's behalf requires it.
#[derive(Clone, Debug)]
pub struct Correspondent {
    user: UserId,
    side: Side,
    content: Content,
    flags: Flags,
    /// The request's preconditions on the version of the flags, which are checked whenever the flags are read.
    preconditions: Preconditions,
}

impl Correspondent {
    /// The user's side of a mail, if its version satisfies the preconditions.
    ///
    /// # Errors
    /// [`Error::NotFound`] for strangers, for a user who deleted it, and for an id that is not a mail's: the locator of
    /// a message in a conversation has the same key, and this is where the two are distinguished. Also the errors of
    /// [`Preconditions::check`].
    pub async fn of(
        app: &App,
        user: UserId,
        message: MessageId,
        preconditions: &Preconditions,
    ) -> Result<Self> {
        let mut found = Self::of_many(app, user, &[message]).await?;
        let mut side = found.remove(&message).ok_or(Error::NotFound("message"))?;
        side.preconditions = preconditions.clone();
        side.check()
    }

    fn check(self) -> Result<Self> {
        self.preconditions.check(Some(&etag(self.flags.version)))?;
        Ok(self)
    }

    /// The user's side of those of many mails that are the user's, whatever their versions.
    pub async fn of_many(
        app: &App,
        user: UserId,
        messages: &[MessageId],
    ) -> Result<HashMap<MessageId, Self>> {
        let keys = |message: &MessageId| [keys::locator(*message), keys::flags(user, *message)];
        let keys = messages.iter().flat_map(keys).collect();
        let items = table::get_many(app, keys, Consistency::Strong).await?;
        let mut found = HashMap::with_capacity(messages.len());
        for message in messages {
            let side = Self::from_items(&items, user, *message)?;
            found.extend(
                side.filter(|side| !side.flags.is_deleted)
                    .map(|side| (*message, side)),
            );
        }
        Ok(found)
    }

    /// The user's side from items that were read, deleted or not; none for strangers.
    fn from_items(items: &HashMap<Key, Item>, user: UserId, message: MessageId) -> Result<Option<Self>> {
        let Some(content) = items.get(&keys::locator(message)) else {
            return Ok(None);
        };
        let Some(content) = decode(message, content)? else {
            return Ok(None);
        };
        let Some(side) = content.side(user) else {
            return Ok(None);
        };
        let flags = match items.get(&keys::flags(user, message)) {
            Some(item) => decode_flags(item)?,
            None => Flags::untouched(side),
        };
        Ok(Some(Self {
            user,
            side,
            content,
            flags,
            preconditions: Preconditions::none(),
        }))
    }

    /// The user.
    pub fn user(&self) -> UserId {
        self.user
    }

    /// Whether the user is the sender or the recipient.
    pub fn side(&self) -> Side {
        self.side
    }

    /// The mail's content.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// The user's flags.
    pub fn flags(&self) -> Flags {
        self.flags
    }

    /// Reads the flags again.
    async fn again(mut self, app: &App) -> Result<Self> {
        let key = keys::flags(self.user, self.content.id);
        self.flags = match table::get(app, &key, Consistency::Strong).await? {
            Some(item) => decode_flags(&item)?,
            None => Flags::untouched(self.side),
        };
        if self.flags.is_deleted {
            return Err(Error::NotFound("message"));
        }
        self.check()
    }

    /// Adds the writes that change the flags: the flags themselves, refused if they have changed since they were read,
    /// and the lists.
    fn write(&self, mut transaction: Transaction, next: Flags) -> Transaction {
        let (user, content) = (self.user, &self.content);
        let as_seen = if self.flags.version == Flags::untouched(self.side).version {
            Condition::absent()
        } else {
            Condition::holds(format!("{} = :seen", attribute::VERSION))
                .value(":seen", number(self.flags.version))
        };
        transaction = transaction.put(encode_flags(user, content.id, next), as_seen);
        let (before, after) = (self.flags.listings(self.side), next.listings(self.side));
        let key = |listing| keys::listed(user, listing, content.created_at, content.id);
        for gone in before.difference(&after) {
            transaction = transaction.delete(key(*gone), Condition::default());
        }
        for new in after.difference(&before) {
            transaction = transaction.put(Item::new(&key(*new)), Condition::default());
        }
        transaction
    }

    /// Whether these flags mark the mail as read, and it was unread before.
    fn is_read_by(&self, next: Flags) -> bool {
        next.is_read && !self.flags.is_read
    }

    fn count(&self, delta: Delta, next: Flags) -> Delta {
        delta.mail(&self.flags.counts(self.side), &next.counts(self.side))
    }
}

/// A mail to send.
#[derive(Clone, Debug)]
pub struct MailDraft {
    /// Derived from the `client_message_id` if there is one, else random.
    pub id: MessageId,
    /// Who gets it.
    pub recipient: UserId,
    /// What it is about.
    pub subject: Subject,
    /// What it says.
    pub body: MailBody,
}

/// A stored mail.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The mail, as its sender sees it.
    pub mail: Correspondent,
    /// Whether an earlier attempt stored it.
    pub replayed: bool,
}

/// Stores a mail from an admitted sender, once for all attempts with its id. The content, the lists of both sides, the
/// recipient's notification and both tallies are one transaction.
///
/// # Errors
/// [`Error::IdempotencyKeyReused`] if the id was used for other content, [`Error::Unavailable`] after too many lost
/// races.
pub async fn send(app: &App, admitted: &Admitted, draft: &MailDraft) -> Result<Sent> {
    let sender = admitted.user();
    let fingerprint = fingerprint(draft);
    let mut newest = None;
    let mut backoff = Backoff::new(ATTEMPTS);
    loop {
        let now = app.now();
        let content = Content {
            id: draft.id,
            sender,
            recipient: draft.recipient,
            subject: draft.subject.as_str().to_owned(),
            body: draft.body.as_str().to_owned(),
            created_at: now,
            notification: NotificationId::following(newest, now),
        };
        let delivery = delivery(&content, &admitted.card().display_name, &fingerprint);
        match delivery.contend(app).await? {
            // Concurrent mails to the same person change the same tally. The next attempt takes a later time, and so
            // does its content.
            None => {}
            Some(Transacted::Done) => {
                app.meter().count(Count::MessagesSent, 1);
                let side = if sender == draft.recipient {
                    Side::Both
                } else {
                    Side::Sender
                };
                let mail = Correspondent {
                    user: sender,
                    side,
                    content,
                    flags: Flags::untouched(side),
                    preconditions: Preconditions::none(),
                };
                return Ok(Sent {
                    mail,
                    replayed: false,
                });
            }
            Some(Transacted::Refused(parts)) => match parts.first() {
                Some(Some(item)) => return replayed(app, sender, draft, &fingerprint, item).await,
                _ => newest = newest_of(&parts)?,
            },
        }
        app.meter().count(Count::Contentions, 1);
        backoff.wait("sending a mail").await?;
    }
}

/// Everything that a new mail writes. The recipient's tally comes last: it may refuse the notification's id.
fn delivery(content: &Content, sender_name: &str, fingerprint: &[u8]) -> Transaction {
    let mut transaction = Transaction::default().put(encode(content, fingerprint), Condition::absent());
    let mut deltas: BTreeMap<bool, (UserId, Delta)> = BTreeMap::new();
    for user in [content.sender, content.recipient] {
        let is_recipient = user == content.recipient;
        if deltas.contains_key(&is_recipient) {
            continue;
        }
        let Some(side) = content.side(user) else { continue };
        let flags = Flags::untouched(side);
        for listing in flags.listings(side) {
            let key = keys::listed(user, listing, content.created_at, content.id);
            transaction = transaction.put(Item::new(&key), Condition::default());
        }
        let delta = Delta::default().mail(&[].into(), &flags.counts(side));
        deltas.insert(is_recipient, (user, delta));
    }
    let note = Stored::new(
        content.notification,
        notification::NEW_MESSAGE,
        about_mail(sender_name, &content.subject),
        Some(content.id),
    );
    transaction = note.put_into(transaction, content.recipient);
    for (is_recipient, (user, delta)) in deltas {
        let delta = if is_recipient {
            delta.notified(content.notification, notification::NEW_MESSAGE)
        } else {
            delta
        };
        if let Some(update) = delta.update(user) {
            transaction = transaction.update(update);
        }
    }
    transaction
}

/// The mail that an earlier attempt stored.
async fn replayed(
    app: &App,
    sender: UserId,
    draft: &MailDraft,
    fingerprint: &[u8],
    item: &Item,
) -> Result<Sent> {
    let is_erased = item.find_number::<i64>(attribute::ERASED)?.is_some();
    if !is_erased && item.find_bytes(attribute::FINGERPRINT) != Some(fingerprint) {
        return Err(Error::IdempotencyKeyReused);
    }
    let flags = keys::flags(sender, draft.id);
    let mut items = HashMap::from([(keys::locator(draft.id), item.clone())]);
    items.extend(
        table::get(app, &flags, Consistency::Strong)
            .await?
            .map(|item| (flags, item)),
    );
    let mail = Correspondent::from_items(&items, sender, draft.id)?;
    let mail = mail.ok_or_else(|| Error::internal("the id of a mail is used by something else"))?;
    Ok(Sent { mail, replayed: true })
}

/// A fingerprint of the content, which must be the same in every request with one `client_message_id`. Its parts are
/// separated by a zero byte, which no subject contains.
fn fingerprint(draft: &MailDraft) -> Vec<u8> {
    fingerprint::of_bytes([draft.subject.as_str(), "\0", draft.body.as_str()])
}

/// Changes the flags of the user's side, and returns the mail with the new flags. If this marks the mail as read, its
/// notification is marked as read too (S0-J02).
///
/// `enqueue` enqueues the delivery of the new version **before** it is written: the job waits for the version. So no
/// change stays undelivered, although an enqueued change may never be written. If the flags are already as wanted, the
/// delivery of their version is enqueued again, because the attempt that wrote them may have died before it could.
///
/// # Errors
/// A failed precondition if the version has changed in the meantime, and whatever `enqueue` fails with.
pub async fn change<A: Future<Output = Result<()>>>(
    app: &App,
    mail: Correspondent,
    change: Change,
    enqueue: impl Fn(u64) -> A,
) -> Result<Correspondent> {
    let mut mail = mail;
    let mut backoff = Backoff::new(ATTEMPTS);
    loop {
        let next = mail.flags.changed(change, app.now());
        enqueue(next.version).await?;
        if next == mail.flags {
            return Ok(mail);
        }
        let mut transaction = mail.write(Transaction::default(), next);
        let mut delta = mail.count(Delta::default(), next);
        if mail.is_read_by(next)
            && let (Some(note), tally) = notification_of(app, &mail).await?
        {
            (transaction, delta) = note.read_in(transaction, delta, (mail.user, &tally), app.now());
        }
        match counted(transaction, delta, mail.user).contend(app).await? {
            Some(Transacted::Done) => {
                mail.flags = next;
                return Ok(mail);
            }
            Some(Transacted::Refused(_)) | None => {
                app.meter().count(Count::Contentions, 1);
                backoff.wait("changing a mail").await?;
                mail = mail.again(app).await?;
            }
        }
    }
}

/// Deletes a mail from the user's box, and its notification, whose id is returned. As with a [change], `enqueue` comes
/// first.
///
/// # Errors
/// A failed precondition if the version has changed in the meantime, and whatever `enqueue` fails with.
pub async fn delete<A: Future<Output = Result<()>>>(
    app: &App,
    mail: Correspondent,
    enqueue: impl Fn(Option<NotificationId>) -> A,
) -> Result<()> {
    let mut mail = mail;
    let mut backoff = Backoff::new(ATTEMPTS);
    loop {
        let next = mail.flags.deleted(app.now());
        let (note, tally) = notification_of(app, &mail).await?;
        enqueue(note.as_ref().map(|note| note.id)).await?;
        let mut transaction = mail.write(Transaction::default(), next);
        let mut delta = mail.count(Delta::default(), next);
        if let Some(note) = note {
            (transaction, delta) = note.remove_from(transaction, delta, mail.user, &tally);
        }
        if let Some(Transacted::Done) = counted(transaction, delta, mail.user).contend(app).await? {
            return Ok(());
        }
        app.meter().count(Count::Contentions, 1);
        backoff.wait("deleting a mail").await?;
        mail = match mail.again(app).await {
            // Another attempt was faster.
            Err(Error::NotFound(_)) => return Ok(()),
            other => other?,
        };
    }
}

/// The notification about a mail, if the user still has it, and the user's tally.
async fn notification_of(app: &App, mail: &Correspondent) -> Result<(Option<Stored>, Tally)> {
    let (mut notes, tally) = notifications_of(app, [mail]).await?;
    Ok((notes.remove(&mail.content.id), tally))
}

/// The notifications about many mails of a user that the user still has, and the user's tally.
async fn notifications_of(
    app: &App,
    mails: impl IntoIterator<Item = &Correspondent>,
) -> Result<(HashMap<MessageId, Stored>, Tally)> {
    let mails = mails.into_iter().filter(|mail| mail.side != Side::Sender);
    let mails: Vec<&Correspondent> = mails.collect();
    let Some(user) = mails.first().map(|mail| mail.user) else {
        return Ok((HashMap::new(), Tally::default()));
    };
    let key = |mail: &&Correspondent| keys::notification(user, mail.content.notification);
    let keys = mails.iter().map(key).chain([keys::tally(user)]).collect();
    let items = table::get_many(app, keys, Consistency::Strong).await?;
    let mut notes = HashMap::with_capacity(mails.len());
    for mail in &mails {
        if let Some(item) = items.get(&key(mail)) {
            let note = Stored::decode(mail.content.notification, item)?;
            notes.insert(mail.content.id, note);
        }
    }
    let tally = items
        .get(&keys::tally(user))
        .map_or(Ok(Tally::default()), tally::decode)?;
    Ok((notes, tally))
}

fn counted(transaction: Transaction, delta: Delta, user: UserId) -> Transaction {
    match delta.update(user) {
        Some(update) => transaction.update(update),
        None => transaction,
    }
}

/// The side of one of a mail's two people, deleted or not, with the person's name, for a worker.
pub async fn side_for_worker(
    app: &App,
    _: Worker,
    user: UserId,
    message: MessageId,
) -> Result<Option<Correspondent>> {
    let keys = vec![keys::locator(message), keys::flags(user, message)];
    let items = table::get_many(app, keys, Consistency::Strong).await?;
    Correspondent::from_items(&items, user, message)
}
