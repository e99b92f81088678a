//! The flags of a mail, and what follows from them.
//!
//! The lists that a mail is in, and what it adds to the counts of a box, depend only on its flags: a change of flags is
//! the difference of two sets, so nothing can drift.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::moderation::ModerationStatus;
use crate::domain::time::Timestamp;

/// A side of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The sender's.
    Sender,
    /// The recipient's.
    Recipient,
    /// A mail to oneself has one box, with one set of flags.
    Both,
}

impl Side {
    fn sent(self) -> bool {
        self != Self::Recipient
    }

    fn received(self) -> bool {
        self != Self::Sender
    }
}

/// A mail folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Folder {
    /// Received mails that are not archived.
    #[default]
    Inbox,
    /// Sent mails, archived or not.
    Sent,
    /// Starred mails, archived or not.
    Starred,
    /// Archived mails, sent or received.
    Archived,
}

impl Folder {
    /// Every folder.
    pub const ALL: [Self; 4] = [Self::Inbox, Self::Sent, Self::Starred, Self::Archived];

    /// The name that clients use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Sent => "sent",
            Self::Starred => "starred",
            Self::Archived => "archived",
        }
    }
}

/// A list of mails: a folder, or the unread mails in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listing {
    /// The folder.
    pub folder: Folder,
    /// Whether it only has unread mails.
    pub unread_only: bool,
}

/// A count of a box: each mail adds one or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Count {
    /// Mails in the box.
    Total,
    /// Unread mails, in any folder.
    Unread,
    /// Received mails, archived or not.
    Received,
    /// Mails in a list.
    Listed(Listing),
}

impl Count {
    /// Every count.
    pub fn all() -> impl Iterator<Item = Self> {
        let listed = Folder::ALL.into_iter().flat_map(|folder| {
            [false, true].map(|unread_only| Self::Listed(Listing { folder, unread_only }))
        });
        [Self::Total, Self::Unread, Self::Received]
            .into_iter()
            .chain(listed)
    }

    /// The number of mails in a folder.
    pub const fn of(folder: Folder) -> Self {
        Self::Listed(Listing {
            folder,
            unread_only: false,
        })
    }
}

/// The flags of one side.
#[expect(clippy::struct_excessive_bools, reason = "they are flags")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags {
    /// Whether it is read.
    pub is_read: bool,
    /// When it was read.
    pub read_at: Option<Timestamp>,
    /// Whether it is starred.
    pub is_starred: bool,
    /// Whether it is archived.
    pub is_archived: bool,
    /// Whether it was deleted from this box.
    pub is_deleted: bool,
    /// The moderation status. It is the same on both sides, and is stored with the flags because those are read with
    /// strong consistency wherever a mail is shown: a blocked mail is hidden at once.
    pub moderation_status: ModerationStatus,
    /// Whether the mail was erased.
    pub is_erased: bool,
    /// The version, from 1; each change adds one.
    pub version: u64,
    /// When they last changed; none if they never did.
    pub updated_at: Option<Timestamp>,
}

/// Changes of flags; flags that are absent stay as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "MailFlags")]
pub struct Change {
    /// Whether it is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_read: Option<bool>,
    /// Whether it is starred.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_starred: Option<bool>,
    /// Whether it is archived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_archived: Option<bool>,
}

impl Change {
    /// Reads.
    pub const READ: Self = Self {
        is_read: Some(true),
        is_starred: None,
        is_archived: None,
    };
}

impl Flags {
    /// The flags of a new mail: for its sender it is read.
    pub fn untouched(side: Side) -> Self {
        Self {
            is_read: side == Side::Sender,
            read_at: None,
            is_starred: false,
            is_archived: false,
            is_deleted: false,
            moderation_status: ModerationStatus::Approved,
            is_erased: false,
            version: 1,
            updated_at: None,
        }
    }

    /// The flags after a change; if nothing changes, the same flags with the same version.
    #[must_use]
    pub fn changed(self, change: Change, now: Timestamp) -> Self {
        let is_read = change.is_read.unwrap_or(self.is_read);
        let read_at = match (is_read, self.is_read) {
            (true, true) => self.read_at,
            (true, false) => Some(now),
            (false, _) => None,
        };
        let next = Self {
            is_read,
            read_at,
            is_starred: change.is_starred.unwrap_or(self.is_starred),
            is_archived: change.is_archived.unwrap_or(self.is_archived),
            ..self
        };
        if next == self { self } else { next.next(now) }
    }

    /// The flags after deletion.
    #[must_use]
    pub fn deleted(self, now: Timestamp) -> Self {
        if self.is_deleted {
            return self;
        }
        Self {
            is_deleted: true,
            ..self
        }
        .next(now)
    }

    /// The flags after a change of the moderation status.
    #[must_use]
    pub fn moderated(self, status: ModerationStatus, now: Timestamp) -> Self {
        Self {
            moderation_status: status,
            ..self
        }
        .next(now)
    }

    /// The flags after erasure.
    #[must_use]
    pub fn erased(self, now: Timestamp) -> Self {
        Self {
            is_erased: true,
            ..self
        }
        .next(now)
    }

    /// Whether the content may be shown.
    pub fn shows_content(self) -> bool {
        self.moderation_status != ModerationStatus::Blocked && !self.is_erased
    }

    /// The next version. The time never decreases, whatever clock it came from.
    fn next(self, now: Timestamp) -> Self {
        Self {
            version: self.version + 1,
            updated_at: Some(self.updated_at.map_or(now, |before| before.max(now))),
            ..self
        }
    }

    /// The lists that the mail is in.
    pub fn listings(self, side: Side) -> BTreeSet<Listing> {
        let stands_in = |folder: &Folder| match folder {
            Folder::Inbox => side.received() && !self.is_archived,
            Folder::Sent => side.sent(),
            Folder::Starred => self.is_starred,
            Folder::Archived => self.is_archived,
        };
        let folders = Folder::ALL
            .into_iter()
            .filter(|folder| !self.is_deleted && stands_in(folder));
        let listings =
            folders.flat_map(|folder| [false, true].map(|unread_only| Listing { folder, unread_only }));
        listings
            .filter(|listing| !(listing.unread_only && self.is_read))
            .collect()
    }

    /// The counts that the mail adds one to.
    pub fn counts(self, side: Side) -> BTreeSet<Count> {
        let mut counts: BTreeSet<Count> = self.listings(side).into_iter().map(Count::Listed).collect();
        if !self.is_deleted {
            counts.insert(Count::Total);
            if !self.is_read {
                counts.insert(Count::Unread);
            }
            if side.received() {
                counts.insert(Count::Received);
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn side() -> impl Strategy<Value = Side> {
        prop_oneof![Just(Side::Sender), Just(Side::Recipient), Just(Side::Both)]
    }

    fn change() -> impl Strategy<Value = Change> {
        any::<(Option<bool>, Option<bool>, Option<bool>)>().prop_map(|(is_read, is_starred, is_archived)| {
            Change {
                is_read,
                is_starred,
                is_archived,
            }
        })
    }

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_milliseconds(milliseconds)
    }

    proptest! {
        #[test]
        fn a_mail_stands_where_its_flags_say_and_nowhere_else(side in side(), changes in prop::collection::vec(change(), 0..6)) {
            let mut flags = Flags::untouched(side);
            for change in changes {
                let before = flags;
                flags = flags.changed(change, at(1));
                prop_assert_eq!(flags.version == before.version, flags == before);
                prop_assert_eq!(flags.is_read, change.is_read.unwrap_or(before.is_read));
                prop_assert_eq!(flags.read_at.is_some() && !flags.is_read, false);
            }
            let listings = flags.listings(side);
            let in_folder = |folder| listings.contains(&Listing { folder, unread_only: false });
            prop_assert_eq!(in_folder(Folder::Inbox), side != Side::Sender && !flags.is_archived);
            prop_assert_eq!(in_folder(Folder::Sent), side != Side::Recipient);
            prop_assert_eq!(in_folder(Folder::Starred), flags.is_starred);
            prop_assert_eq!(in_folder(Folder::Archived), flags.is_archived);
            for folder in Folder::ALL {
                let unread = listings.contains(&Listing { folder, unread_only: true });
                prop_assert_eq!(unread, in_folder(folder) && !flags.is_read);
            }
            // Each list has a count.
            let counts = flags.counts(side);
            for listing in &listings {
                prop_assert!(counts.contains(&Count::Listed(*listing)));
            }
            prop_assert!(counts.contains(&Count::Total));
            prop_assert_eq!(counts.contains(&Count::Unread), !flags.is_read);
        }

        #[test]
        fn a_deleted_mail_stands_nowhere_and_counts_for_nothing(side in side(), change in change()) {
            let flags = Flags::untouched(side).changed(change, at(1)).deleted(at(2));
            prop_assert!(flags.listings(side).is_empty() && flags.counts(side).is_empty());
            prop_assert_eq!(flags.deleted(at(3)), flags);
        }

        #[test]
        fn times_never_go_backwards(first in 0_i64..1000, second in 0_i64..1000) {
            let star = |yes| Change { is_starred: Some(yes), ..Change::default() };
            let once = Flags::untouched(Side::Recipient).changed(star(true), at(first));
            let twice = once.changed(star(false), at(second));
            prop_assert!(once.updated_at <= twice.updated_at);
            prop_assert_eq!(twice.version, 3);
        }
    }
}
