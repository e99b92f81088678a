//! All keys of the table.
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
//! | balance of a user | `U#user#CREDIT` | `BALANCE` | |
//! | entry of their ledger | `U#user#CREDIT` | `T#` and its number, 12 digits | |
//! | receipt of a grant | `U#user#CREDIT` | `G#transaction` | |
//! | notification | `U#user#NOTE` | `N#notification` | |
//! | marker of an unread notification | `U#user#NOTE` | `UNREAD#notification` | |
//! | content of a mail | `M#message` | `AT`, as a locator: ids of both are one kind | |
//! | marker of an audited deletion | `M#message` | `DELETED#user` | |
//! | flags of a mail, per side | `U#user#BOX` | `FLAGS#message` | |
//! | mail in a list, per side | `U#user#BOX` | `folder#time#message` | |
//! | counts of mails and notifications | `U#user` | `TALLY` | |
//! | file | `F#file` | `FILE` | |
//! | files begun within an hour | `O#hour` | `file` | |
//! | rate limits of a user or connection | `R#subject` | `RATE` | |
//! | typing throttle | `T#user#conversation` | `TYPING` | |
//! | socket ticket | `K#hash` | `TICKET` | |
//! | connections that end within a minute | `E#minute` | `connection` | |
//! | last minute whose expired connections were closed | `E#SWEPT` | `SWEPT` | |
//! | a conversation's first entry of a day | `D#day#shard` | `C#conversation` | |
//! | idempotency record | `I#key` | `ONCE` | |
//! | end of the audit log | `A#HEAD` | `HEAD` | |
//! | marker that the audit log has entries | `A#HEAD` | `BEGUN` | |
//! | day of the audit log | `A#DAYS` | day | |
//! | entry of the audit log | `A#day` | number, 12 digits | |
//! | export | `X#export` | `EXPORT` | |
//! | marker of an export that may have files | `X#ALL` | export | |
//! | part of an export | `X#export` | `PART#number`, 5 digits | |
//!
//! Ids are parsed types that cannot contain a `#`, so no id can forge a key. The index is sparse (members only) and
//! static: no message and no read rewrites it. It lists, but never authorizes.
//!
//! A log is one item collection, numbered from 1, and contains nothing else. So its newest entry is the last item, and
//! the next number is free exactly if no item has it: that condition defines the order.

mod partition;

use crate::domain::day::Day;
use crate::domain::ids::{
    ConnectionId, ConversationId, ExportId, FileId, MessageId, NotificationId, TransactionId, UserId,
    derived_once,
};
use crate::domain::mail::Listing;
use crate::domain::text::ClientMessageId;
use crate::domain::time::Timestamp;

pub use partition::Partition;

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
/// The attribute of DynamoDB's TTL, in seconds since 1970. TTL deletes items up to days late, so every reader of such
/// an item compares it with the current time.
pub const EXPIRES: &str = "x";

/// The prefix of the sort keys of members.
pub const MEMBER: &str = "MEMBER#";
/// How many shards the members of a group are divided into: three hexadecimal digits.
pub const MEMBER_SHARDS: u16 = 0x1000;

/// The key of an item. Only this module creates one.
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

/// The static data of a conversation.
pub fn head(conversation: ConversationId) -> Key {
    key(self::conversation(conversation), "HEAD")
}

/// When any member last read in a group.
pub fn reads(conversation: ConversationId) -> Key {
    key(self::conversation(conversation), "READS")
}

/// A member. The shard prefix, the last three digits of the id, distributes members evenly, however their ids were
/// generated, so that a large group can be split for delivery without reading it first.
pub fn member(conversation: ConversationId, user: UserId) -> Key {
    key(
        self::conversation(conversation),
        format!("{}#{user}", member_shard(shard(user))),
    )
}

/// The beginning of the sort keys of a shard's members.
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

/// The locator of a message.
pub fn locator(message: MessageId) -> Key {
    key(format!("M#{message}"), "AT")
}

/// The marker that the audit log has a user's deletion of a mail or message.
pub fn deletion_recorded(message: MessageId, user: UserId) -> Key {
    key(format!("M#{message}"), format!("DELETED#{user}"))
}

/// What a user missed in a conversation.
pub fn missed(user: UserId, conversation: ConversationId) -> Key {
    key(notes(user), format!("{MISSED}{conversation}"))
}

/// The partition of a user's notifications.
pub fn notes(user: UserId) -> String {
    format!("U#{user}#NOTE")
}

/// The prefix of the sort keys of missed messages.
pub const MISSED: &str = "MISSED#";
/// The prefix of the sort keys of notifications, which sort in the order of creation.
pub const NOTIFICATION: &str = "N#";
/// The prefix of the sort keys of markers of unread notifications.
pub const UNREAD: &str = "UNREAD#";

/// A notification.
pub fn notification(user: UserId, id: NotificationId) -> Key {
    key(notes(user), format!("{NOTIFICATION}{id}"))
}

/// The marker of an unread notification.
pub fn unread_notification(user: UserId, id: NotificationId) -> Key {
    key(notes(user), format!("{UNREAD}{id}"))
}

/// The partition of a user's mail.
pub fn mailbox(user: UserId) -> String {
    format!("U#{user}#BOX")
}

/// A user's flags of a mail.
pub fn flags(user: UserId, message: MessageId) -> Key {
    key(mailbox(user), format!("FLAGS#{message}"))
}

/// The prefix of the sort keys of a list of mails.
pub fn listing(listing: Listing) -> String {
    let unread = if listing.unread_only { "-unread" } else { "" };
    format!("{}{unread}#", listing.folder.as_str())
}

/// A mail in a list.
pub fn listed(user: UserId, listing: Listing, at: Timestamp, message: MessageId) -> Key {
    key(
        mailbox(user),
        format!("{}{}", self::listing(listing), listed_sort(at, message)),
    )
}

/// The position of a mail in a list: 13 digits of milliseconds, so that text order is time order up to the year 2286.
pub fn listed_sort(at: Timestamp, message: MessageId) -> String {
    format!("{:013}#{message}", at.milliseconds())
}

/// The counts of a user's mails and notifications.
pub fn tally(user: UserId) -> Key {
    key(self::user(user), "TALLY")
}

/// The prefix of the sort keys of a ledger's entries.
pub const LEDGER: &str = "T#";

/// The partition of a user's credits.
pub fn credits(user: UserId) -> String {
    format!("U#{user}#CREDIT")
}

/// A user's balance.
pub fn balance(user: UserId) -> Key {
    key(credits(user), "BALANCE")
}

/// An entry of a user's ledger.
pub fn ledger(user: UserId, place: u64) -> Key {
    key(credits(user), ledger_sort(place))
}

/// The sort key of a ledger entry: text order is number order.
pub fn ledger_sort(place: u64) -> String {
    format!("{LEDGER}{place:012}")
}

/// The receipt of a grant.
pub fn grant(user: UserId, transaction: TransactionId) -> Key {
    key(credits(user), format!("G#{transaction}"))
}

/// A file, with references to the messages that it is attached to.
pub fn file(file: FileId) -> Key {
    key(format!("F#{file}"), "FILE")
}

/// The partition of the files that were created within an hour, counted from 1970.
pub fn begun(hour: i64) -> String {
    format!("O#{hour}")
}

/// The marker of a file that was created within an hour.
pub fn begun_file(hour: i64, file: FileId) -> Key {
    key(begun(hour), file.to_string())
}

/// The rate limits of a user or connection, each in a partition of its own, so that no flood throttles others.
pub fn rate(subject: &str) -> Key {
    key(format!("R#{subject}"), "RATE")
}

/// When a user was last shown as typing in a conversation.
pub fn typing(user: UserId, conversation: ConversationId) -> Key {
    key(format!("T#{user}#{conversation}"), "TYPING")
}

/// A single-use ticket, by the hash of its secret.
pub fn ticket(hash: &str) -> Key {
    key(format!("K#{hash}"), "TICKET")
}

/// The partition of the connections that expire within a minute, counted from 1970.
pub fn ending(minute: i64) -> String {
    format!("E#{minute}")
}

/// The marker of a connection that expires within a minute.
pub fn ending_connection(minute: i64, connection: &ConnectionId) -> Key {
    key(ending(minute), connection.as_str())
}

/// The last minute whose expired connections were closed.
pub fn swept() -> Key {
    key("E#SWEPT".to_owned(), "SWEPT")
}

/// How many partitions the markers of a day are distributed over. At midnight every active conversation gets one: a
/// partition takes 1,000 writes a second, and the API accepts 2,500 requests a second.
pub const DAY_SHARDS: u8 = 4;

/// A partition of the markers of a day.
pub fn day(day: Day, shard: u8) -> String {
    format!("D#{day}#{shard}")
}

/// The shard of a conversation's markers.
pub fn day_shard(conversation: ConversationId) -> u8 {
    let [.., last] = *conversation.uuid().as_bytes();
    last % DAY_SHARDS
}

/// The marker of a conversation's first entry on a day.
pub fn day_marker(of: Day, conversation: ConversationId) -> Key {
    key(day(of, day_shard(conversation)), self::conversation(conversation))
}

/// The idempotency record of a caller's key for one route. Hashed, because a key may contain a `#`.
pub fn once(caller: UserId, route: &str, client: &ClientMessageId) -> Key {
    key(format!("I#{}", derived_once(caller, route, client)), "ONCE")
}

/// The end of the audit log.
pub fn audit_head() -> Key {
    key("A#HEAD".to_owned(), "HEAD")
}

/// The marker that the audit log has its first entry: if it exists and the end of the log does not, the end was
/// removed.
pub fn audit_begun() -> Key {
    key("A#HEAD".to_owned(), "BEGUN")
}

/// The partition of the days on which the audit log has entries.
pub const AUDIT_DAYS: &str = "A#DAYS";

/// The marker of a day on which the audit log has entries.
pub fn audit_day(day: Day) -> Key {
    key(AUDIT_DAYS.to_owned(), day.to_string())
}

/// The partition of the audit log's entries of a day.
pub fn audit_entries(day: Day) -> String {
    format!("A#{day}")
}

/// An entry of the audit log.
pub fn audit_entry(day: Day, number: u64) -> Key {
    key(audit_entries(day), entry_sort(number))
}

/// The partition of exports that may have files.
pub const EXPORTS: &str = "X#ALL";

/// The marker of an export that may have files.
pub fn listed_export(export: ExportId) -> Key {
    key(EXPORTS.to_owned(), export.to_string())
}

/// The partition of an export.
pub fn export_partition(export: ExportId) -> String {
    format!("X#{export}")
}

/// An export.
pub fn export(export: ExportId) -> Key {
    key(export_partition(export), "EXPORT")
}

/// The prefix of the sort keys of an export's parts.
pub const PART: &str = "PART#";

/// A part of an export.
pub fn export_part(export: ExportId, number: u32) -> Key {
    key(export_partition(export), format!("{PART}{number:05}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::domain::mail::Folder;

    proptest! {
        #[test]
        fn log_entries_sort_as_their_numbers_do(a in 1_u64..1_000_000_000_000, b in 1_u64..1_000_000_000_000) {
            prop_assert_eq!(a.cmp(&b), entry_sort(a).cmp(&entry_sort(b)));
        }

        #[test]
        fn mails_are_listed_in_the_order_of_their_times(a in 0_i64..9_999_999_999_999, b in 0_i64..9_999_999_999_999, bits in any::<u128>()) {
            let message = MessageId::from_uuid(Uuid::from_u128(bits));
            let sort = |at| listed_sort(Timestamp::from_milliseconds(at), message);
            prop_assert_eq!(a.cmp(&b), sort(a).cmp(&sort(b)));
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
            let note = NotificationId::from_uuid(Uuid::from_u128(b));
            let at = Timestamp::from_milliseconds(1_768_473_000_000);
            let lists = Folder::ALL.into_iter().flat_map(|folder| [false, true].map(|unread_only| Listing { folder, unread_only }));
            let (day, export) = (Day::default(), ExportId::from_uuid(Uuid::from_u128(a)));
            let mut keys: Vec<Key> = lists.map(|list| listed(user, list, at, message)).collect();
            keys.extend([
                profile(user), connections(user), head(place), reads(place), member(place, user), entry(place, seq),
                balance(user), ledger(user, seq), grant(user, TransactionId::from_uuid(Uuid::from_u128(a))),
                locator(message), deletion_recorded(message, user), missed(user, place), rate(&user.to_string()), typing(user, place), ticket(&user.to_string()),
                notification(user, note), unread_notification(user, note), flags(user, message), tally(user),
                once(user, "r", &ClientMessageId::parse("k".to_owned()).unwrap()), day_marker(day, place), audit_head(),
                audit_begun(), audit_day(day), audit_entry(day, seq), self::export(export), listed_export(export),
                export_part(export, 1), file(FileId::from_uuid(user.uuid())),
                ending_connection(i64::try_from(seq).unwrap(), &ConnectionId::new("L0SM9cOFvHcCIhw=")), swept(),
                begun_file(i64::try_from(seq).unwrap(), FileId::from_uuid(user.uuid())),
            ]);
            for kind in Partition::ALL {
                prop_assert!(keys.iter().any(|key| key.partition.starts_with(kind.prefix())), "{:?}", kind);
            }
            for key in &keys {
                let kinds = Partition::ALL.iter().filter(|kind| key.partition.starts_with(kind.prefix()));
                prop_assert_eq!(kinds.count(), 1, "{:?} is of one kind of Partition", key);
            }
            keys.sort();
            keys.dedup();
            prop_assert_eq!(keys.len(), 40);
        }
    }
}
