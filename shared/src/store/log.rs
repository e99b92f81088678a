//! The log of a conversation: everything that happens takes the next number.
//!
//! # Appending
//!
//! A message is two conditional writes of one item each, the same for 2 members and for 20,000:
//!
//! 1. the **locator** of its id, claimed for the next number (*must not exist*);
//! 2. the **entry** with that number (*must not exist*).
//!
//! No transaction is needed, at half the price, because the claim is a fence. An entry of message `m` is
//! only ever put at the place that `m`'s locator names, and the locator moves on (*if it still names the old
//! place*) only after somebody else's entry was seen there. So there is at most one entry of `m`, whoever
//! writes it: a client's retry, after a minute or after a year, finds the claim and either the entry (the
//! first message comes back) or a free place, where it finishes what the first attempt began.
//!
//! A place is only ever claimed behind an entry that was seen, so numbers have no gap; an entry is never
//! removed, so they have no repeat. Who loses the race for a number looks for the end again, after a
//! wait with full jitter, a bounded number of times.
//!
//! A deletion marks the message and puts the entry that tells of it in one transaction; so do moderation and the
//! removal of a content for good, with their entry of the audit log in the same transaction.
//!
//! Before an entry is put that begins a day, the day is marked ([`super::days`]).
//!
//! Each entry carries the log's [`Tail`], so its newest entry is all that lists and unread counts need.

mod codec;
mod erasure;
mod moderation;
mod pages;
mod paid;
mod reads;
mod receipts;

pub use erasure::erase;
pub use moderation::{Told, moderate};
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

/// How often an append looks for the end of the log again before it gives up with 503.
const ATTEMPTS: u32 = 24;

/// A message to append.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Its id: derived if the client named it, else fresh.
    pub id: MessageId,
    /// Whether the client named it, so that an earlier attempt may exist.
    pub client_message_id: Option<String>,
    /// The text.
    pub text: String,
    /// What it is.
    pub message_type: MessageType,
    /// The files that it refers to.
    pub attachments: Vec<Attachment>,
    /// What the client noted beside it.
    pub metadata: Map<String, Value>,
    /// What the sender is called.
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

/// Appends a message, once for all attempts with its id, and has it announced.
///
/// `newest` is the end of the log as the caller read it; an old one costs another look. `announce` tells
/// others of the entry with a number. The first time it runs alongside the put, to save the wait: whoever
/// hears of a number finds the message there, or finds out that it went elsewhere. When this returns, the entry is
/// stored **and** announced; an attempt of an earlier call that stored it may have died before announcing it, so
/// a replay is announced too.
///
/// # Errors
/// [`Error::IdempotencyKeyReused`] if the id stands for another content, [`Error::Unavailable`] if too many
/// others were appending, and whatever `announce` fails with.
pub async fn append<A: Future<Output = Result<()>>>(
    app: &App,
    admitted: &Admitted,
    sender: &Sender,
    draft: &Draft,
    newest: Option<Entry>,
    announce: impl Fn(u64) -> A,
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
            // The end of the log that this attempt knows is too old to build on.
            newest = self::newest(app, conversation, Consistency::Strong).await?;
        }
        if next(newest.as_ref()) == place {
            let entry = message_entry(app, sender, draft, None, newest.as_ref());
            days::mark(app, conversation, newest.as_ref(), &entry).await?;
            let put = table::put(app, encode(conversation, &entry)?, Condition::absent());
            let (written, announced) = if is_first {
                let (written, announced) = tokio::join!(put, announce(place));
                (written?, Some(announced))
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
            match (appended, announced) {
                (Some(appended), Some(announced)) => return announced.map(|()| appended),
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
        // Somebody else's entry stands at the place.
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
    announce(appended.entry.seq).await?;
    Ok(appended)
}

/// Whether the proof that a send was let through is the sender's own.
fn belongs(admitted: &Admitted, sender: &Sender) -> Result<()> {
    if admitted.user() == sender.user() {
        Ok(())
    } else {
        Err(Error::internal(
            "a message goes by the admission of somebody else",
        ))
    }
}

/// The entry of a message behind the newest one.
fn message_entry(
    app: &App,
    sender: &Sender,
    draft: &Draft,
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

/// Deletes a message for everybody: the tombstone on the message and the entry that tells of it are one
/// transaction, so that nobody sees the one without the other. The number of that entry comes back, the same
/// for every attempt.
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
            // The end of the log that this attempt knows is too old to build on.
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
        // Somebody else's entry stands at the place.
        app.meter().count(Count::Contentions, 1);
        backoff.wait("appending to a log").await?;
        newest = self::newest(app, conversation, Consistency::Strong).await?;
    }
}

/// The number behind the newest entry.
fn next(newest: Option<&Entry>) -> u64 {
    newest.map_or(0, |entry| entry.seq) + 1
}

fn holds(entry: &Entry, message: MessageId) -> bool {
    matches!(&entry.event, Event::Message(content) if content.id == message)
}

/// The entry behind the newest one: its number, a time that is not before it, and the tail carried on.
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

fn content(sender: UserId, draft: &Draft, payment: Option<Payment>) -> Content {
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

impl Draft {
    /// Tells one content from another: what a client may not change under one `client_message_id`.
    fn fingerprint(&self) -> Vec<u8> {
        fingerprint(self.message_type, &self.text, &self.attachments, &self.metadata)
    }
}

/// The fingerprint of a message's content. A zero byte, which no text holds, stands between its parts.
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

/// The number that an earlier attempt has claimed for the same content.
async fn claimed(
    app: &App,
    sender: &Sender,
    message: MessageId,
    locator: &Item,
    fingerprint: &[u8],
) -> Result<u64> {
    let seq = locator.get_number(attribute::SEQ)?;
    // Where the content was removed for good, nothing tells it from another.
    let known = locator.find_bytes(attribute::FINGERPRINT);
    if known.is_none_or(|known| known == fingerprint) {
        return Ok(seq);
    }
    // Fingerprints were once made of metadata as it was written, and not of its value: what is stored decides.
    let stored = entry_of(app, sender.conversation(), seq).await?;
    match stored.map(|entry| entry.event) {
        Some(Event::Message(content)) if content.id == message && of_content(&content) == fingerprint => {
            Ok(seq)
        }
        _ => Err(Error::IdempotencyKeyReused),
    }
}

/// The fingerprint of what a message says.
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

/// The change that a claim names another place.
fn moved_claim(message: MessageId, from: u64, to: u64) -> Update {
    Update::new(keys::locator(message), format!("SET {} = :to", attribute::SEQ))
        .only_if(format!("{} = :from", attribute::SEQ))
        .value(":from", number(from))
        .value(":to", number(to))
}

/// The mark on a message that it is deleted, and by which entry.
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
