//! Every key of the table.
//!
//! | Item | `pk` | `sk` | Index `by_user` (`gp`, `gs`) |
//! |---|---|---|---|
//! | profile | `U#user` | `PROFILE` | |
//! | connections of a user | `U#user` | `CONNECTIONS` | |
//! | conversation | `C#conversation` | `HEAD` | |
//! | last read in a group | `C#conversation` | `READS` | |
//! | member | `C#conversation` | `MEMBER#shard#user` | `U#user`, `C#conversation` |
//! | log entry | `L#conversation` | `seq`, 12 digits | |
//! | locator of a message | `M#message` | `AT` | |
//! | missed messages of a user | `U#user#NOTE` | `MISSED#conversation` | |
//! | file | `F#file` | `FILE` | |
//! | files begun within an hour | `O#hour` | `file` | |
//! | rate buckets | `R#subject` | `RATE` | |
//! | typing throttle | `T#user#conversation` | `TYPING` | |
//! | socket ticket | `K#hash` | `TICKET` | |
//!
//! Ids are parsed types that cannot hold a `#`, so no id can forge a key. The index is sparse (members only)
//! and static: no message and no read rewrites it. It lists, and never authorizes.
//!
//! A log is one item collection, numbered from 1. Nothing else stands in it, so its newest entry is the
//! last item, and the next number is free exactly if no item has it: that condition *is* the order.

use crate::domain::ids::{ConversationId, FileId, MessageId, UserId};

/// The attribute of the partition key.
pub const PARTITION: &str = "pk";
/// The attribute of the sort key.
pub const SORT: &str = "sk";
/// The index from a user to their memberships.
pub const BY_USER: &str = "by_user";
/// The attribute of the index's partition key.
pub const BY_USER_PARTITION: &str = "gp";
/// The attribute of the index's sort key.
pub const BY_USER_SORT: &str = "gs";
/// The attribute that DynamoDB's TTL looks at, in seconds since 1970. Deletion comes days late, so every
/// read of an item that has it compares it with now.
pub const EXPIRES: &str = "x";

/// The prefix of the sort keys of members.
pub const MEMBER: &str = "MEMBER#";
/// How many ranges of members a group can be split into: three hexadecimal digits.
pub const MEMBER_SHARDS: u16 = 0x1000;

/// The key of an item. Only this module makes one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    pub(super) partition: String,
    pub(super) sort: String,
}

fn key(partition: String, sort: impl Into<String>) -> Key {
    Key {
        partition,
        sort: sort.into(),
    }
}

/// The partition of a user.
pub fn user(user: UserId) -> String {
    format!("U#{user}")
}

/// The partition of a conversation.
pub fn conversation(conversation: ConversationId) -> String {
    format!("C#{conversation}")
}

/// The partition of a conversation's log.
pub fn log(conversation: ConversationId) -> String {
    format!("L#{conversation}")
}

/// A user's profile.
pub fn profile(user: UserId) -> Key {
    key(self::user(user), "PROFILE")
}

/// A user's live connections.
pub fn connections(user: UserId) -> Key {
    key(self::user(user), "CONNECTIONS")
}

/// What does not change about a conversation.
pub fn head(conversation: ConversationId) -> Key {
    key(self::conversation(conversation), "HEAD")
}

/// When somebody last read in a group.
pub fn reads(conversation: ConversationId) -> Key {
    key(self::conversation(conversation), "READS")
}

/// A member. The shard in front, the last three digits of the id, spreads members evenly over ranges whatever
/// made their ids, so that a large group is split for delivery without reading it first.
pub fn member(conversation: ConversationId, user: UserId) -> Key {
    key(
        self::conversation(conversation),
        format!("{}#{user}", member_shard(shard(user))),
    )
}

/// Where the members of a shard begin.
pub fn member_shard(shard: u16) -> String {
    format!("{MEMBER}{shard:03x}")
}

/// The shard of a user.
pub fn shard(user: UserId) -> u16 {
    let [.., high, low] = *user.uuid().as_bytes();
    (u16::from(high) << 8 | u16::from(low)) & (MEMBER_SHARDS - 1)
}

/// An entry of a log.
pub fn entry(conversation: ConversationId, seq: u64) -> Key {
    key(log(conversation), entry_sort(seq))
}

/// The sort key of a log entry: 12 digits, so that text order is number order up to 10^12 entries.
pub fn entry_sort(seq: u64) -> String {
    format!("{seq:012}")
}

/// Where a message is.
pub fn locator(message: MessageId) -> Key {
    key(format!("M#{message}"), "AT")
}

/// What a user missed in a conversation.
pub fn missed(user: UserId, conversation: ConversationId) -> Key {
    key(format!("U#{user}#NOTE"), format!("MISSED#{conversation}"))
}

/// A file, with the places of the messages that bring it along.
pub fn file(file: FileId) -> Key {
    key(format!("F#{file}"), "FILE")
}

/// The partition of the files that were begun within an hour since 1970.
pub fn begun(hour: i64) -> String {
    format!("O#{hour}")
}

/// That a file was begun within an hour.
pub fn begun_file(hour: i64, file: FileId) -> Key {
    key(begun(hour), file.to_string())
}

/// The rate buckets of a subject, each in its own partition: nobody's flood throttles another.
pub fn rate(subject: &str) -> Key {
    key(format!("R#{subject}"), "RATE")
}

/// When a user was last shown as typing in a conversation.
pub fn typing(user: UserId, conversation: ConversationId) -> Key {
    key(format!("T#{user}#{conversation}"), "TYPING")
}

/// A one-use ticket, by the hash of its secret.
pub fn ticket(hash: &str) -> Key {
    key(format!("K#{hash}"), "TICKET")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    proptest! {
        #[test]
        fn log_entries_sort_as_their_numbers_do(a in 1_u64..1_000_000_000_000, b in 1_u64..1_000_000_000_000) {
            prop_assert_eq!(a.cmp(&b), entry_sort(a).cmp(&entry_sort(b)));
        }

        #[test]
        fn a_member_lies_in_the_range_of_their_shard(bits in any::<u128>(), conversation in any::<u128>()) {
            let user = UserId::from_uuid(Uuid::from_u128(bits));
            let sort = member(ConversationId::from_uuid(Uuid::from_u128(conversation)), user).sort;
            prop_assert!(sort >= member_shard(shard(user)));
            prop_assert!(shard(user) + 1 == MEMBER_SHARDS || sort < member_shard(shard(user) + 1));
        }

        #[test]
        fn no_two_things_share_a_key(a in any::<u128>(), b in any::<u128>(), seq in 1_u64..1000) {
            let (user, message) = (UserId::from_uuid(Uuid::from_u128(a)), MessageId::from_uuid(Uuid::from_u128(a)));
            let place = ConversationId::from_uuid(Uuid::from_u128(b));
            let mut keys = vec![
                profile(user), connections(user), head(place), reads(place), member(place, user), entry(place, seq),
                locator(message), missed(user, place), file(FileId::from_uuid(user.uuid())),
                begun_file(i64::try_from(seq).unwrap(), FileId::from_uuid(user.uuid())), rate(&user.to_string()), typing(user, place), ticket(&user.to_string()),
            ];
            keys.sort();
            keys.dedup();
            prop_assert_eq!(keys.len(), 13);
        }
    }
}
