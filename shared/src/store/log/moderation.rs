//! Moderation: changing the moderation status of a message, with entries in the conversation's log and in the audit
//! log.

use serde_json::{Value, json};

use super::codec::{attribute, encode};
use super::reads::entry_of;
use super::{ATTEMPTS, find_anywhere, following, newest};
use crate::App;
use crate::auth::Permit;
use crate::domain::audit::{Actor, Severity, Target};
use crate::domain::ids::{ConversationId, MessageId, UserId};
use crate::domain::message::{Content, Entry, Event};
use crate::domain::moderation::{Moderation, ModerationStatus};
use crate::domain::permission::ModerationAction;
use crate::domain::time::Timestamp;
use crate::domain::unread::{Ordinal, Window};
use crate::error::{Error, Result};
use crate::store::audit::{Act, Pending};
use crate::store::item::{number, text};
use crate::store::members;
use crate::store::table::{Backoff, Condition, Consistency, Transacted, Transaction, Update};
use crate::store::{days, keys};
use crate::telemetry::Count;

/// A moderation or erasure as it is recorded in the log, and whom to notify.
#[derive(Clone, Copy, Debug)]
pub struct RecordedChange {
    /// Where.
    pub conversation: ConversationId,
    /// The two members of a direct conversation.
    pub pair: Option<[UserId; 2]>,
    /// The number of the entry; none if nothing was ever changed.
    pub seq: Option<u64>,
    /// Who sent the message.
    pub sender: UserId,
    /// When the message was sent.
    pub sent_at: Timestamp,
}

/// Changes the moderation status of a message. The update of the message, the moderation entry and the entry of the
/// audit log are one transaction. If the message already has the status, it is left unchanged, which is audited too;
/// the existing moderation entry is returned, so that a retry can enqueue it.
///
/// Concurrent moderators, or a moderator and the sender who deletes, are ordered by the log: each sees what the other
/// wrote, and the last one wins.
pub async fn moderate(
    app: &App,
    permit: &Permit<ModerationAction>,
    message: MessageId,
    status: ModerationStatus,
    reason: Option<&str>,
) -> Result<RecordedChange> {
    let actor = Actor::from(permit);
    let mut backoff = Backoff::new(ATTEMPTS);
    loop {
        let found = find_anywhere(app, message).await?;
        let (conversation, entry) = found.ok_or(Error::NotFound("message"))?;
        let Event::Message(content) = &entry.event else {
            return Err(Error::NotFound("message"));
        };
        let act = act(conversation, &entry, content, status, reason);
        let recorded = |seq| RecordedChange {
            conversation,
            pair: entry.tail.pair,
            seq,
            sender: content.sender,
            sent_at: entry.at,
        };
        if content.moderation_status() == status {
            // Reads the end of the audit log first, then the message again: whoever changes the status concurrently
            // moves that end, so this transaction is refused. Otherwise the audit log could record a status after a
            // later one.
            let pending = Pending::next(app, &actor, &act).await?;
            let again = entry_of(app, conversation, entry.seq).await?;
            let stands = again.is_some_and(|again| {
                matches!(&again.event, Event::Message(content) if content.moderation_status() == status)
            });
            if stands {
                let (transaction, _) = pending.join(Transaction::default());
                if let Transacted::Done = transaction.send(app).await? {
                    return Ok(recorded(content.moderation.map(|moderation| moderation.seq)));
                }
            }
            app.meter().count(Count::Contentions, 1);
            backoff.wait("moderating a message").await?;
            continue;
        }
        let newest = newest(app, conversation, Consistency::Strong).await?;
        let newest = newest.ok_or_else(|| Error::internal("a message exists in an empty log"))?;
        let sender = ordinal(app, conversation, &entry, content).await?;
        let after = Content {
            moderation: Some(Moderation {
                status,
                at: app.now(),
                seq: newest.seq + 1,
            }),
            ..Content::clone(content)
        };
        let slide = |window: &mut Window| {
            match sender.filter(|_| after.is_shown()) {
                Some(sender) => window.restore(entry.seq, newest.seq, sender),
                None => window.forget(entry.seq, newest.seq),
            }
            window.push(None);
        };
        let telling = following(app, newest.tail.pair, Some(&newest), slide, |_, _, _| {
            Event::Moderation {
                message_id: message,
                message_seq: entry.seq,
                status,
            }
        });
        days::mark(app, conversation, Some(&newest), &telling).await?;
        let pending = Pending::next(app, &actor, &act).await?;
        let transaction = Transaction::default()
            .update(mark(app, conversation, &entry, content, status, telling.seq))
            .put(encode(conversation, &telling)?, Condition::absent());
        let (transaction, _) = pending.join(transaction);
        match transaction.send(app).await? {
            Transacted::Done => return Ok(recorded(Some(telling.seq))),
            // The message, the number or the end of the audit log changed concurrently: read everything again.
            Transacted::Refused(_) => {
                app.meter().count(Count::Contentions, 1);
                backoff.wait("moderating a message").await?;
            }
        }
    }
}

/// The entry of the audit log.
fn act(
    conversation: ConversationId,
    entry: &Entry,
    content: &Content,
    status: ModerationStatus,
    reason: Option<&str>,
) -> Act {
    let severity = if status == ModerationStatus::Blocked {
        Severity::Warning
    } else {
        Severity::Info
    };
    let is = |status: ModerationStatus| json!({ "moderation_status": status });
    let mut metadata =
        json!({ "conversation_id": conversation, "seq": entry.seq, "sender_id": content.sender });
    if let (Some(reason), Some(fields)) = (reason, metadata.as_object_mut()) {
        fields.insert("reason".to_owned(), Value::from(reason));
    }
    let target = Target::one("message", content.id);
    let before = is(content.moderation_status());
    Act::change("messages.moderate", target, before, is(status), metadata).weighing(severity)
}

/// The sender's ordinal among the members; none if they left, since then nobody's unread count has to exclude the
/// sender's own messages.
async fn ordinal(
    app: &App,
    conversation: ConversationId,
    entry: &Entry,
    content: &Content,
) -> Result<Option<Ordinal>> {
    match entry.tail.pair {
        Some([low, _]) => Ok(Some(Ordinal(u16::from(content.sender != low)))),
        None => members::ordinal_of(app, conversation, content.sender).await,
    }
}

/// The update of the message, on the condition that it is unchanged.
fn mark(
    app: &App,
    conversation: ConversationId,
    entry: &Entry,
    content: &Content,
    status: ModerationStatus,
    place: u64,
) -> Update {
    let expression = format!(
        "SET {} = :status, {} = :now, {} = :place",
        attribute::MODERATION_STATUS,
        attribute::MODERATED_AT,
        attribute::MODERATION_SEQ
    );
    let deletion = if content.deletion.is_some() {
        format!("attribute_exists({})", attribute::DELETED_AT)
    } else {
        format!("attribute_not_exists({})", attribute::DELETED_AT)
    };
    let update = Update::new(keys::entry(conversation, entry.seq), expression)
        .value(":status", text(status.as_str()))
        .value(":now", number(app.now().milliseconds()))
        .value(":place", number(place));
    match content.moderation {
        Some(before) => update
            .only_if(format!("{deletion} AND {} = :before", attribute::MODERATION_SEQ))
            .value(":before", number(before.seq)),
        None => update.only_if(format!(
            "{deletion} AND attribute_not_exists({})",
            attribute::MODERATION_SEQ
        )),
    }
}
