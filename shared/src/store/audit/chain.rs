//! Reading the audit log, and computing its chain again.

use serde::{Deserialize, Serialize};

use super::{Head, codec, head};
use crate::App;
use crate::auth::Permit;
use crate::domain::audit::{AuditEntry, Break, Hash, hex};
use crate::domain::day::Day;
use crate::domain::ids::UserId;
use crate::domain::permission::AuditView;
use crate::domain::time::Timestamp;
use crate::error::{Error, Result};
use crate::store::item::Item;
use crate::store::keys;
use crate::store::table::Query;

/// How many days one request may ask about.
pub const MOST_DAYS: i64 = 92;
/// How many entries a list looks at before it lets the client go on with a cursor.
const MOST_LISTED: usize = 1_000;
/// How many entries one request computes again.
const MOST_VERIFIED: u64 = 100_000;
/// How many entries a list reads at once.
const PAGE: u32 = 100;
/// How many are computed again at once.
const CHUNK: u32 = 500;
/// Behind every number.
const LAST: u64 = 999_999_999_999;

/// A place in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    day: Day,
    number: u64,
}

/// Which entries a list shows.
#[derive(Clone, Debug)]
pub struct Filter {
    /// From when on.
    pub from: Timestamp,
    /// Until when; this moment is not in it.
    pub to: Timestamp,
    /// Whose acts.
    pub actor: Option<UserId>,
    /// Which acts.
    pub action: Option<String>,
}

impl Filter {
    fn holds(&self, entry: &AuditEntry) -> bool {
        entry.at < self.to
            && self.actor.is_none_or(|actor| entry.actor.id == actor)
            && self.action.as_ref().is_none_or(|action| entry.action == *action)
    }
}

/// Some entries, newest first.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The entries.
    pub entries: Vec<AuditEntry>,
    /// Where to go on; none at the end.
    pub next: Option<Place>,
}

/// Entries in front of a place, newest first. A page may be short though there is more: a filter that fits little is
/// not looked after without end.
pub async fn list(
    app: &App,
    _: &Permit<AuditView>,
    filter: &Filter,
    before: Option<Place>,
    limit: usize,
) -> Result<Page> {
    let last = Day::of(Timestamp::from_milliseconds(filter.to.milliseconds() - 1));
    let last = before.map_or(last, |place| last.min(place.day));
    let mut days = days(app, Day::of(filter.from), last).await?;
    days.reverse();
    let (mut page, mut examined) = (Page::default(), 0);
    for day in days {
        let mut end = match before {
            Some(place) if place.day == day => place.number.saturating_sub(1),
            _ => LAST,
        };
        while end > 0 {
            let items = entries(day, 1, end)
                .newest_first(true)
                .limit(PAGE)
                .all(app)
                .await?;
            if items.is_empty() {
                break;
            }
            for item in &items {
                if page.entries.len() >= limit || examined >= MOST_LISTED {
                    page.next = Some(Place { day, number: end + 1 });
                    return Ok(page);
                }
                let entry = codec::decode(item)?;
                examined += 1;
                end = number_of(item)?.saturating_sub(1);
                if entry.at < filter.from {
                    return Ok(page);
                }
                if filter.holds(&entry) {
                    page.entries.push(entry);
                }
            }
        }
    }
    Ok(page)
}

/// What computing a chain again comes to.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// How many entries were looked at.
    pub checked: u64,
    /// The first that is not as it must be.
    pub first_invalid: Option<Break>,
}

/// Computes the chain again, over whole days and the seams before and behind them.
///
/// # Errors
/// 422 if there are too many entries to do so in one request.
pub async fn verify(app: &App, _: &Permit<AuditView>, first: Day, last: Day) -> Result<Verdict> {
    let mut check = Check {
        head: head(app).await?,
        verdict: Verdict::default(),
        previous: Hash::default(),
        at: None,
    };
    if let Some((place, hash)) = last_before(app, first).await? {
        check.previous = hash;
        check.at = Some(place);
    }
    for day in days(app, first, last).await? {
        if let Some(found) = check.day(app, day).await? {
            check.verdict.first_invalid = Some(found);
            return Ok(check.verdict);
        }
    }
    check.verdict.first_invalid = check.seam(app, last).await?;
    Ok(check.verdict)
}

/// A chain that is being computed again.
struct Check {
    /// The end of the chain.
    head: Option<Head>,
    verdict: Verdict,
    /// The hash of the entry in front.
    previous: Hash,
    /// Where that is.
    at: Option<Place>,
}

impl Check {
    /// Checks the entries of a day.
    async fn day(&mut self, app: &App, day: Day) -> Result<Option<Break>> {
        let mut number = 1;
        loop {
            let items = entries(day, number, LAST).limit(CHUNK).all(app).await?;
            for item in &items {
                if number_of(item)? != number {
                    return Ok(Some(missing(day, number)));
                }
                if let Some(found) = self.entry(app, day, number, item).await? {
                    return Ok(Some(found));
                }
                number += 1;
            }
            if items.len() < CHUNK as usize {
                break;
            }
        }
        Ok((number == 1).then(|| missing(day, 1)))
    }

    /// Checks one entry; from then on it is the one in front.
    async fn entry(&mut self, app: &App, day: Day, number: u64, item: &Item) -> Result<Option<Break>> {
        let Ok(entry) = codec::decode(item) else {
            return Ok(Some(broken(day, number, None, "cannot be read")));
        };
        let place = Place { day, number };
        if self.verdict.checked >= MOST_VERIFIED {
            let reason = format!("names a range of more than {MOST_VERIFIED} entries; ask about fewer days");
            return Err(Error::invalid("from", "too_broad", reason));
        }
        self.verdict.checked += 1;
        let reason = if entry.previous_hash != hex(&self.previous) {
            Some("does not refer to the entry in front of it")
        } else if entry.hash != hex(&entry.computed_hash()) {
            Some("is not what was written")
        } else if Day::of(entry.at) != day {
            Some("stands under another day")
        } else if !self.reaches(app, place).await? {
            Some("stands behind the end of the log")
        } else {
            None
        };
        self.previous = entry.computed_hash();
        self.at = Some(place);
        Ok(reason.map(|reason| broken(day, number, Some(&entry), reason)))
    }

    /// Whether the chain reaches as far; it may have grown meanwhile.
    async fn reaches(&mut self, app: &App, place: Place) -> Result<bool> {
        let reaches = |head: Option<Head>| head.is_some_and(|head| end_of(head) >= place);
        if !reaches(self.head) {
            self.head = head(app).await?;
        }
        Ok(reaches(self.head))
    }

    /// Checks what follows on the last entry: that of a later day refers to it, or it is the end of the chain.
    async fn seam(&mut self, app: &App, last: Day) -> Result<Option<Break>> {
        let found = match last.next() {
            Some(next) => {
                let later = Query::between(keys::AUDIT_DAYS.to_owned(), next.to_string(), "~");
                later.limit(1).all(app).await?
            }
            None => Vec::new(),
        };
        if let Some(day) = found.first() {
            let day = day_of(day)?;
            let items = entries(day, 1, 1).all(app).await?;
            return Ok(match items.first().map(codec::decode) {
                None => Some(missing(day, 1)),
                Some(Err(_)) => Some(broken(day, 1, None, "cannot be read")),
                Some(Ok(entry)) if entry.previous_hash != hex(&self.previous) => Some(broken(
                    day,
                    1,
                    Some(&entry),
                    "does not refer to the entry in front of it",
                )),
                Some(Ok(_)) => None,
            });
        }
        Ok(match (self.head, self.at) {
            (None, None) => None,
            (None, Some(at)) => Some(broken(
                at.day,
                at.number,
                None,
                "stands behind the end of the log",
            )),
            (Some(head), at) if Some(end_of(head)) == at && head.hash == self.previous => None,
            (Some(head), _) => Some(missing(head.day, head.number)),
        })
    }
}

fn end_of(head: Head) -> Place {
    Place {
        day: head.day,
        number: head.number,
    }
}

fn missing(day: Day, number: u64) -> Break {
    broken(day, number, None, "is missing")
}

fn broken(day: Day, number: u64, entry: Option<&AuditEntry>, reason: &str) -> Break {
    Break {
        day,
        number,
        id: entry.map(|entry| entry.id),
        reason: reason.to_owned(),
    }
}

/// The last entry before a day, and its hash.
async fn last_before(app: &App, day: Day) -> Result<Option<(Place, Hash)>> {
    let Some(previous) = day.previous() else {
        return Ok(None);
    };
    let earlier = Query::between(keys::AUDIT_DAYS.to_owned(), "0", previous.to_string());
    let found = earlier.newest_first(true).limit(1).all(app).await?;
    let Some(day) = found.first().map(day_of).transpose()? else {
        return Ok(None);
    };
    let items = entries(day, 1, LAST).newest_first(true).limit(1).all(app).await?;
    let Some(item) = items.first() else {
        return Ok(None);
    };
    let number = number_of(item)?;
    let hash = codec::decode(item)
        .map(|entry| entry.computed_hash())
        .unwrap_or_default();
    Ok(Some((Place { day, number }, hash)))
}

/// The days of a range that have entries, in order.
async fn days(app: &App, first: Day, last: Day) -> Result<Vec<Day>> {
    if first > last {
        return Ok(Vec::new());
    }
    let query = Query::between(keys::AUDIT_DAYS.to_owned(), first.to_string(), last.to_string());
    query.all(app).await?.iter().map(day_of).collect()
}

fn day_of(item: &Item) -> Result<Day> {
    item.sort()?.parse().map_err(Error::internal)
}

/// Entries of a day, both ends included.
fn entries(day: Day, first: u64, last: u64) -> Query {
    Query::between(
        keys::audit_entries(day),
        keys::entry_sort(first),
        keys::entry_sort(last),
    )
}

fn number_of(item: &Item) -> Result<u64> {
    item.sort()?.parse().map_err(Error::internal)
}
