//! Verifying the chain, and comparing it with the anchors.

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

/// The maximum number of entries that one request verifies.
const MOST_VERIFIED: u64 = 100_000;
/// How many are read at once.
const CHUNK: u32 = 500;
/// How long an entry may be without an anchor before the verdict mentions it. The chore runs every minute.
const LONGEST_UNANCHORED: Duration = Duration::from_mins(20);

/// The result of a verification.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// How many entries were verified.
    pub checked: u64,
    /// The first invalid entry.
    pub first_invalid: Option<Break>,
    /// The newest anchored position.
    pub anchored_through: Option<AuditAnchor>,
    /// Problems for the auditor, as sentences.
    pub problem: Option<String>,
}

/// Recomputes the chain over whole days, including the links to the days before and after, and compares it with every
/// anchor of those days, and its end with the newest anchor.
///
/// # Errors
/// 422 if there are too many entries for one request.
pub async fn verify(app: &App, _: &Permit<AuditView>, first: Day, last: Day) -> Result<Verdict> {
    // The anchors before the end of the chain: what is anchored is already in the chain.
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

/// A verification in progress.
struct Check {
    end: End,
    /// The anchors whose entries were not found yet.
    anchors: Anchors,
    checked: u64,
    /// The hash of the previous entry.
    previous: Hash,
    /// Its position.
    at: Option<Position>,
}

impl Check {
    /// Verifies the entries of some days, and what follows the last of them.
    async fn chain(&mut self, app: &App, first: Day, last: Day) -> Result<Option<Break>> {
        for day in days(app, first, last).await? {
            if let Some(found) = self.day(app, day).await? {
                return Ok(Some(found));
            }
        }
        self.seam(app, last).await
    }

    /// The first error: the one that was found, or an earlier anchored entry that is missing. A lost end alone is
    /// reported at the position after the last entry.
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

    /// Verifies the entries of a day.
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

    /// Verifies one entry, which becomes the previous one.
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

    /// Whether the chain reaches a position; it may have grown in the meantime.
    async fn reaches(&mut self, app: &App, position: Position) -> Result<bool> {
        let reaches = |end: &End| match end {
            End::At(head) => head.position >= position,
            End::NotBegun => false,
            // The end is lost, so it is unknown how far it reached.
            End::Lost(_) => true,
        };
        if !reaches(&self.end) {
            self.end = end(app).await?;
        }
        Ok(reaches(&self.end))
    }

    /// Verifies what follows the last entry: the entry of a later day that refers to it, or the end of the chain.
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

    /// When the first entry without an anchor was written, if that is too long ago.
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

/// The last entry before a day, and its hash; zeros if it is not authentic, since nothing refers to that.
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
