//! Moderation and erasure of mails.
//!
//! The status is stored in the content and in the flags of both sides, which change in one transaction with the entry
//! of the audit log and the recipient's notification, which quotes the subject. A changed mail has a new version on
//! both sides: their devices are notified as of any change, and earlier `ETag`s no longer match.

use serde_json::{Value, json};

use super::codec::{attribute, moderation_status};
use super::{ATTEMPTS, Correspondent};
use crate::App;
use crate::auth::Permit;
use crate::domain::audit::{Actor, Severity, Target};
use crate::domain::ids::{MessageId, UserId};
use crate::domain::mail::Flags;
use crate::domain::moderation::ModerationStatus;
use crate::domain::notification::{about_hidden_mail, about_mail};
use crate::domain::permission::{HardDelete, ModerationAction};
use crate::domain::user::Card;
use crate::error::{Error, Result};
use crate::store::audit::{self, Act, Pending};
use crate::store::item::{Item, number, text};
use crate::store::table::{self, Backoff, Consistency, Transacted, Transaction, Update};
use crate::store::{keys, notifications, profiles};
use crate::telemetry::Count;

/// A mail as it was read for an administrator.
struct Found {
    status: ModerationStatus,
    is_erased: bool,
    /// Both sides, including those that have deleted it; one if it was sent to oneself.
    sides: Vec<Correspondent>,
}

/// Changes the moderation status of a mail. If it already has the status, it is left unchanged, which is audited too.
///
/// `enqueue` enqueues the delivery of the new version to one side, before the change, as with every change of a mail.
///
/// # Errors
/// [`Error::NotFound`] if there is no such mail, and whatever `enqueue` fails with.
pub async fn moderate<A: Future<Output = Result<()>>>(
    app: &App,
    permit: &Permit<ModerationAction>,
    message: MessageId,
    status: ModerationStatus,
    reason: Option<&str>,
    enqueue: impl Fn(UserId, u64) -> A,
) -> Result<()> {
    let mut backoff = Backoff::new(ATTEMPTS);
    loop {
        let found = find(app, message).await?;
        let of = |status: ModerationStatus| json!({ "moderation_status": status });
        let metadata = noted(&found, json!({ "reason": reason }));
        let target = Target::one("message", message);
        let act = Act::change(
            "messages.moderate",
            target,
            of(found.status),
            of(status),
            metadata,
        );
        let act = act.weighing(if status == ModerationStatus::Blocked {
            Severity::Warning
        } else {
            Severity::Info
        });
        let update = Update::new(
            keys::locator(message),
            format!("SET {} = :status", attribute::STATUS),
        );
        let update = update.value(":status", text(status.as_str()));
        let update = match found.status {
            ModerationStatus::Approved => update.only_if(format!(
                "attribute_not_exists({0}) OR {0} = :before",
                attribute::STATUS
            )),
            _ => update.only_if(format!("{} = :before", attribute::STATUS)),
        };
        let update = update.value(":before", text(found.status.as_str()));
        let is_done = found.status == status;
        let change = |flags: Flags| flags.moderated(status, app.now());
        if attempt(
            app,
            Actor::from(permit),
            &found,
            &act,
            update,
            is_done,
            change,
            &enqueue,
        )
        .await?
        {
            return Ok(());
        }
        app.meter().count(Count::Contentions, 1);
        backoff.wait("moderating a mail").await?;
    }
}

/// Removes subject and body of a mail from every item. Idempotent; every attempt is audited.
///
/// # Errors
/// As with [`moderate`].
pub async fn erase<A: Future<Output = Result<()>>>(
    app: &App,
    permit: &Permit<HardDelete>,
    message: MessageId,
    enqueue: impl Fn(UserId, u64) -> A,
) -> Result<()> {
    let mut backoff = Backoff::new(ATTEMPTS);
    loop {
        let found = find(app, message).await?;
        let of = |is_erased: bool| json!({ "is_deleted": is_erased, "is_erased": is_erased });
        let metadata = noted(&found, json!({}));
        let target = Target::one("message", message);
        let act = Act::change(
            "messages.hard_delete",
            target,
            of(found.is_erased),
            of(true),
            metadata,
        )
        .weighing(Severity::Critical);
        let expression = format!(
            "SET {} = :now REMOVE {}, {}, {}",
            attribute::ERASED,
            attribute::SUBJECT,
            attribute::BODY,
            attribute::FINGERPRINT
        );
        let update = Update::new(keys::locator(message), expression)
            .value(":now", number(app.now().milliseconds()))
            .only_if(format!("attribute_not_exists({})", attribute::ERASED));
        let change = |flags: Flags| flags.erased(app.now());
        if attempt(
            app,
            Actor::from(permit),
            &found,
            &act,
            update,
            found.is_erased,
            change,
            &enqueue,
        )
        .await?
        {
            return Ok(());
        }
        app.meter().count(Count::Contentions, 1);
        backoff.wait("deleting a mail for good").await?;
    }
}

/// The metadata of the audit entry. Never user content.
fn noted(found: &Found, more: Value) -> Value {
    let content = found.sides.first().map(Correspondent::content);
    let mut noted = json!({
        "kind": "mail",
        "sender_id": content.map(|content| content.sender),
        "recipient_id": content.map(|content| content.recipient),
    });
    if let (Some(fields), Value::Object(more)) = (noted.as_object_mut(), more) {
        fields.extend(more);
    }
    noted
}

async fn find(app: &App, message: MessageId) -> Result<Found> {
    let locator = keys::locator(message);
    let item = table::get(app, &locator, Consistency::Strong).await?;
    let item = item.ok_or(Error::NotFound("message"))?;
    let content = super::decode(message, &item)?.ok_or(Error::NotFound("message"))?;
    let mut people = vec![content.sender, content.recipient];
    people.dedup();
    let mut sides = Vec::with_capacity(people.len());
    for user in people {
        let flags = keys::flags(user, message);
        let mut items = std::collections::HashMap::from([(locator.clone(), item.clone())]);
        let stored: Option<Item> = table::get(app, &flags, Consistency::Strong).await?;
        items.extend(stored.map(|item| (flags, item)));
        sides.extend(Correspondent::from_items(&items, user, message)?);
    }
    Ok(Found {
        status: moderation_status(&item)?,
        is_erased: item.find_number::<i64>(attribute::ERASED)?.is_some(),
        sides,
    })
}

/// Changes both sides and the content, or records that there was nothing to change; returns whether it changed
/// something.
#[expect(
    clippy::too_many_arguments,
    reason = "they are the change, which has two callers"
)]
async fn attempt<A: Future<Output = Result<()>>>(
    app: &App,
    actor: Actor,
    found: &Found,
    act: &Act,
    update: Update,
    is_done: bool,
    change: impl Fn(Flags) -> Flags,
    enqueue: &impl Fn(UserId, u64) -> A,
) -> Result<bool> {
    let boxes = || found.sides.iter().filter(|side| !side.flags().is_deleted);
    if is_done {
        for side in boxes() {
            enqueue(side.user(), side.flags().version).await?;
        }
        audit::record(app, actor, act.clone()).await?;
        return Ok(true);
    }
    let mut transaction = Transaction::default().update(update);
    let mut shows = true;
    // A side that has deleted the mail does not see it, but its flags must be correct anyway.
    for side in &found.sides {
        let next = change(side.flags());
        shows = next.shows_content();
        if !side.flags().is_deleted {
            enqueue(side.user(), next.version).await?;
        }
        transaction = side.write(transaction, next);
    }
    if let Some(side) = found.sides.first() {
        let content = side.content();
        let claims = profiles::find(app, content.sender)
            .await?
            .map(|profile| profile.claims);
        let sender = Card::of(content.sender, &claims.unwrap_or_default()).display_name;
        let says = if shows {
            about_mail(&sender, &content.subject)
        } else {
            about_hidden_mail(&sender)
        };
        let (user, note) = (content.recipient, content.notification);
        if let Some(update) = notifications::said_anew(app, user, note, &says).await? {
            transaction = transaction.update(update);
        }
    }
    let (transaction, _) = Pending::next(app, &actor, act).await?.join(transaction);
    Ok(matches!(transaction.send(app).await?, Transacted::Done))
}
