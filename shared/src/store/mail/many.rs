//! Many mails of one user, changed at once.

use super::super::table::{Transacted, Transaction};
use super::super::tally::Delta;
use super::{Correspondent, TOGETHER, counted, notifications_of};
use crate::App;
use crate::domain::ids::MessageId;
use crate::domain::mail::Change;
use crate::error::Result;

/// Changes the flags of many mails of one user: for each what went wrong, in the order in which they were given.
///
/// All of them change one tally, so transactions of one mail each would stand in each other's way. Several mails are
/// one transaction instead; if something has changed meanwhile, each of them is tried alone.
pub async fn change_many(
    app: &App,
    mails: Vec<Correspondent>,
    change: Change,
) -> Result<Vec<(MessageId, Result<()>)>> {
    let now = app.now();
    let mut results = Vec::with_capacity(mails.len());
    let is_done = |mail: &Correspondent| mail.flags.changed(change, now) == mail.flags;
    let (done, left): (Vec<_>, Vec<_>) = mails.into_iter().partition(is_done);
    results.extend(done.into_iter().map(|mail| (mail.content.id, Ok(()))));
    let read = left
        .iter()
        .filter(|mail| mail.is_read_by(mail.flags.changed(change, now)));
    let (notes, tally) = notifications_of(app, read).await?;
    for together in left.chunks(TOGETHER) {
        let (mut transaction, mut delta) = (Transaction::default(), Delta::default());
        for mail in together {
            let next = mail.flags.changed(change, now);
            transaction = mail.write(transaction, next);
            delta = mail.count(delta, next);
            if let Some(note) = notes.get(&mail.content.id) {
                (transaction, delta) = note.read_in(transaction, delta, (mail.user, &tally), now);
            }
        }
        let transaction = match together.first() {
            Some(mail) => counted(transaction, delta, mail.user),
            None => transaction,
        };
        if matches!(transaction.send(app).await, Ok(Transacted::Done)) {
            results.extend(together.iter().map(|mail| (mail.content.id, Ok(()))));
            continue;
        }
        for mail in together {
            results.push((mail.content.id, change_alone(app, mail.clone(), change).await));
        }
    }
    Ok(results)
}

async fn change_alone(app: &App, mail: Correspondent, change: Change) -> Result<()> {
    let mail = mail.again(app).await?;
    super::change(app, mail, change, async |_| Ok(()))
        .await
        .map(|_| ())
}
