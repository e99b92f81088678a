//! Computing the chain again, and comparing it with the anchors.

use std::time::Duration;

use super::anchors::{self, Anchors};
use super::entries::{LAST, day_after, day_before, days, entries, following, newest, number_of, verified};
use super::head::{End, end};
use super::{Position, codec, keys_of};
use crate::App;
use crate::auth::Permit;
use crate::domain::audit::{AuditAnchor, AuditEntry, Break, Hash, hex};
use crate::domain::day::Day;
use crate::domain::permission::AuditView;
use crate::domain::time::Timestamp;
use crate::error::{Error, Result};
use crate::store::item::Item;

/// How many entries one request computes again.
const MOST_VERIFIED: u64 = 100_000;
/// How many are read at once.
const CHUNK: u32 = 500;
/// How long an entry may be without an anchor before the verdict speaks of it. The chore runs every minute.
const LONGEST_UNANCHORED: Duration = Duration::from_mins(20);

/// What verifying the log comes to.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// How many entries were looked at.
    pub checked: u64,
    /// The first that is not as it must be.
    pub first_invalid: Option<Break>,
    /// The newest position that is anchored outside the table.
    pub anchored_through: Option<AuditAnchor>,
    /// What an auditor has to know, in sentences.
    pub problem: Option<String>,
}

/// Computes the chain again, over whole days and the seams before and behind them, and compares it with every anchor
/// of those days, and the end of the chain with the newest anchor of all.
///
/// # Errors
/// 422 if there are too many entries to do so in one request.
pub async fn verify(app: &App, _: &Permit<AuditView>, first: Day, last: Day) -> Result<Verdict> {
    // The anchors before the end of the chain: what is anchored is in the chain already.
    let anchors = anchors::of_days(app, first, last).await?;
    let mut check = Check {
        end: end(app).await?,
        anchors,
        checked: 0,
        previous: Hash::default(),
        at: None,
    };
    if let Some((position, hash)) = last_before(app, first).await? {
        check.previous = hash;
        check.at = Some(position);
    }
    let found = check.chain(app, first, last).await?;
    let first_invalid = check.first_of(found, last);
    let mut problems = Vec::new();
    if let End::Lost(loss) = &check.end {
        problems.push(format!(
            "The end of the log {}. Nothing that is audited can be done until an operator restores it.",
            loss.how
        ));
    }
    if let Some(found) = &first_invalid {
        problems.push(format!(
            "Entry {} of {} {}.",
            found.number, found.day, found.reason
        ));
    }
    if let Some(since) = check.unanchored_since(app).await? {
        problems.push(format!(
            "Entries since {since} have no anchor: the chore anchor_audit does not run."
        ));
    }
    if check.anchors.strange > 0 {
        problems.push(format!(
            "{} objects among the anchors were not written by the chore anchor_audit.",
            check.anchors.strange
        ));
    }
    let anchored_through = check.anchors.newest.map(|anchor| AuditAnchor {
        day: anchor.position.day,
        number: anchor.position.number,
    });
    Ok(Verdict {
        checked: check.checked,
        first_invalid,
        anchored_through,
        problem: (!problems.is_empty()).then(|| problems.join(" ")),
    })
}

/// A chain that is being computed again.
struct Check {
    end: End,
    /// The anchors, without those whose entries were found.
    anchors: Anchors,
    checked: u64,
    /// The hash of the entry before.
    previous: Hash,
    /// Where that is.
    at: Option<Position>,
}

impl Check {
    /// Checks the entries of days, and what follows on the last of them.
    async fn chain(&mut self, app: &App, first: Day, last: Day) -> Result<Option<Break>> {
        for day in days(app, first, last).await? {
            if let Some(found) = self.day(app, day).await? {
                return Ok(Some(found));
            }
        }
        self.seam(app, last).await
    }

    /// The first of all that is wrong: what was found, or an anchored entry before it that is not there. If all that
    /// is wrong is the lost end, it is said of the position behind the last entry.
    fn first_of(&self, found: Option<Break>, last: Day) -> Option<Break> {
        let position = |found: &Break| Position {
            day: found.day,
            number: found.number,
        };
        let gone = self.anchors.within.keys().next().copied();
        let gone = gone.filter(|gone| found.as_ref().is_none_or(|found| *gone <= position(found)));
        if let Some(gone) = gone {
            return Some(broken(gone, None, "is missing, though an anchor tells of it"));
        }
        if found.is_some() {
            return found;
        }
        let newest = self.anchors.newest.map(|anchor| anchor.position);
        match &self.end {
            End::At(head) => newest
                .filter(|newest| *newest > head.position)
                .map(|newest| broken(newest, None, "is missing, though an anchor tells of it")),
            End::NotBegun => {
                newest.map(|newest| broken(newest, None, "is missing, though an anchor tells of it"))
            }
            End::Lost(_) => {
                let at = self.at.max(newest).unwrap_or(Position { day: last, number: 0 });
                let behind = Position {
                    number: at.number + 1,
                    ..at
                };
                Some(broken(behind, None, "may be missing: the end of the log is lost"))
            }
        }
    }

    /// Checks the entries of a day.
    async fn day(&mut self, app: &App, day: Day) -> Result<Option<Break>> {
        let mut number = 1;
        loop {
            let items = entries(day, number, LAST).limit(CHUNK).all(app).await?;
            for item in &items {
                let position = Position { day, number };
                if number_of(item)? != number {
                    return Ok(Some(missing(position)));
                }
                if let Some(found) = self.entry(app, position, item).await? {
                    return Ok(Some(found));
                }
                number += 1;
            }
            if items.len() < CHUNK as usize {
                break;
            }
        }
        Ok((number == 1).then(|| missing(Position { day, number })))
    }

    /// Checks one entry; from then on it is the one before.
    async fn entry(&mut self, app: &App, position: Position, item: &Item) -> Result<Option<Break>> {
        let Ok(entry) = codec::decode(item) else {
            return Ok(Some(broken(position, None, "cannot be read")));
        };
        if self.checked >= MOST_VERIFIED {
            let reason = format!("names a range of more than {MOST_VERIFIED} entries; ask about fewer days");
            return Err(Error::invalid("from", "too_broad", reason));
        }
        self.checked += 1;
        let anchored = self.anchors.within.remove(&position).unwrap_or_default();
        let reason = if entry.previous_hash != hex(&self.previous) {
            "does not refer to the entry before it"
        } else if let Some(hash) = verified(keys_of(app)?, item, &entry) {
            self.previous = hash;
            if anchored.iter().any(|anchored| *anchored != hash) {
                "is not the entry that an anchor tells of"
            } else if Day::of(entry.at) != position.day {
                "stands under another day"
            } else if !self.reaches(app, position).await? {
                "stands behind the end of the log"
            } else {
                self.at = Some(position);
                return Ok(None);
            }
        } else {
            "is not what was written"
        };
        Ok(Some(broken(position, Some(&entry), reason)))
    }

    /// Whether the chain reaches as far; it may have grown meanwhile.
    async fn reaches(&mut self, app: &App, position: Position) -> Result<bool> {
        let reaches = |end: &End| match end {
            End::At(head) => head.position >= position,
            End::NotBegun => false,
            // How far it reached nobody knows.
            End::Lost(_) => true,
        };
        if !reaches(&self.end) {
            self.end = end(app).await?;
        }
        Ok(reaches(&self.end))
    }

    /// Checks what follows on the last entry: that of a later day refers to it, or it is the end of the chain.
    async fn seam(&mut self, app: &App, last: Day) -> Result<Option<Break>> {
        if let Some(day) = day_after(app, last).await? {
            let position = Position { day, number: 1 };
            let items = entries(day, 1, 1).all(app).await?;
            return Ok(match items.first().map(codec::decode) {
                None => Some(missing(position)),
                Some(Err(_)) => Some(broken(position, None, "cannot be read")),
                Some(Ok(entry)) if entry.previous_hash != hex(&self.previous) => Some(broken(
                    position,
                    Some(&entry),
                    "does not refer to the entry before it",
                )),
                Some(Ok(_)) => None,
            });
        }
        Ok(match (&self.end, self.at) {
            (End::NotBegun, None) | (End::Lost(_), _) => None,
            (End::NotBegun, Some(at)) => Some(broken(at, None, "stands behind the end of the log")),
            (End::At(head), at) if at == Some(head.position) && head.hash == self.previous => None,
            (End::At(head), _) => Some(missing(head.position)),
        })
    }

    /// When the first entry was written that has no anchor, if that is too long ago.
    async fn unanchored_since(&self, app: &App) -> Result<Option<Timestamp>> {
        let position = match self.anchors.newest {
            Some(anchor) => anchor.position,
            None => Position {
                day: Day::default(),
                number: 0,
            },
        };
        let Some(item) = following(app, position).await? else {
            return Ok(None);
        };
        let at = codec::decode(&item).map(|entry| entry.at).ok();
        Ok(at.filter(|at| app.now().since(*at) > LONGEST_UNANCHORED))
    }
}

fn missing(position: Position) -> Break {
    broken(position, None, "is missing")
}

fn broken(position: Position, entry: Option<&AuditEntry>, reason: &str) -> Break {
    Break {
        day: position.day,
        number: position.number,
        id: entry.map(|entry| entry.id),
        reason: reason.to_owned(),
    }
}

/// The last entry before a day, and its hash; zeros if it is not what was written, to which nothing refers.
async fn last_before(app: &App, day: Day) -> Result<Option<(Position, Hash)>> {
    let Some(day) = day_before(app, day).await? else {
        return Ok(None);
    };
    let Some(item) = newest(app, day).await? else {
        return Ok(None);
    };
    let number = number_of(&item)?;
    let entry = codec::decode(&item).ok();
    let keys = keys_of(app)?;
    let hash = entry.and_then(|entry| verified(keys, &item, &entry));
    Ok(Some((Position { day, number }, hash.unwrap_or_default())))
}
