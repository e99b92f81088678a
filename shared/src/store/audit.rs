//! The audit log: a chain of entries, each with the hash of the one before, numbered from 1 within each day.
//!
//! An entry and the end of the chain change in one transaction, on the condition that the end is still the one that
//! the entry builds on. That makes the order. A change is audited in **its own** transaction ([`Pending`]): neither
//! exists without the other. What was only read is [recorded](record) before it is answered.
//!
//! What is done to the table is found by [`verify`]: hashes and the end of the chain need a [key](Keys) that only the
//! functions that audit have, and [`anchors`] outside the table tell of entries that were removed.

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

/// How often an entry looks for the end of the chain again before it gives up with 503.
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

/// What was done.
#[derive(Clone, Debug)]
pub struct Act {
    /// What, such as `messages.moderate`.
    pub action: &'static str,
    /// To what.
    pub target: Target,
    /// What it changed, as it was before. Never what people wrote.
    pub before: Option<Map<String, Value>>,
    /// The same, as it is afterwards.
    pub after: Option<Map<String, Value>>,
    /// What else there is to say.
    pub metadata: Map<String, Value>,
    /// How serious it is.
    pub severity: Severity,
}

impl Act {
    /// Something was looked at.
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

    /// Something was changed.
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

    /// The same act with another severity.
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

/// The keys of the log.
///
/// # Errors
/// The function was not given them: `template.yaml` does not count it among those that audit.
fn keys_of(app: &App) -> Result<&Keys> {
    let keys = app.config().audit_keys.as_ref();
    keys.ok_or_else(|| {
        Error::internal("AUDIT_SECRET_KEY is missing in the environment of a function that audits")
    })
}

/// Records what was only looked at. It must succeed before the answer is given.
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

/// Records, for a worker, what a user has done, once however often its job comes: `receipt` is the key of the item that
/// says that it is recorded.
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

/// Records that a user has deleted a mail or a message of theirs.
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

/// The next entry of the chain, to be put in the transaction of what it tells of.
///
/// Where the transaction is refused because another entry was faster ([`Seat::was_taken`]), another one is asked for,
/// after a wait.
#[derive(Debug)]
pub(super) struct Pending {
    before: End,
    head: Head,
    entry: AuditEntry,
    previous: Hash,
    /// The new end of the chain as it is to be stored.
    end: Update,
    /// Whether it may be the first entry of its day.
    begins: bool,
}

/// Where the parts of an audit entry are in a transaction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seat(usize);

impl Seat {
    /// Whether the refusal of the transaction says that another entry was faster.
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
    /// The last position that is taken.
    position: Option<Position>,
}

impl Pending {
    /// How many parts of its transaction can be refused: the end of the chain, and the entry.
    const PARTS: usize = 2;

    /// An entry behind the end of the chain as it is now.
    ///
    /// # Errors
    /// [`Error::AuditUnavailable`] if the end is lost. The log does not go on by itself from an older position: an entry
    /// that was removed would then be taken for one that never was. An operator [restores](restore) the end, which the
    /// log says from then on.
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
        // Where the end was lost, so may be what says that its day has entries.
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

    /// Adds the entry to a transaction, which then has up to three parts more, or four with the first entry of all.
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
