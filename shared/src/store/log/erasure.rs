//! Erasure: the content of a message is removed for good. Its entry stays in the log, as that of a deleted message.

use serde_json::json;

use super::codec::{attribute, encode};
use super::moderation::RecordedChange;
use super::{ATTEMPTS, find_anywhere, following, newest};
use crate::App;
use crate::auth::Permit;
use crate::domain::audit::{Actor, Severity, Target};
use crate::domain::ids::{ConversationId, MessageId};
use crate::domain::message::{Content, Entry, Event};
use crate::domain::permission::HardDelete;
use crate::domain::unread::Window;
use crate::error::{Error, Result};
use crate::store::audit::{self, Act, Pending};
use crate::store::item::number;
use crate::store::table::{Backoff, Condition, Consistency, Transacted, Transaction, Update};
use crate::store::{days, keys};
use crate::telemetry::Count;

/// The attributes of an entry that hold user content.
const CONTENT: [&str; 4] = [
    attribute::TEXT,
    attribute::SENDER_USERNAME,
    attribute::ATTACHMENTS,
    attribute::METADATA,
];

/// Removes the content of a message from every item, in one transaction with the entry of the audit log and, unless the
/// message was deleted before, a deletion entry. Idempotent.
pub async fn erase(app: &App, permit: &Permit<HardDelete>, message: MessageId) -> Result<RecordedChange> {
    let actor = Actor::from(permit);
    let mut backoff = Backoff::new(ATTEMPTS);
    loop {
        let found = find_anywhere(app, message).await?;
        let (conversation, entry) = found.ok_or(Error::NotFound("message"))?;
        let Event::Message(content) = &entry.event else {
            return Err(Error::NotFound("message"));
        };
        let act = act(conversation, &entry, content);
        let recorded = |seq| RecordedChange {
            conversation,
            pair: entry.tail.pair,
            seq: Some(seq),
            sender: content.sender,
            sent_at: entry.at,
        };
        if let (Some(_), Some(deletion)) = (content.erased_at, content.deletion) {
            audit::record(app, actor, act).await?;
            return Ok(recorded(deletion.seq));
        }
        let fingerprint = Update::new(
            keys::locator(message),
            format!("REMOVE {}", attribute::FINGERPRINT),
        );
        let (seq, transaction) = if let Some(deletion) = content.deletion {
            let transaction = Transaction::default().update(removal(app, conversation, &entry, None));
            (deletion.seq, transaction)
        } else {
            let telling = telling(app, conversation, &entry, content).await?;
            let transaction = Transaction::default()
                .update(removal(app, conversation, &entry, Some(telling.seq)))
                .put(encode(conversation, &telling)?, Condition::absent());
            (telling.seq, transaction)
        };
        let pending = Pending::next(app, &actor, &act).await?;
        let (transaction, _) = pending.join(transaction.update(fingerprint));
        match transaction.send(app).await? {
            Transacted::Done => return Ok(recorded(seq)),
            // The message, the number or the end of the audit log changed concurrently: read everything again.
            Transacted::Refused(_) => {
                app.meter().count(Count::Contentions, 1);
                backoff.wait("removing a message").await?;
            }
        }
    }
}

/// The deletion entry.
async fn telling(app: &App, conversation: ConversationId, entry: &Entry, content: &Content) -> Result<Entry> {
    let newest = newest(app, conversation, Consistency::Strong).await?;
    let newest = newest.ok_or_else(|| Error::internal("a message exists in an empty log"))?;
    let forget = |window: &mut Window| {
        window.forget(entry.seq, newest.seq);
        window.push(None);
    };
    let telling = following(app, newest.tail.pair, Some(&newest), forget, |_, _, _| {
        Event::Deletion {
            message_id: content.id,
            message_seq: entry.seq,
        }
    });
    days::mark(app, conversation, Some(&newest), &telling).await?;
    Ok(telling)
}

/// The entry of the audit log; it holds no content.
fn act(conversation: ConversationId, entry: &Entry, content: &Content) -> Act {
    let is = |is_deleted: bool, is_erased: bool| json!({ "is_deleted": is_deleted, "is_erased": is_erased });
    let before = is(content.deletion.is_some(), content.erased_at.is_some());
    let metadata = json!({ "conversation_id": conversation, "seq": entry.seq, "sender_id": content.sender });
    let target = Target::one("message", content.id);
    Act::change("messages.hard_delete", target, before, is(true, true), metadata).weighing(Severity::Critical)
}

/// The update of the message's entry: it erases the content and marks the message as deleted unless it already is.
fn removal(app: &App, conversation: ConversationId, entry: &Entry, told_by: Option<u64>) -> Update {
    let (erased, deleted) = (attribute::ERASED_AT, attribute::DELETED_AT);
    let gone = CONTENT.join(", ");
    let key = keys::entry(conversation, entry.seq);
    let now = number(app.now().milliseconds());
    match told_by {
        Some(place) => {
            let seq = attribute::DELETION_SEQ;
            let expression = format!("SET {erased} = :now, {deleted} = :now, {seq} = :place REMOVE {gone}");
            Update::new(key, expression)
                .only_if(format!("attribute_not_exists({deleted})"))
                .value(":place", number(place))
                .value(":now", now)
        }
        None => Update::new(key, format!("SET {erased} = :now REMOVE {gone}"))
            .only_if(format!(
                "attribute_exists({deleted}) AND attribute_not_exists({erased})"
            ))
            .value(":now", now),
    }
}
