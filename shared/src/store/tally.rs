//! Tallies: the exact counts of a person's mails, per list, and notifications.
//!
//! A count only changes in the transaction that changes what is counted, so it cannot drift, and nothing ever has to be
//! counted. The tally also orders notifications: it holds the newest one, and no new one may come before it.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use uuid::Uuid;

use super::item::{Item, bytes, number};
use super::keys;
use super::table::{self, Consistency, Update};
use crate::App;
use crate::domain::ids::{NotificationId, UserId};
use crate::domain::mail::{Count, Folder, Listing};
use crate::domain::time::Timestamp;
use crate::error::Result;

/// The attributes of a tally.
mod attribute {
    /// The newest notification. `nr` beside it is the newest one when all were marked as read, for conditions.
    pub(super) const NEWEST: &str = "nn";
    /// When all were last marked as read, and the times before: 24 bytes each, the newest notification and the moment.
    pub(super) const ALL_READ: &str = "nra";
    /// Notifications.
    pub(super) const NOTIFICATIONS: &str = "nt";
    /// Those that are unread.
    pub(super) const UNREAD_NOTIFICATIONS: &str = "nu";
    /// The prefix of the counts per type.
    pub(super) const OF_TYPE: &str = "n#";
}

/// A person's counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    mail: BTreeMap<Count, u64>,
    /// How many notifications.
    pub notifications: u64,
    /// How many of them are unread.
    pub unread_notifications: u64,
    /// How many of each type, without zeros.
    pub by_type: BTreeMap<String, u64>,
    /// The newest notification ever.
    pub newest: Option<NotificationId>,
    /// The last times that all notifications were marked as read, in order.
    all_read: Vec<AllRead>,
}

/// How many of those times are kept. Notifications read at an earlier time show the oldest one that is kept.
const MOST_REMEMBERED: usize = 16;

/// A marking of all notifications up to one as read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct AllRead {
    up_to: NotificationId,
    at: Timestamp,
}

impl AllRead {
    const BYTES: usize = 24;

    fn to_bytes(self) -> Vec<u8> {
        [
            self.up_to.uuid().as_bytes(),
            &self.at.milliseconds().to_be_bytes()[..],
        ]
        .concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (id, at) = bytes.split_at_checked(16)?;
        Some(Self {
            up_to: NotificationId::from_uuid(Uuid::from_slice(id).ok()?),
            at: Timestamp::from_milliseconds(i64::from_be_bytes(at.try_into().ok()?)),
        })
    }
}

impl Tally {
    /// A count of mails.
    pub fn of(&self, count: Count) -> u64 {
        self.mail.get(&count).copied().unwrap_or_default()
    }

    /// How many mails are unread and not archived.
    pub fn unread_mails(&self) -> u64 {
        let archived = Count::Listed(Listing {
            folder: Folder::Archived,
            unread_only: true,
        });
        self.of(Count::Unread).saturating_sub(self.of(archived))
    }

    /// When a notification was read by marking all of them; none if it was not.
    pub(super) fn read_with_all(&self, id: NotificationId) -> Option<Timestamp> {
        let all_read = self.all_read.iter().find(|all_read| id <= all_read.up_to)?;
        Some(all_read.at)
    }

    /// The newest notification that was read by marking all of them.
    pub(super) fn all_read_to(&self) -> Option<NotificationId> {
        Some(self.all_read.last()?.up_to)
    }
}

/// A person's current counts.
pub async fn of(app: &App, user: UserId) -> Result<Tally> {
    let item = table::get(app, &keys::tally(user), Consistency::Strong).await?;
    item.as_ref().map_or(Ok(Tally::default()), decode)
}

pub(super) fn decode(item: &Item) -> Result<Tally> {
    let mut tally = Tally {
        notifications: item.find_number(attribute::NOTIFICATIONS)?.unwrap_or_default(),
        unread_notifications: item
            .find_number(attribute::UNREAD_NOTIFICATIONS)?
            .unwrap_or_default(),
        newest: item.find_id(attribute::NEWEST)?.map(NotificationId::from_uuid),
        ..Tally::default()
    };
    let all_read = item.find_bytes(attribute::ALL_READ).unwrap_or_default();
    tally
        .all_read
        .extend(all_read.chunks(AllRead::BYTES).filter_map(AllRead::from_bytes));
    for count in Count::all() {
        tally
            .mail
            .extend(item.find_number(&name(count))?.map(|number| (count, number)));
    }
    for attribute in item.0.keys() {
        if let Some(of_type) = attribute.strip_prefix(attribute::OF_TYPE) {
            let many: u64 = item.get_number(attribute)?;
            tally
                .by_type
                .extend((many > 0).then(|| (of_type.to_owned(), many)));
        }
    }
    Ok(tally)
}

/// The attribute of a mail count.
fn name(count: Count) -> String {
    let (name, unread) = match count {
        Count::Total => ("mt", ""),
        Count::Unread => ("mu", ""),
        Count::Received => ("mr", ""),
        Count::Listed(listing) => {
            let name = match listing.folder {
                Folder::Inbox => "mi",
                Folder::Sent => "ms",
                Folder::Starred => "mx",
                Folder::Archived => "ma",
            };
            (name, if listing.unread_only { "u" } else { "" })
        }
    };
    format!("{name}{unread}")
}

/// A change of a tally, as part of the transaction that causes it.
#[derive(Clone, Debug, Default)]
pub(super) struct Delta {
    counts: BTreeMap<String, i64>,
    newest: Option<NotificationId>,
    insists_unread: Option<NotificationId>,
}

impl Delta {
    /// A mail moves from some counts to others.
    pub(super) fn mail(mut self, before: &BTreeSet<Count>, after: &BTreeSet<Count>) -> Self {
        for gone in before.difference(after) {
            self.add(name(*gone), -1);
        }
        for new in after.difference(before) {
            self.add(name(*new), 1);
        }
        self
    }

    /// A notification was added; refused unless it is newer than all others.
    pub(super) fn notified(mut self, id: NotificationId, of_type: &str) -> Self {
        self.add(attribute::NOTIFICATIONS.to_owned(), 1);
        self.add(attribute::UNREAD_NOTIFICATIONS.to_owned(), 1);
        self.add(format!("{}{of_type}", attribute::OF_TYPE), 1);
        self.newest = Some(id);
        self
    }

    /// An unread notification was read; refused if all were marked as read concurrently.
    pub(super) fn read(mut self, id: NotificationId) -> Self {
        self.add(attribute::UNREAD_NOTIFICATIONS.to_owned(), -1);
        self.insists_unread = Some(self.insists_unread.map_or(id, |known| known.min(id)));
        self
    }

    /// A notification was deleted.
    pub(super) fn forgotten(mut self, of_type: &str) -> Self {
        self.add(attribute::NOTIFICATIONS.to_owned(), -1);
        self.add(format!("{}{of_type}", attribute::OF_TYPE), -1);
        self
    }

    fn add(&mut self, name: String, difference: i64) {
        *self.counts.entry(name).or_default() += difference;
    }

    /// The update of a user's tally; none if nothing changes.
    pub(super) fn update(self, user: UserId) -> Option<Update> {
        let counts: Vec<(String, i64)> = self.counts.into_iter().filter(|(_, by)| *by != 0).collect();
        if counts.is_empty() && self.newest.is_none() && self.insists_unread.is_none() {
            return None;
        }
        let mut values: Vec<(String, AttributeValue)> = Vec::new();
        let (mut expression, mut conditions) = (String::new(), Vec::new());
        if let Some(newest) = self.newest {
            expression.push_str("SET nn = :newest ");
            conditions.push("(attribute_not_exists(nn) OR nn < :newest)");
            values.push((":newest".to_owned(), id(newest)));
        }
        if let Some(unread) = self.insists_unread {
            conditions.push("(attribute_not_exists(nr) OR nr < :unread)");
            values.push((":unread".to_owned(), id(unread)));
        }
        let additions: Vec<String> = (0..counts.len())
            .map(|index| format!("#c{index} :c{index}"))
            .collect();
        if !additions.is_empty() {
            expression.push_str("ADD ");
            expression.push_str(&additions.join(", "));
        }
        let mut update = Update::new(keys::tally(user), expression.trim_end());
        if !conditions.is_empty() {
            update = update.only_if(conditions.join(" AND "));
        }
        for (index, (name, by)) in counts.into_iter().enumerate() {
            update = update.name(&format!("#c{index}"), name);
            values.push((format!(":c{index}"), number(by)));
        }
        for (name, value) in values {
            update = update.value(&name, value);
        }
        Some(update)
    }
}

/// Marks all existing notifications as read in one write, up to the newest. Refused if the tally has changed since it
/// was read, so that their number is known.
pub(super) fn all_read(user: UserId, tally: &Tally, at: Timestamp) -> Option<Update> {
    let newest = tally.newest?;
    let mut times = tally.all_read.clone();
    times.push(AllRead { up_to: newest, at });
    let remembered = times.len().saturating_sub(MOST_REMEMBERED);
    let times: Vec<u8> = times
        .into_iter()
        .skip(remembered)
        .flat_map(AllRead::to_bytes)
        .collect();
    let update = Update::new(keys::tally(user), "SET nr = :newest, nra = :times, nu = :zero")
        .only_if("nn = :newest AND nu = :unread")
        .value(":newest", id(newest))
        .value(":times", bytes(times))
        .value(":zero", number(0))
        .value(":unread", number(tally.unread_notifications));
    Some(update)
}

fn id(id: NotificationId) -> AttributeValue {
    bytes(id.uuid().as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(milliseconds: i64) -> Timestamp {
        Timestamp::from_milliseconds(1_768_473_000_000 + milliseconds)
    }

    #[test]
    fn a_notification_is_read_since_the_first_time_that_all_were() {
        let ids: Vec<NotificationId> = (0..4).map(|at| NotificationId::last_of(moment(at))).collect();
        let mut tally = Tally::default();
        assert_eq!(tally.read_with_all(ids[0]), None);
        for (number, at) in [(1, 10), (2, 20)] {
            let up_to = ids[number];
            let written = AllRead {
                up_to,
                at: moment(at),
            };
            let read = AllRead::from_bytes(&written.to_bytes());
            tally.all_read.extend(read);
        }
        let since: Vec<Option<Timestamp>> = ids.iter().map(|id| tally.read_with_all(*id)).collect();
        assert_eq!(
            since,
            [Some(moment(10)), Some(moment(10)), Some(moment(20)), None]
        );
        assert_eq!(tally.all_read_to(), Some(ids[2]));
    }
}
