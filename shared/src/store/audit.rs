//! The audit log: a chain of entries, each with the hash of the one before, numbered from 1 within each day.
//!
//! An entry and the end of the chain change in one transaction, on the condition that the end is still the one that
//! the entry builds on. That makes the order, and it tells of entries that were cut off the end, which a chain alone
//! cannot. A change is audited in **its own** transaction ([`Pending`]): neither exists without the other. What was
//! only read is [recorded](record) before it is answered.

mod chain;
mod codec;

pub use chain::{Filter, MOST_DAYS, Page, Place, Verdict, list, verify};

use serde_json::{Map, Value, json};

use self::codec::attribute;
use super::item::{Item, bytes, number, text};
use super::keys::{self, Key};
use super::table::{self, Backoff, Condition, Consistency, Transacted, Transaction, Update};
use super::{Worker, profiles};
use crate::App;
use crate::auth::{Caller, Permit};
use crate::domain::audit::{Actor, AuditEntry, Hash, Severity, Target, hex};
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
    /// How much it weighs.
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

    /// The same act with another weight.
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

/// The end of the chain.
#[derive(Clone, Copy, Debug)]
struct Head {
    day: Day,
    number: u64,
    hash: Hash,
    at: Timestamp,
}

async fn head(app: &App) -> Result<Option<Head>> {
    let item = table::get(app, &keys::audit_head(), Consistency::Strong).await?;
    item.as_ref().map(codec::decode_head).transpose()
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
    before: Option<Head>,
    day: Day,
    number: u64,
    entry: AuditEntry,
    hash: Hash,
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

impl Pending {
    /// How many parts of its transaction can be refused: the end of the chain, and the entry.
    const PARTS: usize = 2;

    /// An entry behind the end of the chain as it is now.
    pub(super) async fn next(app: &App, actor: &Actor, act: &Act) -> Result<Self> {
        let before = head(app).await?;
        let at = before.map_or(app.now(), |head| app.now().max(head.at));
        let day = Day::of(at);
        let number = match before {
            Some(head) if head.day == day => head.number + 1,
            _ => 1,
        };
        let previous = before.map(|head| head.hash).unwrap_or_default();
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
            previous_hash: hex(&previous),
            hash: String::new(),
        };
        let hash = entry.computed_hash();
        entry.hash = hex(&hash);
        Ok(Self {
            before,
            day,
            number,
            entry,
            hash,
        })
    }

    /// Adds the entry to a transaction, which then has up to three parts more.
    pub(super) fn join(self, transaction: Transaction) -> (Transaction, Seat) {
        let seat = Seat(transaction.len());
        let key = keys::audit_entry(self.day, self.number);
        let previous = self.before.map(|head| head.hash).unwrap_or_default();
        let expression = format!(
            "SET {} = :day, {} = :number, {} = :hash, {} = :at",
            attribute::DAY,
            attribute::NUMBER,
            attribute::HASH,
            attribute::AT
        );
        let end = Update::new(keys::audit_head(), expression)
            .value(":day", text(self.day.to_string()))
            .value(":number", number(self.number))
            .value(":hash", bytes(self.hash))
            .value(":at", number(self.entry.at.milliseconds()));
        let end = match self.before {
            Some(head) => end
                .only_if(format!("{} = :before", attribute::HASH))
                .value(":before", bytes(head.hash)),
            None => end.only_if(format!("attribute_not_exists({})", keys::PARTITION)),
        };
        let item = codec::encode(&key, &self.entry, &previous, &self.hash);
        let transaction = transaction.update(end).put(item, Condition::absent());
        let begins = self.before.is_none_or(|head| head.day != self.day);
        let transaction = if begins {
            let day =
                Item::new(&keys::audit_day(self.day)).number(attribute::AT, self.entry.at.milliseconds());
            transaction.put(day, Condition::default())
        } else {
            transaction
        };
        (transaction, seat)
    }
}
