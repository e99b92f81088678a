//! Mail: one content, and a box for each side.
//!
//! The content is written once, and changes only where administrators [moderate] it or [delete it for good](erase). What somebody does with a mail is in the flags of their side, an item
//! of its own that is there once they differ from [`Flags::untouched`]; the lists that a mail stands in, and what it
//! adds to the [tally], follow from the flags alone ([`Flags::listings`], [`Flags::counts`]). So every
//! change is one transaction: the flags, if they are as they were seen, and the differences.

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

/// How often a change looks again before it gives up with 503.
const ATTEMPTS: u32 = 24;
/// How many mails one transaction changes at the most: each takes part with its flags, at most eight lists and the two
/// items of its notification, the tally comes once, and a transaction has a hundred parts.
/// Source: AWS, *Amazon DynamoDB Transactions: How it works*.
const TOGETHER: usize = 9;

/// Proof that a user is the sender or the recipient of a mail and has not deleted it. Only this module makes one, from
/// the table, and what touches a mail on a user's behalf demands it.
#[derive(Clone, Debug)]
pub struct Correspondent {
    user: UserId,
    side: Side,
    content: Content,
    flags: Flags,
    /// What the user demands of the version of the flags: whenever they are read anew, it is looked at anew.
    preconditions: Preconditions,
}

impl Correspondent {
    /// The user's side of a mail, if it has a version that the user wants.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a stranger, for whoever has deleted it, and for what is no mail: the locator of a
    /// message in a conversation stands under the same key, and it is here that the two are told apart. What
    /// [`Preconditions::check`] says of the version.
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

    /// The user's side of those of many mails that are theirs, whatever their versions.
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

    /// Somebody's side by the items that were read, deleted or not; none for a stranger.
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

    /// Whose side it is.
    pub fn user(&self) -> UserId {
        self.user
    }

    /// On which side they are.
    pub fn side(&self) -> Side {
        self.side
    }

    /// What the mail consists of.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// Their flags.
    pub fn flags(&self) -> Flags {
        self.flags
    }

    /// Looks at the flags again.
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

    /// What changes in the table when the flags become others: the flags themselves, refused if they are not as they
    /// were seen, and the lists.
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

    /// Whether the mail is read when the flags become others, and was not before.
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
    /// Its id: derived if the client named it, else fresh.
    pub id: MessageId,
    /// Who gets it.
    pub recipient: UserId,
    /// What it is about.
    pub subject: Subject,
    /// What it says.
    pub body: MailBody,
}

/// A mail that is stored.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The mail, as its sender sees it.
    pub mail: Correspondent,
    /// Whether an earlier attempt had stored it.
    pub replayed: bool,
}

/// Stores a mail of whoever was admitted to send it, once for all attempts with its id: the content, the lists of both sides, the recipient's
/// notification and both tallies are one transaction.
///
/// # Errors
/// [`Error::IdempotencyKeyReused`] if the id stands for another content, [`Error::Unavailable`] if too much was going
/// on in one of the two boxes.
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
            // Other mails to the same person, whose tally all of them change. The next attempt is later than this one,
            // and so is its content.
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

/// The mail that an earlier attempt has stored.
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
    let mail = mail.ok_or_else(|| Error::internal("the id of a mail stands for something else"))?;
    Ok(Sent { mail, replayed: true })
}

/// Tells one content from another: what a client may not change under one `client_message_id`. A zero byte, which no
/// subject holds, stands between its parts.
fn fingerprint(draft: &MailDraft) -> Vec<u8> {
    fingerprint::of_bytes([draft.subject.as_str(), "\0", draft.body.as_str()])
}

/// Changes the flags of one's side; the mail with those that it has then. Where it is read by that, the notification
/// about it is read too (S0-J02).
///
/// `enqueue` tells others of the version that the change leads to, **before** it is made: whoever hears of a version
/// waits for it. So nothing is changed that nobody hears of, though a change that was announced may never come. With
/// flags that are as they are wanted already it announces the version that they have, because whoever made them so may
/// have failed to.
///
/// # Errors
/// Whatever the preconditions of the mail say of a version that has come meanwhile, and whatever `enqueue` fails with.
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

/// Takes a mail out of the user's box, and with it the notification about it, which comes back if there was one. As
/// with a [change], `enqueue` comes first.
///
/// # Errors
/// Whatever the preconditions of the mail say of a version that has come meanwhile, and whatever `enqueue` fails with.
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

/// The notification about a mail, if the user got one and still has it, and their tally.
async fn notification_of(app: &App, mail: &Correspondent) -> Result<(Option<Stored>, Tally)> {
    let (mut notes, tally) = notifications_of(app, [mail]).await?;
    Ok((notes.remove(&mail.content.id), tally))
}

/// The notifications about many mails of one user, those that the user got and still has, and their tally.
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

/// The side of one of the two people of a mail, deleted or not, and what it looks like, for a worker.
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
