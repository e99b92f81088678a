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

/// How many entries a list looks at before it lets the client go on with a cursor.
const MOST_LISTED: usize = 1_000;
/// How many entries a list reads at once.
const PAGE: u32 = 100;

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
    pub entries: Vec<(Position, AuditEntry)>,
    /// Where to go on; none at the end.
    pub next: Option<Position>,
}

/// Entries before a position, newest first. A page may be short though there is more: a request looks at no more than
/// a thousand entries for those that the filter wants.
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
