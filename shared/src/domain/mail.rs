//! Mail: a subject and a body that never change, and for each side a box with flags of its own (S0, contract §4).
//!
//! In which listings a mail stands, and what it adds to the counts of a box, are functions of its flags and of
//! nothing else: a change of flags is the difference of two sets, and nothing can drift.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

use super::ids::{MessageId, NotificationId, UserId};
use super::text::{Invalid, Text};
use super::time::Timestamp;
use super::user::Card;

/// What a mail is about (S0-F03).
pub type Subject = Text<1, 255>;

/// The body of a mail: 1 to 100,000 bytes of UTF-8, without control characters but newline, return and tab. Counted
/// in bytes and not in characters, because an item of the table is.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct MailBody(String);

impl MailBody {
    /// The most bytes.
    pub const MAX_BYTES: usize = 100_000;

    /// Takes the text if it is one.
    pub fn parse(text: String) -> Result<Self, Invalid> {
        let length = text.len();
        if length > Self::MAX_BYTES {
            let reason = format!("is {length} bytes long; at most {} are allowed", Self::MAX_BYTES);
            return Err(Invalid::new("too_long", reason));
        }
        // No text has more characters than bytes.
        Text::<1, { Self::MAX_BYTES }>::parse(text).map(|text| Self(text.into_string()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for MailBody {
    /// Shows the length alone: what people write belongs in no log.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "MailBody({} bytes)", self.0.len())
    }
}

impl<'de> Deserialize<'de> for MailBody {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for MailBody {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "MailBody".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "minLength": 1, "maxLength": Self::MAX_BYTES, "description": "At most 100,000 bytes of UTF-8."
        })
    }
}

/// What a mail consists of: the same for both sides, for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// Its id.
    pub id: MessageId,
    /// Who sent it.
    pub sender: UserId,
    /// Who got it.
    pub recipient: UserId,
    /// What it is about.
    pub subject: String,
    /// What it says.
    pub body: String,
    /// When it was sent.
    pub created_at: Timestamp,
    /// The recipient's notification about it.
    pub notification: NotificationId,
}

impl Content {
    /// The side on which somebody stands; none for a stranger.
    pub fn side(&self, user: UserId) -> Option<Side> {
        match (user == self.sender, user == self.recipient) {
            (true, true) => Some(Side::Both),
            (true, false) => Some(Side::Sender),
            (false, true) => Some(Side::Recipient),
            (false, false) => None,
        }
    }
}

/// On which side of a mail a box is.
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

/// A folder of a box.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Folder {
    /// Received, and not archived.
    #[default]
    Inbox,
    /// Sent, archived or not.
    Sent,
    /// Starred, archived or not.
    Starred,
    /// Archived, sent or received.
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

/// A list of mails: a folder, or what is unread in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listing {
    /// The folder.
    pub folder: Folder,
    /// Whether it holds what is unread alone.
    pub unread_only: bool,
}

/// Something of a box that is counted: each mail adds one to it, or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Count {
    /// Mails in the box.
    Total,
    /// Those that are unread, wherever they stand.
    Unread,
    /// Those that were received, archived or not.
    Received,
    /// Those in a list.
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

    /// How many stand in a folder.
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
    /// Since when.
    pub read_at: Option<Timestamp>,
    /// Whether it is starred.
    pub is_starred: bool,
    /// Whether it is archived.
    pub is_archived: bool,
    /// Whether it has left this box for good.
    pub is_deleted: bool,
    /// From 1; each change adds one.
    pub version: u64,
    /// When they last changed; none if they never did.
    pub updated_at: Option<Timestamp>,
}

/// What is to become of flags; what is none stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
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
    /// The flags of a mail that nobody has touched: what one has written oneself is read.
    pub fn untouched(side: Side) -> Self {
        Self {
            is_read: side == Side::Sender,
            read_at: None,
            is_starred: false,
            is_archived: false,
            is_deleted: false,
            version: 1,
            updated_at: None,
        }
    }

    /// The flags after a change; the same with the same version if it changes nothing.
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

    /// The flags of a mail that leaves the box.
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

    /// The next version. Times never go backwards, whatever clock they came from.
    fn next(self, now: Timestamp) -> Self {
        Self {
            version: self.version + 1,
            updated_at: Some(self.updated_at.map_or(now, |before| before.max(now))),
            ..self
        }
    }

    /// The lists that the mail stands in.
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

/// Somebody at one end of a mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Person {
    /// The user.
    pub id: UserId,
    /// The name to show.
    pub name: String,
    /// The picture.
    pub avatar_url: Option<String>,
}

impl Person {
    /// A user by what others see of them.
    pub fn of(id: UserId, card: Card) -> Self {
        Self {
            id,
            name: card.display_name,
            avatar_url: card.avatar_url,
        }
    }
}

/// A mail as one of its two people sees it: the flags are their own.
#[expect(clippy::struct_excessive_bools, reason = "the contract names them")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "MessageWithUsers")]
pub struct Mail {
    /// Its id.
    pub id: MessageId,
    /// Who sent it.
    pub sender: Person,
    /// Who got it.
    pub recipient: Person,
    /// What it is about.
    pub subject: String,
    /// What it says; null where `truncated` says so.
    pub body: Option<String>,
    /// Whether you have read it.
    pub is_read: bool,
    /// Whether you have starred it.
    pub is_starred: bool,
    /// Whether you have archived it.
    pub is_archived: bool,
    /// When you read it.
    pub read_at: Option<Timestamp>,
    /// When it was sent.
    pub created_at: Timestamp,
    /// When your flags last changed.
    pub updated_at: Timestamp,
    /// The version of your flags, which `ETag` and `If-Match` speak of.
    pub version: u64,
    /// Whether the body was left out, because a page of so large ones would be too large: get the mail by its id.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
}

/// How much of an answer the bodies of a page may take up. Lambda answers at most 6 MB.
/// Source: AWS, *Lambda quotas*, invocation payload.
pub const PAGE_BUDGET_BYTES: usize = 4_000_000;

/// What a text takes up in a function's answer, where JSON stands within JSON and is escaped twice.
pub fn weight(text: &str) -> usize {
    let of = |byte: u8| match byte {
        b'"' | b'\\' => 4,
        b'\n' | b'\r' | b'\t' => 3,
        _ => 1,
    };
    text.bytes().map(of).sum()
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
            // Each list and its count go together.
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

        #[test]
        fn a_text_weighs_what_it_takes_up_escaped_twice(text in "[a-z\"\\\\\n\t\ré😀]{0,40}") {
            let once = serde_json::to_string(&text).unwrap();
            let twice = serde_json::to_string(&once).unwrap();
            // The quotes around it, each escaped, and those around them.
            prop_assert_eq!(weight(&text), twice.len() - 6);
        }
    }

    #[test]
    fn a_body_has_up_to_a_hundred_thousand_bytes() {
        assert!(MailBody::parse("é".repeat(50_000)).is_ok());
        assert_eq!(MailBody::parse("é".repeat(50_001)).unwrap_err().issue, "too_long");
        assert_eq!(MailBody::parse(String::new()).unwrap_err().issue, "too_short");
        assert_eq!(
            MailBody::parse("\0".to_owned()).unwrap_err().issue,
            "control_character"
        );
    }
}
