//! The log of a conversation: an append-only list of entries, numbered from 1 without gaps.
//!
//! # Appending
//!
//! Sending a message takes two conditional writes of one item each, the same for 2 members and for 20,000:
//!
//! 1. the **locator** of its id, which claims the next number (*must not exist*);
//! 2. the **entry** with that number (*must not exist*).
//!
//! These need no transaction, which would cost twice as much, because the claim is a fence. An entry of message `m` is
//! only put under the number that `m`'s locator holds, and the locator only moves to another number (*if it still holds
//! the old one*) after another message's entry was seen there. So there is at most one entry of `m`, whoever writes it.
//! A client's retry, a minute or a year later, finds the locator, and then either the entry, which it returns, or a
//! free number, where it completes the first attempt.
//!
//! A number is only claimed directly after an entry that was seen, so numbers have no gaps. Entries are never removed,
//! so no number is used twice. A writer that loses the race for a number reads the end of the log again after a wait
//! with full jitter, a bounded number of times.
//!
//! A deletion marks the message and puts a deletion entry in one transaction. Moderation and erasure do the same, with
//! an entry of the audit log in the same transaction.
//!
//! Before the first entry of a day is put, the conversation is marked as active on that day ([`super::days`]).
//!
//! Each entry carries the log's [`Tail`], so lists and unread counts need only the newest entry.

mod codec;
mod erasure;
mod moderation;
mod pages;
mod paid;
mod reads;
mod receipts;

pub use erasure::erase;
pub use moderation::{RecordedChange, moderate};
pub use pages::{Page, Start, page};
pub use paid::append_paid;
pub use reads::{
    entry, entry_for_worker, find, for_moderator, newest, range, sender, seq_of_message, subjects, unread,
};
use reads::{entry_of, find_anywhere};
pub(super) use reads::{first_since, first_since_in, range_in, seq_of_message_in};
pub use receipts::{Addressed, addressed, mark_delivered, mark_read};

use serde_json::{Map, Value};

pub(super) use self::codec::decode;
use self::codec::{attribute, encode};
use super::admission::Admitted;
use super::days;
use super::item::{Item, number};
use super::keys;
use super::members::{Membership, Sender};
use super::table::{self, Backoff, Condition, Consistency, Transacted, Transaction, Update, Written};
use crate::App;
use crate::domain::fingerprint;
use crate::domain::ids::{ConversationId, MessageId, UserId};
use crate::domain::message::{Attachment, Content, Entry, Event, MessageType, Payment, Tail};
use crate::domain::time::Timestamp;
use crate::domain::unread::Window;
use crate::error::{Error, Result};
use crate::telemetry::Count;

/// How often an append reads the end of the log again before it fails with 503.
const ATTEMPTS: u32 = 24;

/// A message to append.
#[derive(Clone, Debug)]
pub struct MessageDraft {
    /// Derived from the `client_message_id` if there is one, else random.
    pub id: MessageId,
    /// Set if the client chose it: then an earlier attempt may exist.
    pub client_message_id: Option<String>,
    /// The text.
    pub text: String,
    /// The kind of message.
    pub message_type: MessageType,
    /// The files that it refers to.
    pub attachments: Vec<Attachment>,
    /// The client's own data about the message.
    pub metadata: Map<String, Value>,
    /// The sender's user name at the time of sending.
    pub sender_username: String,
}

/// A message in the log.
#[derive(Clone, Debug)]
pub struct Appended {
    /// The entry; of an earlier attempt if there was one.
    pub entry: Entry,
    /// Whether an earlier attempt had stored it.
    pub replayed: bool,
}

/// Appends a message, once for all attempts with its id, and enqueues its delivery.
///
/// `newest` is the end of the log as the caller read it; if it is outdated, it is read again. `enqueue` enqueues the
/// delivery of the entry with a given number. On the first attempt it runs concurrently with the put, to save time: the
/// job finds the message under that number, or finds that the number belongs to another message. When this returns, the
/// entry is stored **and** its delivery is enqueued. A replay is enqueued too, because the attempt that stored the
/// entry may have died before it could.
///
/// # Errors
/// [`Error::IdempotencyKeyReused`] if the id was used for other content, [`Error::Unavailable`] after too many lost
/// races, and whatever `enqueue` fails with.
pub async fn append<A: Future<Output = Result<()>>>(
    app: &App,
    admitted: &Admitted,
    sender: &Sender,
    draft: &MessageDraft,
    newest: Option<Entry>,
    enqueue: impl Fn(u64) -> A,
) -> Result<Appended> {
    belongs(admitted, sender)?;
    let fingerprint = &draft.fingerprint();
    let conversation = sender.conversation();
    let mut newest = newest;
    let mut backoff = Backoff::new(ATTEMPTS);
    let mut place = next(newest.as_ref());
    let mut retry = match claim(app, sender, draft.id, fingerprint, place).await? {
        Claim::Made => false,
        Claim::Exists { seq } => {
            place = seq;
            true
        }
    };
    let mut is_first = !retry;
    let appended = loop {
        if next(newest.as_ref()) < place {
            // The known end of the log is outdated.
            newest = self::newest(app, conversation, Consistency::Strong).await?;
        }
        if next(newest.as_ref()) == place {
            let entry = message_entry(app, sender, draft, None, newest.as_ref());
            days::mark(app, conversation, newest.as_ref(), &entry).await?;
            let put = table::put(app, encode(conversation, &entry)?, Condition::absent());
            let (written, enqueued) = if is_first {
                let (written, enqueued) = tokio::join!(put, enqueue(place));
                (written?, Some(enqueued))
            } else {
                (put.await?, None)
            };
            is_first = false;
            let appended = match written {
                Written::Done(_) => {
                    app.meter().count(Count::MessagesSent, 1);
                    Some(Appended {
                        entry,
                        replayed: false,
                    })
                }
                Written::Refused(item) => {
                    let taken = decode(&item)?;
                    holds(&taken, draft.id).then_some(Appended {
                        entry: taken,
                        replayed: true,
                    })
                }
            };
            match (appended, enqueued) {
                (Some(appended), Some(enqueued)) => return enqueued.map(|()| appended),
                (Some(appended), None) => break appended,
                (None, _) => {}
            }
        } else if retry {
            let there = entry_of(app, conversation, place).await?;
            if let Some(entry) = there.filter(|entry| holds(entry, draft.id)) {
                break Appended {
                    entry,
                    replayed: true,
                };
            }
            retry = false;
        }
        // Another message's entry has this number.
        app.meter().count(Count::Contentions, 1);
        backoff.wait("appending to a log").await?;
        newest = self::newest(app, conversation, Consistency::Strong).await?;
        let further = next(newest.as_ref());
        place = match move_claim(app, draft.id, place, further).await? {
            Moved::Here => further,
            Moved::Elsewhere { seq } => {
                retry = true;
                seq
            }
        };
    };
    enqueue(appended.entry.seq).await?;
    Ok(appended)
}

/// Checks that the admission is the sender's own.
fn belongs(admitted: &Admitted, sender: &Sender) -> Result<()> {
    if admitted.user() == sender.user() {
        Ok(())
    } else {
        Err(Error::internal("the admission is another user's"))
    }
}

/// The entry of a message that follows the newest one.
fn message_entry(
    app: &App,
    sender: &Sender,
    draft: &MessageDraft,
    payment: Option<Payment>,
    newest: Option<&Entry>,
) -> Entry {
    let slide = |window: &mut Window| window.push(Some(sender.ordinal()));
    following(app, sender.pair(), newest, slide, |seq, at, tail| {
        tail.messages += 1;
        tail.last_message_seq = seq;
        tail.last_message_at = Some(at);
        if sender.pair().is_some_and(|[first, _]| first == sender.user()) {
            tail.messages_of_first += 1;
        }
        Event::Message(Box::new(content(sender.user(), draft, payment)))
    })
}

/// Deletes a message for everybody. The tombstone on the message and the deletion entry are one transaction, so neither
/// is visible without the other. Returns the number of the deletion entry, the same for every attempt.
pub async fn delete(app: &App, member: &Membership, message: &Entry, newest: Option<Entry>) -> Result<u64> {
    let Event::Message(content) = &message.event else {
        return Err(Error::NotFound("message"));
    };
    if let Some(deletion) = content.deletion {
        return Ok(deletion.seq);
    }
    let (conversation, sender) = (member.conversation(), member.sender());
    let mut newest = newest;
    let mut backoff = Backoff::new(ATTEMPTS);
    loop {
        let place = next(newest.as_ref());
        if place <= message.seq {
            // The known end of the log is outdated.
            newest = self::newest(app, conversation, Consistency::Strong).await?;
            continue;
        }
        let forget = |window: &mut Window| {
            window.forget(message.seq, place - 1);
            window.push(None);
        };
        let entry = following(app, sender.pair(), newest.as_ref(), forget, |_, _, _| {
            Event::Deletion {
                message_id: content.id,
                message_seq: message.seq,
            }
        });
        days::mark(app, conversation, newest.as_ref(), &entry).await?;
        let deletion = Transaction::default()
            .update(tombstone(app, conversation, message.seq, place))
            .put(encode(conversation, &entry)?, Condition::absent());
        match deletion.send(app).await? {
            Transacted::Done => return Ok(place),
            Transacted::Refused(parts) => {
                if let Some(Some(deleted)) = parts.first() {
                    return deleted.get_number(attribute::DELETION_SEQ);
                }
            }
        }
        // Another entry has this number.
        app.meter().count(Count::Contentions, 1);
        backoff.wait("appending to a log").await?;
        newest = self::newest(app, conversation, Consistency::Strong).await?;
    }
}

/// The number after that of the newest entry.
fn next(newest: Option<&Entry>) -> u64 {
    newest.map_or(0, |entry| entry.seq) + 1
}

fn holds(entry: &Entry, message: MessageId) -> bool {
    matches!(&entry.event, Event::Message(content) if content.id == message)
}

/// The entry after the newest one: the next number, a time not before that of the newest, and the updated tail.
fn following(
    app: &App,
    pair: Option<[UserId; 2]>,
    newest: Option<&Entry>,
    slide: impl FnOnce(&mut Window),
    event: impl FnOnce(u64, Timestamp, &mut Tail) -> Event,
) -> Entry {
    let seq = next(newest);
    let at = newest.map_or(app.now(), |newest| app.now().max(newest.at));
    let mut tail = newest.map(|newest| newest.tail.clone()).unwrap_or_default();
    tail.pair = pair;
    slide(&mut tail.window);
    let event = event(seq, at, &mut tail);
    Entry { seq, at, event, tail }
}

fn content(sender: UserId, draft: &MessageDraft, payment: Option<Payment>) -> Content {
    Content {
        id: draft.id,
        sender,
        sender_username: draft.sender_username.clone(),
        text: draft.text.clone(),
        message_type: draft.message_type,
        client_message_id: draft.client_message_id.clone(),
        attachments: draft.attachments.clone(),
        metadata: draft.metadata.clone(),
        payment,
        delivered_at: None,
        read_at: None,
        deletion: None,
        moderation: None,
        erased_at: None,
    }
}

impl MessageDraft {
    /// A fingerprint of the content, which must be the same in every request with one `client_message_id`.
    fn fingerprint(&self) -> Vec<u8> {
        fingerprint(self.message_type, &self.text, &self.attachments, &self.metadata)
    }
}

/// The fingerprint of a message's content. Its parts are separated by a zero byte, which no text contains.
fn fingerprint(
    message_type: MessageType,
    text: &str,
    attachments: &[Attachment],
    metadata: &Map<String, Value>,
) -> Vec<u8> {
    let mut parts = vec![message_type.as_str().as_bytes().to_vec(), vec![0], text.into()];
    for attachment in attachments {
        parts.extend([vec![0], attachment.file_id.uuid().as_bytes().to_vec()]);
    }
    if !metadata.is_empty() {
        let metadata = fingerprint::canonical(&Value::Object(metadata.clone()));
        parts.extend([vec![0], metadata.into_bytes()]);
    }
    fingerprint::of_bytes(parts)
}

enum Claim {
    Made,
    Exists { seq: u64 },
}

async fn claim(
    app: &App,
    sender: &Sender,
    message: MessageId,
    fingerprint: &[u8],
    seq: u64,
) -> Result<Claim> {
    let item = locator(sender, message, fingerprint, seq);
    match table::put(app, item, Condition::absent()).await? {
        Written::Done(_) => Ok(Claim::Made),
        Written::Refused(item) => Ok(Claim::Exists {
            seq: claimed(app, sender, message, &item, fingerprint).await?,
        }),
    }
}

/// The item that claims a number for a message.
fn locator(sender: &Sender, message: MessageId, fingerprint: &[u8], seq: u64) -> Item {
    Item::new(&keys::locator(message))
        .id(attribute::CONVERSATION, sender.conversation().uuid())
        .number(attribute::SEQ, seq)
        .bytes(attribute::FINGERPRINT, fingerprint)
}

/// The number that an earlier attempt with the same content claimed.
async fn claimed(
    app: &App,
    sender: &Sender,
    message: MessageId,
    locator: &Item,
    fingerprint: &[u8],
) -> Result<u64> {
    let seq = locator.get_number(attribute::SEQ)?;
    // An erased message has no fingerprint to compare with.
    let known = locator.find_bytes(attribute::FINGERPRINT);
    if known.is_none_or(|known| known == fingerprint) {
        return Ok(seq);
    }
    // Older fingerprints depend on how the metadata was written, not only on its value: so the stored content decides.
    let stored = entry_of(app, sender.conversation(), seq).await?;
    match stored.map(|entry| entry.event) {
        Some(Event::Message(content)) if content.id == message && of_content(&content) == fingerprint => {
            Ok(seq)
        }
        _ => Err(Error::IdempotencyKeyReused),
    }
}

/// The fingerprint of a stored message.
fn of_content(content: &Content) -> Vec<u8> {
    fingerprint(
        content.message_type,
        &content.text,
        &content.attachments,
        &content.metadata,
    )
}

enum Moved {
    Here,
    Elsewhere { seq: u64 },
}

async fn move_claim(app: &App, message: MessageId, from: u64, to: u64) -> Result<Moved> {
    match moved_claim(message, from, to).send(app).await? {
        Written::Done(_) => Ok(Moved::Here),
        Written::Refused(item) => Ok(Moved::Elsewhere {
            seq: item.get_number(attribute::SEQ)?,
        }),
    }
}

/// The update that moves a claim to another number.
fn moved_claim(message: MessageId, from: u64, to: u64) -> Update {
    Update::new(keys::locator(message), format!("SET {} = :to", attribute::SEQ))
        .only_if(format!("{} = :from", attribute::SEQ))
        .value(":from", number(from))
        .value(":to", number(to))
}

/// The update that marks a message as deleted, with the number of the deletion entry.
fn tombstone(app: &App, conversation: ConversationId, message_seq: u64, place: u64) -> Update {
    let expression = format!(
        "SET {} = :now, {} = :place",
        attribute::DELETED_AT,
        attribute::DELETION_SEQ
    );
    Update::new(keys::entry(conversation, message_seq), expression)
        .only_if(format!("attribute_not_exists({})", attribute::DELETED_AT))
        .value(":now", number(app.now().milliseconds()))
        .value(":place", number(place))
}
