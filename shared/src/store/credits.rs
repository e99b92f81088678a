//! Credits: a balance and the ledger behind it.
//!
//! The ledger is numbered from 1 without gaps, like a log, and the balance item holds the number of entries. An entry
//! and its balance are written in one transaction, on the condition that nothing was added since the balance was read.
//! So the balance always equals the sum of the ledger, nothing is charged twice, and no balance goes below zero.

use serde_json::json;

use super::audit::{self, Act, Pending};
use super::item::{Item, number};
use super::keys;
use super::table::{self, Backoff, Condition, Consistency, Query, Transacted, Transaction};
use crate::App;
use crate::auth::Permit;
use crate::domain::audit::{Actor, Target};
use crate::domain::credits::{CreditTransaction, TransactionType};
use crate::domain::fingerprint;
use crate::domain::ids::{MessageId, TransactionId, UserId};
use crate::domain::permission::CreditsGrant;
use crate::domain::text::ClientMessageId;
use crate::error::{Error, Result};
use crate::telemetry::Count;

/// How often a grant retries after a concurrent ledger entry, before it fails with 503.
const ATTEMPTS: u32 = 24;

/// The reason of a new user's initial credits.
const WELCOME: &str = "initial balance";
/// The action of a grant in the audit log.
const GRANTED: &str = "credits.grant";
/// The reason of a debit.
const SENT: &str = "message sent";

/// A user's account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// How many credits.
    pub balance: u64,
    /// How many entries the ledger has.
    pub entries: u64,
}

/// A user's account. A new user gets the initial credits.
pub async fn account(app: &App, user: UserId) -> Result<Account> {
    let item = table::get(app, &keys::balance(user), Consistency::Strong).await?;
    let account = item.map_or(Ok(Account::default()), |item| decode(&item))?;
    let initial = app.config().credits_initial;
    if account.entries > 0 || initial == 0 {
        return Ok(account);
    }
    let welcome = CreditTransaction {
        id: TransactionId::generate(app.now()),
        transaction_type: TransactionType::Grant,
        amount: signed(initial)?,
        balance_after: initial,
        message_id: None,
        reason: WELCOME.to_owned(),
        created_at: app.now(),
    };
    match enter(Transaction::default(), user, account, &welcome)
        .send(app)
        .await?
    {
        Transacted::Done => Ok(Account {
            balance: initial,
            entries: 1,
        }),
        // A concurrent call came first.
        Transacted::Refused(parts) => now(&parts),
    }
}

/// Adds a balance update and its ledger entry to a transaction, in this order, based on the account as it was read.
pub(super) fn enter(
    transaction: Transaction,
    user: UserId,
    account: Account,
    entry: &CreditTransaction,
) -> Transaction {
    let place = account.entries + 1;
    let balance = Item::new(&keys::balance(user))
        .number(attribute::BALANCE, entry.balance_after)
        .number(attribute::ENTRIES, place);
    let unchanged = if account.entries == 0 {
        Condition::absent()
    } else {
        Condition::holds(format!("{} = :entries", attribute::ENTRIES))
            .value(":entries", number(account.entries))
    };
    transaction
        .put(balance, unchanged)
        .put(encode(user, place, entry), Condition::absent())
}

/// The account after a refused transaction whose `parts` begin with those of [`enter`].
pub(super) fn now(parts: &[Option<Item>]) -> Result<Account> {
    match parts.first() {
        Some(Some(balance)) => decode(balance),
        _ => Err(Error::unavailable("lost the race for a ledger entry")),
    }
}

/// The debit of a message, if the balance suffices.
///
/// # Errors
/// [`Error::InsufficientCredits`].
pub(super) fn debit(app: &App, account: Account, cost: u64, message: MessageId) -> Result<CreditTransaction> {
    let balance_after = account.balance.checked_sub(cost);
    let balance_after = balance_after.ok_or(Error::InsufficientCredits {
        cost,
        balance: account.balance,
    })?;
    Ok(CreditTransaction {
        id: TransactionId::generate(app.now()),
        transaction_type: TransactionType::Debit,
        amount: -signed(cost)?,
        balance_after,
        message_id: Some(message),
        reason: SENT.to_owned(),
        created_at: app.now(),
    })
}

/// The result of a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// The entry of the ledger.
    pub transaction: TransactionId,
    /// The balance after it.
    pub balance: u64,
    /// Whether an earlier request made it.
    pub replayed: bool,
}

/// Grants credits, once for all requests with the same reference. The ledger entry, the balance and the entry of the
/// audit log are one transaction. A request that finds the grant already made is audited as a read.
///
/// # Errors
/// [`Error::IdempotencyKeyReused`] if the reference was used with another amount or reason, [`Error::Unavailable`]
/// after too many lost races.
pub async fn grant(
    app: &App,
    permit: &Permit<CreditsGrant>,
    user: UserId,
    amount: u64,
    reason: &str,
    reference: &ClientMessageId,
) -> Result<Granted> {
    let id = TransactionId::granted(user, reference);
    let actor = Actor::from(permit);
    let target = || Target::one("user", user);
    let metadata = json!({
        "amount": amount, "reason": reason, "client_reference": reference.as_str(), "transaction_id": id
    });
    let mut account = account(app, user).await?;
    let mut backoff = Backoff::new(ATTEMPTS);
    loop {
        let balance = account
            .balance
            .checked_add(amount)
            .ok_or_else(|| Error::invalid("amount", "out_of_range", "would exceed the maximum balance"))?;
        let entry = CreditTransaction {
            id,
            transaction_type: TransactionType::Grant,
            amount: signed(amount)?,
            balance_after: balance,
            message_id: None,
            reason: reason.to_owned(),
            created_at: app.now(),
        };
        let receipt = Item::new(&keys::grant(user, id))
            .number(attribute::AMOUNT, amount)
            .bytes(attribute::REASON, fingerprint::of_bytes([reason]))
            .number(attribute::BALANCE, balance);
        let transaction = Transaction::default().put(receipt, Condition::absent());
        let is = |balance: u64| json!({ "balance": balance });
        let (before, after) = (is(account.balance), is(balance));
        let act = Act::change(GRANTED, target(), before, after, metadata.clone());
        let pending = Pending::next(app, &actor, &act).await?;
        let (transaction, seat) = pending.join(enter(transaction, user, account, &entry));
        match transaction.send(app).await? {
            Transacted::Done => {
                return Ok(Granted {
                    transaction: id,
                    balance,
                    replayed: false,
                });
            }
            Transacted::Refused(parts) => {
                if let Some(Some(receipt)) = parts.first() {
                    let granted = replayed(id, receipt, amount, reason)?;
                    audit::record(app, actor, Act::read(GRANTED, target(), metadata)).await?;
                    return Ok(granted);
                }
                app.meter().count(Count::Contentions, 1);
                backoff.wait("entering into a ledger").await?;
                let of_ledger = parts.get(1..).unwrap_or_default();
                if of_ledger.first().is_some_and(Option::is_some) || !seat.was_taken(&parts) {
                    account = now(of_ledger)?;
                }
            }
        }
    }
}

fn replayed(id: TransactionId, receipt: &Item, amount: u64, reason: &str) -> Result<Granted> {
    // Older receipts do not hold the reason.
    let reason_is_known = receipt.find_bytes(attribute::REASON);
    let is_another = reason_is_known.is_some_and(|known| known != fingerprint::of_bytes([reason]));
    if is_another || receipt.get_number::<u64>(attribute::AMOUNT)? != amount {
        return Err(Error::IdempotencyKeyReused);
    }
    Ok(Granted {
        transaction: id,
        balance: receipt.get_number(attribute::BALANCE)?,
        replayed: true,
    })
}

/// Up to `limit` entries of the ledger, downwards from number `last`.
pub async fn transactions(
    app: &App,
    user: UserId,
    last: u64,
    limit: u32,
) -> Result<Vec<(u64, CreditTransaction)>> {
    if last == 0 || limit == 0 {
        return Ok(Vec::new());
    }
    let (first, last) = (keys::ledger_sort(1), keys::ledger_sort(last));
    let query = Query::between(keys::credits(user), first, last).newest_first(true);
    query.limit(limit).all(app).await?.iter().map(entry).collect()
}

fn signed(amount: u64) -> Result<i64> {
    i64::try_from(amount).map_err(Error::internal)
}

/// The attributes of balances and ledgers.
mod attribute {
    /// Milliseconds since 1970.
    pub(super) const AT: &str = "a";
    /// The balance; in an entry, the balance after it.
    pub(super) const BALANCE: &str = "b";
    /// How many entries there are.
    pub(super) const ENTRIES: &str = "n";
    /// The amount; negative for a debit.
    pub(super) const AMOUNT: &str = "c";
    /// The id of an entry.
    pub(super) const ID: &str = "i";
    /// The message of a debit.
    pub(super) const MESSAGE: &str = "m";
    /// The reason; in a receipt, its fingerprint.
    pub(super) const REASON: &str = "r";
}

fn decode(balance: &Item) -> Result<Account> {
    Ok(Account {
        balance: balance.get_number(attribute::BALANCE)?,
        entries: balance.get_number(attribute::ENTRIES)?,
    })
}

fn encode(user: UserId, place: u64, entry: &CreditTransaction) -> Item {
    let item = Item::new(&keys::ledger(user, place))
        .id(attribute::ID, entry.id.uuid())
        .number(attribute::AMOUNT, entry.amount)
        .number(attribute::BALANCE, entry.balance_after)
        .number(attribute::AT, entry.created_at.milliseconds())
        .text(attribute::REASON, &entry.reason);
    match entry.message_id {
        Some(message) => item.id(attribute::MESSAGE, message.uuid()),
        None => item,
    }
}

fn entry(item: &Item) -> Result<(u64, CreditTransaction)> {
    let place = item.sort()?.trim_start_matches(keys::LEDGER);
    let amount: i64 = item.get_number(attribute::AMOUNT)?;
    let transaction = CreditTransaction {
        id: TransactionId::from_uuid(item.get_id(attribute::ID)?),
        transaction_type: if amount < 0 {
            TransactionType::Debit
        } else {
            TransactionType::Grant
        },
        amount,
        balance_after: item.get_number(attribute::BALANCE)?,
        message_id: item.find_id(attribute::MESSAGE)?.map(MessageId::from_uuid),
        reason: item.get_text(attribute::REASON)?.to_owned(),
        created_at: item.get_time(attribute::AT)?,
    };
    Ok((place.parse().map_err(Error::internal)?, transaction))
}
