//! Appending a message that costs credits: the message and its debit are one transaction.
//!
//! Locator, entry, balance, ledger and the references to its files are written together or not at all. So a message in
//! the log is paid for, once, and a message that cannot be paid for leaves nothing behind, neither claim nor number. A
//! retry finds the locator and returns the first message, whatever the balance is by then.

use super::codec::{decode, encode};
use super::{
    ATTEMPTS, Appended, MessageDraft, belongs, claimed, holds, locator, message_entry, moved_claim, newest,
};
use crate::App;
use crate::domain::message::{Entry, Payment};
use crate::error::{Error, Result};
use crate::store::admission::Admitted;
use crate::store::credits::{self, Account};
use crate::store::members::Sender;
use crate::store::table::{self, Backoff, Condition, Consistency, Transacted, Transaction};
use crate::store::{days, files, keys};
use crate::telemetry::Count;

/// Appends a paid message, once for all attempts with its id. `newest` and `account` are the end of the log and the
/// sender's account as the caller read them; if they are outdated, they are read again.
///
/// Does not enqueue the delivery: the caller must, for a replay too.
///
/// # Errors
/// [`Error::InsufficientCredits`], [`Error::IdempotencyKeyReused`] if the id was used for other content, and
/// [`Error::Unavailable`] after too many lost races.
pub async fn append_paid(
    app: &App,
    admitted: &Admitted,
    sender: &Sender,
    draft: &MessageDraft,
    newest: Option<Entry>,
    account: Account,
    cost: u64,
) -> Result<Appended> {
    belongs(admitted, sender)?;
    let fingerprint = draft.fingerprint();
    let conversation = sender.conversation();
    let (mut newest, mut account) = (newest, account);
    // The number that an attempt through another route claimed and did not use.
    let mut stale_claim = None;
    if draft.client_message_id.is_some() {
        let earlier = table::get(app, &keys::locator(draft.id), Consistency::Strong).await?;
        if let Some(earlier) = earlier {
            let seq = claimed(app, sender, draft.id, &earlier, &fingerprint).await?;
            if let Some(entry) = find(app, sender, draft, seq).await? {
                return Ok(Appended {
                    entry,
                    replayed: true,
                });
            }
            stale_claim = Some(seq);
        }
    }
    let mut backoff = Backoff::new(ATTEMPTS);
    loop {
        let debit = credits::debit(app, account, cost, draft.id)?;
        let payment = Payment {
            cost,
            transaction: debit.id,
        };
        let entry = message_entry(app, sender, draft, Some(payment), newest.as_ref());
        days::mark(app, conversation, newest.as_ref(), &entry).await?;
        let transaction = Transaction::default();
        let transaction = match stale_claim {
            None => {
                let claim = locator(sender, draft.id, &fingerprint, entry.seq);
                transaction.put(claim, Condition::absent())
            }
            Some(from) => transaction.update(moved_claim(draft.id, from, entry.seq)),
        };
        let transaction = transaction.put(encode(conversation, &entry)?, Condition::absent());
        let transaction = credits::enter(transaction, sender.user(), account, &debit);
        let transaction = files::refer(transaction, sender, entry.seq, &draft.attachments);
        let parts = match transaction.send(app).await? {
            Transacted::Done => {
                app.meter().count(Count::MessagesSent, 1);
                return Ok(Appended {
                    entry,
                    replayed: false,
                });
            }
            Transacted::Refused(parts) => parts,
        };
        let [claim, place, balance, ledger, files @ ..] = parts.as_slice() else {
            return Err(Error::internal("a refused transaction names too few parts"));
        };
        if let Some(claim) = claim {
            let seq = claimed(app, sender, draft.id, claim, &fingerprint).await?;
            if let Some(entry) = find(app, sender, draft, seq).await? {
                return Ok(Appended {
                    entry,
                    replayed: true,
                });
            }
            stale_claim = Some(seq);
        }
        if files.iter().any(Option::is_some) {
            return Err(files::not_brought());
        }
        if balance.is_some() || ledger.is_some() {
            account = credits::now(&[balance.clone(), ledger.clone()])?;
        }
        // Another entry has this number, or another debit came first.
        app.meter().count(Count::Contentions, 1);
        backoff.wait("appending to a log").await?;
        if place.is_some() {
            newest = self::newest(app, conversation, Consistency::Strong).await?;
        }
    }
}

/// The message under the number that it claimed; none if it was never put.
async fn find(app: &App, sender: &Sender, draft: &MessageDraft, seq: u64) -> Result<Option<Entry>> {
    let item = table::get(app, &keys::entry(sender.conversation(), seq), Consistency::Strong).await?;
    let entry = item.as_ref().map(decode).transpose()?;
    Ok(entry.filter(|entry| holds(entry, draft.id)))
}
