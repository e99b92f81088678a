//! Restoring the end of the chain after it was lost.

use serde_json::json;

use super::anchors::{self, Anchor};
use super::entries::{LAST, day_after, entries, newest, number_of, verified};
use super::head::{End, end};
use super::{Act, Last, Pending, Position, codec, keys_of};
use crate::App;
use crate::domain::audit::{Actor, Severity, Target, hex};
use crate::domain::day::Day;
use crate::domain::ids::UserId;
use crate::error::Result;
use crate::store::Worker;
use crate::store::table::{Backoff, Transacted, Transaction};

/// How many entries are read at once.
const CHUNK: u32 = 500;

/// The actor of a restoration: whoever may invoke the function. The AWS logs identify them; there is no token.
const OPERATOR: &str = "operator";

/// Restores the end of the chain if it is lost: from the newest anchor, and the entries after it as long as each refers
/// to the previous one and is signed. The restoration is itself recorded, in the same transaction.
///
/// If entries before the anchor are missing, the log continues from the anchor and stays invalid at that position, so
/// that the loss remains visible.
/// that they are gone must not be forgotten.
pub async fn restore(app: &App, _: Worker) -> Result<()> {
    let mut backoff = Backoff::new(super::ATTEMPTS);
    loop {
        let lost = end(app).await?;
        let End::Lost(loss) = &lost else { return Ok(()) };
        let how = loss.how;
        let today = Day::of(app.now());
        let anchor = anchors::of_days(app, today, today).await?.newest;
        let last = walk(app, anchor).await?;
        let metadata = json!({
            "loss": format!("the end of the audit log {how}"),
            "anchored_through": anchor.map(|anchor| position(anchor.position)),
            "restored_through": last.position.map(position),
            "previous_hash": hex(&last.hash),
        });
        let act = Act::read("audit.restore", Target::all("audit"), metadata).weighing(Severity::Critical);
        let operator = Actor {
            id: UserId::from_uuid(uuid::Uuid::nil()),
            email: None,
            roles: vec![OPERATOR.to_owned()],
        };
        let last = behind_everything(app, last).await?;
        let pending = Pending::following(app, lost, last, &operator, &act)?;
        let (transaction, _) = pending.join(Transaction::default());
        match transaction.send(app).await? {
            Transacted::Done => return Ok(()),
            Transacted::Refused(_) => backoff.wait("restoring the end of the audit log").await?,
        }
    }
}

fn position(position: Position) -> serde_json::Value {
    json!({ "day": position.day, "number": position.number })
}

/// Follows the chain from an anchor, or from the beginning, as far as it is intact.
async fn walk(app: &App, anchor: Option<Anchor>) -> Result<Last> {
    let keys = keys_of(app)?;
    let mut last = Last {
        hash: anchor.map(|anchor| anchor.hash).unwrap_or_default(),
        at: None,
        position: anchor.map(|anchor| anchor.position),
    };
    let first = match anchor {
        Some(anchor) => Some(anchor.position.day),
        None => day_after(app, Day::default()).await?,
    };
    let mut next = first;
    while let Some(day) = next {
        let mut number = match last.position {
            Some(position) if position.day == day => position.number + 1,
            _ => 1,
        };
        loop {
            let items = entries(day, number, LAST).limit(CHUNK).all(app).await?;
            for item in &items {
                let Ok(entry) = codec::decode(item) else {
                    return Ok(last);
                };
                let follows = number_of(item)? == number && entry.previous_hash == hex(&last.hash);
                let Some(hash) = verified(keys, item, &entry).filter(|_| follows) else {
                    return Ok(last);
                };
                last = Last {
                    hash,
                    at: Some(entry.at),
                    position: Some(Position { day, number }),
                };
                number += 1;
            }
            if items.len() < CHUNK as usize {
                break;
            }
        }
        next = day_after(app, day).await?;
    }
    Ok(last)
}

/// The same last entry, but with a position after every item of the table: if entries were forged or left over, the
/// next entry comes after them.
async fn behind_everything(app: &App, last: Last) -> Result<Last> {
    let at = last.at.map_or(app.now(), |at| app.now().max(at));
    let day = last
        .position
        .map_or(Day::of(at), |position| position.day.max(Day::of(at)));
    let taken = newest(app, day).await?.as_ref().map(number_of).transpose()?;
    let known = last
        .position
        .filter(|position| position.day == day)
        .map(|position| position.number);
    Ok(Last {
        at: Some(at.max(day.start())),
        position: taken.max(known).map(|number| Position { day, number }),
        ..last
    })
}
