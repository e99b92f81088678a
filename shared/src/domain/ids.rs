//! Typed ids: a parsed id can never forge a table key or be mistaken for another kind of id.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use super::text::{ClientMessageId, Invalid};
use super::time::Timestamp;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $noun:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema)]
        #[schemars(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// What it identifies, for error messages: "conversation" not found.
            pub const NOUN: &'static str = $noun;

            /// The id as a UUID.
            pub const fn uuid(self) -> Uuid {
                self.0
            }

            /// An id from a UUID that is known to be one of this kind.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(formatter)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "{}({})", stringify!($name), self.0.hyphenated())
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                parse_uuid(text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;
                impl<'de> Visitor<'de> for Text {
                    type Value = $name;

                    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                        formatter.write_str("a string")
                    }

                    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<$name, D::Error> {
                        inner.deserialize_str(self)
                    }

                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$name, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                // Includes the noun, so that the reader of a path knows what was not found.
                deserializer.deserialize_newtype_struct(Self::NOUN, Text)
            }
        }
    };
}

uuid_id! {
    /// The id of a user.
    UserId, "user"
}
uuid_id! {
    /// The id of a conversation.
    ConversationId, "conversation"
}
uuid_id! {
    /// The id of a message.
    MessageId, "message"
}
uuid_id! {
    /// A notification.
    NotificationId, "notification"
}
uuid_id! {
    /// The id of a file.
    FileId, "file"
}
uuid_id! {
    /// The id of a transaction.
    TransactionId, "transaction"
}
uuid_id! {
    /// An entry of the audit log.
    AuditId, "audit entry"
}
uuid_id! {
    /// The id of an export.
    ExportId, "export"
}

/// The namespace of the ids that are derived and not drawn (UUID version 5, RFC 9562 §5.5).
const DERIVED: Uuid = Uuid::from_u128(0x8f2c_41d7_5c1e_4b7a_9d26_3a5e_70b1_c4f8);

/// Accepts the hyphenated form alone: other spellings of one id would be other keys to a cache or a log.
fn parse_uuid(text: &str) -> Result<Uuid, Invalid> {
    let wrong = || Invalid::new("wrong_format", "must be a UUID");
    if text.len() != 36 {
        return Err(wrong());
    }
    Uuid::try_parse(text).map_err(|_| wrong())
}

/// A version 7 UUID of the given moment (RFC 9562 §5.7).
fn time_ordered(now: Timestamp) -> Uuid {
    let milliseconds = u64::try_from(now.milliseconds()).unwrap_or_default();
    let mut random = [0_u8; 10];
    fastrand::fill(&mut random);
    uuid::Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid()
}

impl ConversationId {
    /// A fresh id for a group.
    pub fn generate(now: Timestamp) -> Self {
        Self(time_ordered(now))
    }

    /// Whether the id is that of a direct conversation: derived, and not drawn.
    pub fn is_direct(self) -> bool {
        self.0.get_version() == Some(uuid::Version::Sha1)
    }

    /// The id of the direct conversation of two people: the same from either side, so that two who open it
    /// at once open one (contract §2).
    pub fn direct(one: UserId, other: UserId) -> Self {
        let (low, high) = if one <= other { (one, other) } else { (other, one) };
        let mut name = Vec::with_capacity(40);
        name.extend_from_slice(b"direct/");
        name.extend_from_slice(low.0.as_bytes());
        name.extend_from_slice(high.0.as_bytes());
        Self(Uuid::new_v5(&DERIVED, &name))
    }
}

impl MessageId {
    /// A fresh id, for a message that its client gave none.
    pub fn generate(now: Timestamp) -> Self {
        Self(time_ordered(now))
    }

    /// The id that a sender's `client_message_id` stands for in one conversation: a retry derives it again
    /// and finds the first attempt, after a minute or after a year.
    pub fn derived(conversation: ConversationId, sender: UserId, client: &ClientMessageId) -> Self {
        let mut name = Vec::with_capacity(40 + client.as_str().len());
        name.extend_from_slice(b"message/");
        name.extend_from_slice(conversation.0.as_bytes());
        name.extend_from_slice(sender.0.as_bytes());
        name.extend_from_slice(client.as_str().as_bytes());
        Self(Uuid::new_v5(&DERIVED, &name))
    }

    /// The id that a sender's `client_message_id` stands for among the mails to one recipient.
    pub fn of_mail(sender: UserId, recipient: UserId, client: &ClientMessageId) -> Self {
        let mut name = Vec::with_capacity(40 + client.as_str().len());
        name.extend_from_slice(b"mail/");
        name.extend_from_slice(sender.0.as_bytes());
        name.extend_from_slice(recipient.0.as_bytes());
        name.extend_from_slice(client.as_str().as_bytes());
        Self(Uuid::new_v5(&DERIVED, &name))
    }
}

impl TransactionId {
    /// A fresh id, for a debit.
    pub fn generate(now: Timestamp) -> Self {
        Self(time_ordered(now))
    }

    /// The grant that a `client_reference` stands for, for one user: a retry derives it again.
    pub fn granted(user: UserId, reference: &ClientMessageId) -> Self {
        let mut name = Vec::with_capacity(22 + reference.as_str().len());
        name.extend_from_slice(b"grant/");
        name.extend_from_slice(user.0.as_bytes());
        name.extend_from_slice(reference.as_str().as_bytes());
        Self(Uuid::new_v5(&DERIVED, &name))
    }
}

impl AuditId {
    /// A fresh id.
    pub fn generate(now: Timestamp) -> Self {
        Self(time_ordered(now))
    }
}

impl ExportId {
    /// A fresh id.
    pub fn generate(now: Timestamp) -> Self {
        Self(time_ordered(now))
    }
}

impl NotificationId {
    /// A fresh id behind the newest one that the user has: a list of notifications is in the order of their ids, and
    /// [its moment](Self::moment) is that at which it came.
    pub fn following(newest: Option<Self>, now: Timestamp) -> Self {
        let earliest = newest
            .and_then(Self::moment)
            .map(|newest| newest.plus(Duration::from_millis(1)));
        Self(time_ordered(earliest.map_or(now, |earliest| earliest.max(now))))
    }

    /// When it came; none for an id that is derived and not drawn.
    pub fn moment(self) -> Option<Timestamp> {
        let (seconds, nanoseconds) = self.0.get_timestamp()?.to_unix();
        let milliseconds = i64::try_from(seconds).ok()?.checked_mul(1000)?;
        (self.0.get_version() == Some(uuid::Version::SortRand)).then_some(Timestamp::from_milliseconds(
            milliseconds + i64::from(nanoseconds / 1_000_000),
        ))
    }

    /// The largest id of a moment.
    pub fn last_of(moment: Timestamp) -> Self {
        let milliseconds = u64::try_from(moment.milliseconds()).unwrap_or_default();
        Self(uuid::Builder::from_unix_timestamp_millis(milliseconds, &[0xff; 10]).into_uuid())
    }

    /// The one notification about what a user missed in a conversation: later misses update it in place.
    pub fn missed_in(conversation: ConversationId, user: UserId) -> Self {
        let mut name = Vec::with_capacity(40);
        name.extend_from_slice(b"missed/");
        name.extend_from_slice(conversation.0.as_bytes());
        name.extend_from_slice(user.0.as_bytes());
        Self(Uuid::new_v5(&DERIVED, &name))
    }
}

impl FileId {
    /// A fresh id.
    pub fn generate(now: Timestamp) -> Self {
        Self(time_ordered(now))
    }

    /// The file that an owner's `Idempotency-Key` stands for: a retry derives it again.
    pub fn of_key(owner: UserId, client: &ClientMessageId) -> Self {
        Self(derived_once(owner, "file", client))
    }
}

/// What a caller's key stands for, for one route.
pub fn derived_once(caller: UserId, route: &str, client: &ClientMessageId) -> Uuid {
    let mut name = Vec::with_capacity(60 + client.as_str().len());
    name.extend_from_slice(b"once/");
    name.extend_from_slice(caller.0.as_bytes());
    name.extend_from_slice(route.as_bytes());
    name.push(b'/');
    name.extend_from_slice(client.as_str().as_bytes());
    Uuid::new_v5(&DERIVED, &name)
}

/// A WebSocket connection, named by API Gateway.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConnectionId(String);

impl ConnectionId {
    /// Takes over the id that API Gateway gave the connection.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as API Gateway writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn user() -> impl Strategy<Value = UserId> {
        any::<u128>().prop_map(|bits| UserId(Uuid::from_u128(bits)))
    }

    proptest! {
        #[test]
        fn a_direct_conversation_has_one_id_from_both_sides(a in user(), b in user(), c in user()) {
            prop_assert_eq!(ConversationId::direct(a, b), ConversationId::direct(b, a));
            prop_assert!(b == c || ConversationId::direct(a, b) != ConversationId::direct(a, c));
        }

        #[test]
        fn notifications_follow_each_other_whatever_the_clock_says(moments in prop::collection::vec(0_i64..50, 1..9)) {
            let mut newest = None;
            for moment in moments {
                let moment = Timestamp::from_milliseconds(1_768_473_000_000 + moment);
                let next = NotificationId::following(newest, moment);
                prop_assert!(newest < Some(next) && next.moment() >= Some(moment));
                prop_assert!(next.to_string() > newest.map(|id| id.to_string()).unwrap_or_default());
                prop_assert!(next <= NotificationId::last_of(next.moment().unwrap()));
                newest = Some(next);
            }
        }

        #[test]
        fn a_mail_and_a_message_of_one_client_id_are_two(a in user(), b in user(), id in "[!-~]{1,40}") {
            let client = ClientMessageId::parse(id).unwrap();
            let conversation = ConversationId::from_uuid(a.0);
            prop_assert_ne!(MessageId::of_mail(a, b, &client), MessageId::derived(conversation, b, &client));
            prop_assert!(a == b || MessageId::of_mail(a, b, &client) != MessageId::of_mail(b, a, &client));
        }

        #[test]
        fn an_id_reads_back_from_its_text(id in user()) {
            prop_assert_eq!(id.to_string().parse::<UserId>().unwrap(), id);
        }
    }

    #[test]
    fn only_the_hyphenated_form_is_an_id() {
        for text in [
            "",
            "x",
            "67e5504410b1426f9247bb680e5fe0c8",
            "{67e55044-10b1-426f-9247-bb680e5fe0c8}",
            "67e55044-10b1-426f-9247-bb680e5fe0cg",
        ] {
            assert!(text.parse::<UserId>().is_err(), "{text}");
        }
        assert!("67E55044-10B1-426F-9247-BB680E5FE0C8".parse::<UserId>().is_ok());
    }
}
