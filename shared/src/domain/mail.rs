//! Mail: an immutable subject and body, and for each side a box with its own flags (S0, contract §4). The lists of a
//! mail follow from its [`Flags`].

mod flags;

pub use flags::{Change, Count, Flags, Folder, Listing, Side};

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

use super::ids::{MessageId, NotificationId, UserId};
use super::moderation::ModerationStatus;
use super::text::{Invalid, Line, Text};
use super::time::Timestamp;
use super::user::Card;

/// The subject of a mail (S0-F03): a single line.
pub type Subject = Line<1, 255>;

/// The body of a mail: 1 to 100,000 bytes of UTF-8, without control characters except newline, carriage return and tab.
/// Counted in bytes rather than characters, because the size of an item is limited in bytes.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct MailBody(String);

impl MailBody {
    /// The maximum size in bytes.
    pub const MAX_BYTES: usize = 100_000;

    /// Parses a body.
    pub fn parse(text: String) -> Result<Self, Invalid> {
        let length = text.len();
        if length > Self::MAX_BYTES {
            let reason = format!("is {length} bytes long; at most {} are allowed", Self::MAX_BYTES);
            return Err(Invalid::new("too_long", reason));
        }
        // A text never has more characters than bytes.
        Text::<1, { Self::MAX_BYTES }>::parse(text).map(|text| Self(text.into_string()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for MailBody {
    /// Shows only the length: user content must not be logged.
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
            "type": "string", "minLength": 1, "maxLength": Self::MAX_BYTES, "x-maxBytes": Self::MAX_BYTES,
            "description": "At most 100,000 bytes of UTF-8."
        })
    }
}

/// The content of a mail: the same for both sides, unchanged until it is erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// Its id.
    pub id: MessageId,
    /// Who sent it.
    pub sender: UserId,
    /// Who got it.
    pub recipient: UserId,
    /// The subject; empty if the mail was erased.
    pub subject: String,
    /// The body; empty if the mail was erased.
    pub body: String,
    /// When it was sent.
    pub created_at: Timestamp,
    /// The recipient's notification about it.
    pub notification: NotificationId,
}

impl Content {
    /// The side of a user; none for strangers.
    pub fn side(&self, user: UserId) -> Option<Side> {
        match (user == self.sender, user == self.recipient) {
            (true, true) => Some(Side::Both),
            (true, false) => Some(Side::Sender),
            (false, true) => Some(Side::Recipient),
            (false, false) => None,
        }
    }
}

/// The sender or recipient of a mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Person {
    /// The user.
    pub id: UserId,
    /// The display name.
    pub name: String,
    /// The URL of the avatar.
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

/// A mail. The flags are the caller's own.
#[expect(clippy::struct_excessive_bools, reason = "the contract names them")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "MessageWithUsers")]
pub struct Mail {
    /// The id.
    pub id: MessageId,
    /// The sender.
    pub sender: Person,
    /// The recipient.
    pub recipient: Person,
    /// The subject; empty if the content is blocked or was deleted permanently.
    pub subject: String,
    /// The body; null if `truncated` is true, or the content is blocked or was deleted permanently.
    pub body: Option<String>,
    /// The moderation status. Nobody sees the content while it is `blocked`.
    pub moderation_status: ModerationStatus,
    /// Whether the content was deleted permanently by an administrator.
    pub is_deleted: bool,
    /// Whether the caller has read it.
    pub is_read: bool,
    /// Whether the caller has starred it.
    pub is_starred: bool,
    /// Whether the caller has archived it.
    pub is_archived: bool,
    /// When the caller read it; null if unread.
    pub read_at: Option<Timestamp>,
    /// When the mail was sent.
    pub created_at: Timestamp,
    /// When the caller's flags last changed.
    pub updated_at: Timestamp,
    /// The version of the caller's flags, for `If-Match`.
    pub version: u64,
    /// True if the body was left out because the page would be too large: get the mail by its id. Otherwise absent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schemars(extend("const" = true))]
    pub truncated: bool,
}

impl Mail {
    /// Leaves the body out, and sets `truncated`.
    pub fn leave_body_out(&mut self) {
        self.body = None;
        self.truncated = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
