//! The audit log: a hash chain of entries, numbered from 1 within each day.
//!
//! An entry and the end of the chain are written in one transaction, on the condition that the end is unchanged; that
//! defines the order. A change is audited in **its own** transaction ([`Pending`]): neither exists without the other. A
//! read is [recorded](record) before it is answered.
//!
//! [`verify`](verify()) detects tampering with the table: hashes and the end of the chain need a [key](Keys) that only the
//! auditing functions have, and [`anchors`] outside the table reveal removed entries.

mod anchors;
mod codec;
mod entries;
mod head;
mod list;
mod restore;
mod verify;

pub use anchors::anchor;
pub use entries::MOST_DAYS;
pub use list::{Filter, Page, list};
pub use restore::restore;
pub use verify::{Verdict, verify};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use self::codec::attribute;
use self::head::{End, Head, end};
use super::item::Item;
use super::keys::{self, Key};
use super::table::{Backoff, Condition, Transacted, Transaction, Update};
use super::{Worker, profiles};
use crate::App;
use crate::auth::{Caller, Permit};
use crate::domain::audit::{Actor, AuditEntry, Hash, Keys, Severity, Target, hex};
use crate::domain::day::Day;
use crate::domain::ids::{AuditId, MessageId, UserId};
use crate::domain::permission::Right;
use crate::domain::time::Timestamp;
use crate::error::{Error, Result};
use crate::telemetry::Count;

/// How often an entry reads the end of the chain again before it fails with 503.
pub(super) const ATTEMPTS: u32 = 24;

impl<R: Right> From<&Permit<R>> for Actor {
    fn from(permit: &Permit<R>) -> Self {
        permit.caller().into()
    }
}

impl From<&Caller> for Actor {
    fn from(caller: &Caller) -> Self {
        Self {
            id: caller.user,
            email: caller.claims.email.clone(),
            roles: caller.claims.roles.clone(),
        }
    }
}

/// An audited action.
#[derive(Clone, Debug)]
pub struct Act {
    /// Its name, such as `messages.moderate`.
    pub action: &'static str,
    /// What it was done to.
    pub target: Target,
    /// The changed fields before. Never user content.
    pub before: Option<Map<String, Value>>,
    /// The changed fields after.
    pub after: Option<Map<String, Value>>,
    /// Additional data.
    pub metadata: Map<String, Value>,
    /// How serious it is.
    pub severity: Severity,
}

impl Act {
    /// A read.
    pub fn read(action: &'static str, target: Target, metadata: Value) -> Self {
        Self {
            action,
            target,
            before: None,
            after: None,
            metadata: object(metadata),
            severity: Severity::Info,
        }
    }

    /// A change.
    pub fn change(
        action: &'static str,
        target: Target,
        before: Value,
        after: Value,
        metadata: Value,
    ) -> Self {
        Self {
            before: Some(object(before)),
            after: Some(object(after)),
            ..Self::read(action, target, metadata)
        }
    }

    /// Sets the severity.
    #[must_use]
    pub fn weighing(self, severity: Severity) -> Self {
        Self { severity, ..self }
    }
}

/// The fields of a JSON object; of anything else, none.
fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// A position in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    day: Day,
    number: u64,
}

/// The signing keys of the log.
///
/// # Errors
/// The function does not have them: `template.yaml` does not list it as one that audits.
fn keys_of(app: &App) -> Result<&Keys> {
    let keys = app.config().audit_keys.as_ref();
    keys.ok_or_else(|| {
        Error::internal("AUDIT_SECRET_KEY is missing in the environment of a function that audits")
    })
}

/// Records a read. Must succeed before the response is sent.
pub async fn record(app: &App, actor: impl Into<Actor>, act: Act) -> Result<()> {
    let actor = actor.into();
    let mut backoff = Backoff::new(ATTEMPTS);
    loop {
        let pending = Pending::next(app, &actor, &act).await?;
        let (transaction, seat) = pending.join(Transaction::default());
        match transaction.send(app).await? {
            Transacted::Done => return Ok(()),
            Transacted::Refused(parts) if seat.was_taken(&parts) => {
                app.meter().count(Count::Contentions, 1);
                backoff.wait("recording in the audit log").await?;
            }
            Transacted::Refused(_) => return Err(Error::internal("a day of the audit log is refused")),
        }
    }
}

/// Records a user's action, for a worker, once however often its job is delivered: `receipt` is the key of the marker
/// that it is recorded.
pub(super) async fn record_once(app: &App, actor: &Actor, act: &Act, receipt: &Key) -> Result<()> {
    let mut backoff = Backoff::new(ATTEMPTS);
    loop {
        let once = Transaction::default().put(Item::new(receipt), Condition::absent());
        let (transaction, _) = Pending::next(app, actor, act).await?.join(once);
        match transaction.send(app).await? {
            Transacted::Done => return Ok(()),
            Transacted::Refused(parts) if parts.first().is_some_and(Option::is_some) => return Ok(()),
            Transacted::Refused(_) => {
                app.meter().count(Count::Contentions, 1);
                backoff.wait("recording in the audit log").await?;
            }
        }
    }
}

/// Records that a user deleted one of their mails or messages.
pub async fn record_deletion(app: &App, _: Worker, user: UserId, message: MessageId) -> Result<()> {
    let claims = profiles::find(app, user).await?.map(|profile| profile.claims);
    let actor = Actor {
        id: user,
        email: claims.as_ref().and_then(|claims| claims.email.clone()),
        roles: claims.map(|claims| claims.roles).unwrap_or_default(),
    };
    let act = Act::read("messages.delete", Target::one("message", message), json!({}));
    record_once(app, &actor, &act, &keys::deletion_recorded(message, user)).await
}

/// The next entry of the chain, to be put in the transaction of what it records.
///
/// If the transaction is refused because another entry was faster ([`Seat::was_taken`]), the caller waits and gets a
/// new one.
#[derive(Debug)]
pub(super) struct Pending {
    before: End,
    head: Head,
    entry: AuditEntry,
    previous: Hash,
    /// The update of the end of the chain.
    end: Update,
    /// Whether it may be the first entry of its day.
    begins: bool,
}

/// The indexes of an audit entry's parts in a transaction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seat(usize);

impl Seat {
    /// Whether the transaction was refused because another entry was faster.
    pub(super) fn was_taken(self, refused: &[Option<Item>]) -> bool {
        refused
            .iter()
            .skip(self.0)
            .take(Pending::PARTS)
            .any(Option::is_some)
    }
}

/// The entry that the next one refers to.
#[derive(Clone, Copy, Debug, Default)]
struct Last {
    hash: Hash,
    at: Option<Timestamp>,
    /// The last used position.
    position: Option<Position>,
}

impl Pending {
    /// How many parts of its transaction can be refused: the end of the chain, and the entry.
    const PARTS: usize = 2;

    /// An entry after the current end of the chain.
    ///
    /// # Errors
    /// [`Error::AuditUnavailable`] if the end is lost. The log does not continue from an older position by itself:
    /// removed entries would then look as if they had never existed. An operator [restores](restore()) the end, which the
    /// log records.
    pub(super) async fn next(app: &App, actor: &Actor, act: &Act) -> Result<Self> {
        let before = end(app).await?;
        let last = match &before {
            End::NotBegun => Last::default(),
            End::At(head) => Last {
                hash: head.hash,
                at: Some(head.at),
                position: Some(head.position),
            },
            End::Lost(loss) => return Err(loss.error()),
        };
        Self::following(app, before, last, actor, act)
    }

    fn following(app: &App, before: End, last: Last, actor: &Actor, act: &Act) -> Result<Self> {
        let keys = keys_of(app)?;
        let at = last.at.map_or(app.now(), |last| app.now().max(last));
        let day = Day::of(at);
        let number = match last.position {
            Some(position) if position.day == day => position.number + 1,
            _ => 1,
        };
        let mut entry = AuditEntry {
            id: AuditId::generate(at),
            at,
            actor: actor.clone(),
            action: act.action.to_owned(),
            target: act.target.clone(),
            before: act.before.clone(),
            after: act.after.clone(),
            metadata: act.metadata.clone(),
            severity: act.severity,
            previous_hash: hex(&last.hash),
            hash: String::new(),
        };
        let head = Head {
            position: Position { day, number },
            hash: keys.sign(&entry.signed_part()),
            at,
        };
        entry.hash = hex(&head.hash);
        // If the end was lost, the marker of its day may be lost too.
        let begins = number == 1 || matches!(before, End::Lost(_));
        Ok(Self {
            end: head::moved(keys, &before, &head),
            before,
            head,
            entry,
            previous: last.hash,
            begins,
        })
    }

    /// Adds the entry to a transaction: up to three parts, or four with the very first entry.
    pub(super) fn join(self, transaction: Transaction) -> (Transaction, Seat) {
        let seat = Seat(transaction.len());
        let Position { day, number } = self.head.position;
        let key = keys::audit_entry(day, number);
        let item = codec::encode(&key, &self.entry, &self.previous, &self.head.hash);
        let mut transaction = transaction.update(self.end).put(item, Condition::absent());
        if self.begins {
            let day = Item::new(&keys::audit_day(day)).number(attribute::AT, self.entry.at.milliseconds());
            transaction = transaction.put(day, Condition::default());
        }
        if matches!(self.before, End::NotBegun) {
            transaction = transaction.put(Item::new(&keys::audit_begun()), Condition::default());
        }
        (transaction, seat)
    }
}
