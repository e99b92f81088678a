//! Lists of entries, newest first.

use super::entries::{LAST, days, entries, number_of};
use super::{Position, codec};
use crate::App;
use crate::auth::Permit;
use crate::domain::audit::AuditEntry;
use crate::domain::day::Day;
use crate::domain::ids::UserId;
use crate::domain::permission::AuditView;
use crate::domain::time::Timestamp;
use crate::error::Result;

/// How many entries a request examines before it returns a cursor.
const MOST_LISTED: usize = 1_000;
/// How many entries are read at once.
const PAGE: u32 = 100;

/// Which entries a list shows.
#[derive(Clone, Debug)]
pub struct Filter {
    /// The beginning of the range.
    pub from: Timestamp,
    /// The end of the range, excluded.
    pub to: Timestamp,
    /// Only actions of this user.
    pub actor: Option<UserId>,
    /// Only this action.
    pub action: Option<String>,
}

impl Filter {
    fn holds(&self, entry: &AuditEntry) -> bool {
        entry.at < self.to
            && self.actor.is_none_or(|actor| entry.actor.id == actor)
            && self.action.as_ref().is_none_or(|action| entry.action == *action)
    }
}

/// A page of entries, newest first.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The entries.
    pub entries: Vec<(Position, AuditEntry)>,
    /// The position after which the list continues; none at the end.
    pub next: Option<Position>,
}

/// Entries before a position, newest first. A page may be short although there is more: a request examines at most a
/// thousand entries.
pub async fn list(
    app: &App,
    _: &Permit<AuditView>,
    filter: &Filter,
    before: Option<Position>,
    limit: usize,
) -> Result<Page> {
    let last = Day::of(Timestamp::from_milliseconds(filter.to.milliseconds() - 1));
    let last = before.map_or(last, |position| last.min(position.day));
    let mut days = days(app, Day::of(filter.from), last).await?;
    days.reverse();
    let (mut page, mut examined) = (Page::default(), 0);
    for day in days {
        let mut end = match before {
            Some(position) if position.day == day => position.number.saturating_sub(1),
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
                    page.next = Some(Position { day, number: end + 1 });
                    return Ok(page);
                }
                let entry = codec::decode(item)?;
                examined += 1;
                let number = number_of(item)?;
                end = number.saturating_sub(1);
                if entry.at < filter.from {
                    return Ok(page);
                }
                if filter.holds(&entry) {
                    page.entries.push((Position { day, number }, entry));
                }
            }
        }
    }
    Ok(page)
}
