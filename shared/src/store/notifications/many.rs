//! Many notifications at once: their mails, and marking them as read.

use std::collections::HashMap;

use super::super::keys;
use super::super::table::{self, Backoff, Consistency, Transacted, Transaction, Written};
use super::super::tally::{self, Delta, Tally};
use super::missed::{self, Note};
use super::{ATTEMPTS, Noted, Stored, TOGETHER, counted, read};
use crate::App;
use crate::domain::ids::{MessageId, NotificationId, UserId};
use crate::error::{Error, Result};

/// The mails of many notifications, each with whether its notification is unread.
pub async fn mails_of(app: &App, user: UserId, ids: &[NotificationId]) -> Result<HashMap<MessageId, bool>> {
    let keys = ids.iter().map(|id| keys::notification(user, *id));
    let keys = keys.chain([keys::tally(user)]).collect();
    let items = table::get_many(app, keys, Consistency::Strong).await?;
    let tally = items
        .get(&keys::tally(user))
        .map_or(Ok(Tally::default()), tally::decode)?;
    let mut mails = HashMap::new();
    for id in ids {
        if let Some(item) = items.get(&keys::notification(user, *id)) {
            let stored = Stored::decode(*id, item)?;
            mails.extend(
                stored
                    .message
                    .map(|mail| (mail, stored.read_at(&tally).is_none())),
            );
        }
    }
    Ok(mails)
}

/// Marks many notifications as read; returns the result of each. All of them change one tally, so many are one
/// transaction; if something changed concurrently, each is tried individually.
pub async fn read_many(
    app: &App,
    user: UserId,
    ids: &[NotificationId],
) -> Result<Vec<(NotificationId, Result<()>)>> {
    let (drawn, derived): (Vec<_>, Vec<_>) = ids.iter().copied().partition(|id| id.moment().is_some());
    let mut results: Vec<(NotificationId, Result<()>)> = Vec::with_capacity(ids.len());
    if !derived.is_empty() {
        let mut notes = missed::of(app, user).await?;
        notes.retain(|note| derived.contains(&note.id()));
        missed::read(app, user, &notes).await?;
        results.extend(notes.iter().map(|note| (note.id(), Ok(()))));
    }
    let keys = drawn.iter().map(|id| keys::notification(user, *id));
    let keys = keys.chain([keys::tally(user)]).collect();
    let items = table::get_many(app, keys, Consistency::Strong).await?;
    let tally = items
        .get(&keys::tally(user))
        .map_or(Ok(Tally::default()), tally::decode)?;
    let mut unread = Vec::new();
    for id in drawn {
        if let Some(item) = items.get(&keys::notification(user, id)) {
            let stored = Stored::decode(id, item)?;
            if stored.read_at(&tally).is_some() {
                results.push((id, Ok(())));
            } else {
                unread.push(stored);
            }
        }
    }
    for together in unread.chunks(TOGETHER) {
        let (mut transaction, mut delta) = (Transaction::default(), Delta::default());
        for stored in together {
            transaction = stored.mark_in(transaction, user, app.now());
            delta = delta.read(stored.id);
        }
        let is_done = matches!(
            counted(transaction, delta, user).send(app).await,
            Ok(Transacted::Done)
        );
        for stored in together {
            let result = if is_done {
                Ok(())
            } else {
                read_alone(app, user, stored.id).await
            };
            results.push((stored.id, result));
        }
    }
    for id in ids {
        if !results.iter().any(|(known, _)| known == id) {
            results.push((*id, Err(Error::NotFound("notification"))));
        }
    }
    Ok(results)
}

async fn read_alone(app: &App, user: UserId, id: NotificationId) -> Result<()> {
    let noted = Noted::of(app, user, id).await?;
    read(app, noted, async { Ok(()) }).await.map(|_| ())
}

/// Marks all notifications as read, and returns how many were unread. Notifications that are created concurrently stay
/// unread.
pub async fn read_all(app: &App, user: UserId) -> Result<u64> {
    let mut backoff = Backoff::new(ATTEMPTS);
    let (mut tally, mut notes) = tokio::try_join!(tally::of(app, user), missed::of(app, user))?;
    notes.retain(Note::is_unread);
    missed::read(app, user, &notes).await?;
    let marked = loop {
        if tally.unread_notifications == 0 {
            break 0;
        }
        let Some(update) = tally::all_read(user, &tally, app.now()) else {
            break 0;
        };
        match update.send(app).await? {
            Written::Done(_) => break tally.unread_notifications,
            Written::Refused(item) => tally = tally::decode(&item)?,
        }
        backoff.wait("marking all notifications").await?;
    };
    Ok(marked + notes.len() as u64)
}
