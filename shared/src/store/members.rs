//! Members of conversations and their read marks.

pub mod alone;

use super::Worker;
use super::item::{Item, bytes, number};
use super::keys::{self, Key};
use super::table::{self, Consistency, Query, Update, Written};
use crate::App;
use crate::domain::conversation::{ReadMark, Role};
use crate::domain::ids::{ConversationId, MessageId, UserId};
use crate::domain::read_alone::ReadAlone;
use crate::domain::time::Timestamp;
use crate::domain::unread::Ordinal;
use crate::error::{Error, Result};

/// Proof that a user is a member of a conversation. Only this module creates one, from the table, and every function
/// that accesses a conversation on a user's behalf requires it.
#[derive(Clone, Debug)]
pub struct Membership(Member);

/// A member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The conversation.
    pub conversation: ConversationId,
    /// The member.
    pub user: UserId,
    /// The member's ordinal in the order of joining.
    pub ordinal: Ordinal,
    /// The role.
    pub role: Role,
    /// When the member joined.
    pub joined_at: Timestamp,
    /// The other member of a direct conversation.
    pub peer: Option<UserId>,
    /// How far they have read.
    pub read_mark: ReadMark,
}

impl Membership {
    /// The membership of a user; for others the conversation does not exist.
    ///
    /// An eventually consistent read that finds nothing is repeated with strong consistency: a user may send right
    /// after opening a conversation.
    pub async fn of(
        app: &App,
        user: UserId,
        conversation: ConversationId,
        consistency: Consistency,
    ) -> Result<Self> {
        let key = keys::member(conversation, user);
        let mut item = table::get(app, &key, consistency).await?;
        if item.is_none() && consistency == Consistency::Eventual {
            item = table::get(app, &key, Consistency::Strong).await?;
        }
        let item = item.ok_or(Error::NotFound("conversation"))?;
        decode(conversation, &item).map(Self)
    }

    /// The conversation.
    pub fn conversation(&self) -> ConversationId {
        self.0.conversation
    }

    /// The member.
    pub fn user(&self) -> UserId {
        self.0.user
    }

    /// The member's ordinal in the order of joining.
    pub fn ordinal(&self) -> Ordinal {
        self.0.ordinal
    }

    /// The member as a sender.
    pub fn sender(&self) -> Sender {
        let (user, peer) = (self.0.user, self.0.peer);
        let pair = peer.map(|peer| if user <= peer { [user, peer] } else { [peer, user] });
        Sender {
            conversation: self.0.conversation,
            user,
            ordinal: self.0.ordinal,
            pair,
        }
    }

    /// The member's read mark.
    pub fn read_mark(&self) -> &ReadMark {
        &self.0.read_mark
    }

    /// Everything about the member.
    pub fn member(&self) -> &Member {
        &self.0
    }

    /// The membership of a member, for a worker.
    pub fn of_member(_: Worker, member: Member) -> Self {
        Self(member)
    }

    /// Decodes an item that was read in a batch.
    pub(super) fn from_item(conversation: ConversationId, item: &Item) -> Result<Self> {
        decode(conversation, item).map(Self)
    }
}

/// Proof that a user may append to a conversation's log, with the data that an append needs.
#[derive(Clone, Debug)]
pub struct Sender {
    conversation: ConversationId,
    user: UserId,
    ordinal: Ordinal,
    pair: Option<[UserId; 2]>,
}

impl Sender {
    /// The user as a sender in a direct conversation.
    pub(super) fn of_pair(user: UserId, conversation: ConversationId, pair: [UserId; 2]) -> Result<Self> {
        let [low, high] = pair;
        let ordinal = match user {
            user if user == low => Ordinal(0),
            user if user == high => Ordinal(1),
            _ => return Err(Error::NotFound("conversation")),
        };
        if ConversationId::direct(low, high) != conversation {
            return Err(Error::internal(
                "an entry has members other than those of its conversation",
            ));
        }
        Ok(Self {
            conversation,
            user,
            ordinal,
            pair: Some(pair),
        })
    }

    /// The conversation.
    pub fn conversation(&self) -> ConversationId {
        self.conversation
    }

    /// The user.
    pub fn user(&self) -> UserId {
        self.user
    }

    /// The user's ordinal in the order of joining.
    pub fn ordinal(&self) -> Ordinal {
        self.ordinal
    }

    /// The two members of a direct conversation.
    pub fn pair(&self) -> Option<[UserId; 2]> {
        self.pair
    }
}

/// A range of member shards; see [`keys::member`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shards {
    /// The first shard.
    pub first: u16,
    /// The last one, included.
    pub last: u16,
}

impl Shards {
    /// All shards.
    pub const ALL: Self = Self {
        first: 0,
        last: keys::MEMBER_SHARDS - 1,
    };

    /// Splits all shards into ranges of equal width.
    pub fn split(count: u16) -> Vec<Self> {
        let count = count.clamp(1, keys::MEMBER_SHARDS);
        let at = |index: u16| u32::from(index) * u32::from(keys::MEMBER_SHARDS) / u32::from(count);
        let bound = |index: u16| u16::try_from(at(index)).unwrap_or(keys::MEMBER_SHARDS);
        (0..count)
            .map(|index| Self {
                first: bound(index),
                last: bound(index + 1) - 1,
            })
            .collect()
    }
}

/// The members in a range of shards, for a worker.
pub async fn in_shards(
    app: &App,
    _: Worker,
    conversation: ConversationId,
    shards: Shards,
) -> Result<Vec<Member>> {
    within(app, conversation, shards).await
}

/// At most `most` members, for a worker, read with eventual consistency: members of a conversation that was opened a
/// moment ago may be missing.
pub async fn at_most(app: &App, _: Worker, conversation: ConversationId, most: u32) -> Result<Vec<Member>> {
    let query = all_within(conversation, Shards::ALL).limit(most);
    decoded(app, conversation, query.consistency(Consistency::Eventual)).await
}

/// Those of many users who are members, for a worker.
pub async fn some(
    app: &App,
    _: Worker,
    conversation: ConversationId,
    users: &[UserId],
) -> Result<Vec<Member>> {
    let keys = users
        .iter()
        .map(|user| keys::member(conversation, *user))
        .collect();
    let items = table::get_many(app, keys, Consistency::Strong).await?;
    items.values().map(|item| decode(conversation, item)).collect()
}

async fn within(app: &App, conversation: ConversationId, shards: Shards) -> Result<Vec<Member>> {
    decoded(app, conversation, all_within(conversation, shards)).await
}

fn all_within(conversation: ConversationId, shards: Shards) -> Query {
    let from = keys::member_shard(shards.first);
    // `~` sorts after every character of an id.
    let to = format!("{}~", keys::member_shard(shards.last));
    Query::between(keys::conversation(conversation), from, to)
}

async fn decoded(app: &App, conversation: ConversationId, query: Query) -> Result<Vec<Member>> {
    let items = query.all(app).await?;
    items.iter().map(|item| decode(conversation, item)).collect()
}

/// All members of the caller's conversation, in no particular order.
pub async fn list(app: &App, member: &Membership) -> Result<Vec<Member>> {
    within(app, member.conversation(), Shards::ALL).await
}

/// Another member of the caller's conversation.
pub async fn other(app: &App, member: &Membership, other: UserId) -> Result<Option<Member>> {
    let item = table::get(
        app,
        &keys::member(member.conversation(), other),
        Consistency::Strong,
    )
    .await?;
    item.map(|item| decode(member.conversation(), &item)).transpose()
}

/// The read marks of all members.
pub(super) async fn read_marks_of(app: &App, conversation: ConversationId) -> Result<Vec<ReadMark>> {
    let members = within(app, conversation, Shards::ALL).await?;
    Ok(members.into_iter().map(|member| member.read_mark).collect())
}

/// The ordinal of a user in the order of joining; none if the user is not a member.
pub(super) async fn ordinal_of(
    app: &App,
    conversation: ConversationId,
    user: UserId,
) -> Result<Option<Ordinal>> {
    let item = table::get(app, &keys::member(conversation, user), Consistency::Strong).await?;
    let member = item.map(|item| decode(conversation, &item)).transpose()?;
    Ok(member.map(|member| member.ordinal))
}

/// The read marks of all members.
pub async fn read_marks(app: &App, member: &Membership) -> Result<Vec<ReadMark>> {
    Ok(list(app, member)
        .await?
        .into_iter()
        .map(|member| member.read_mark)
        .collect())
}

/// Moves the member's read mark forward to a message. Returns the read mark as it is afterwards: one that is already
/// further on is left unchanged.
pub async fn advance(app: &App, member: &Membership, seq: u64, message: MessageId) -> Result<Membership> {
    let expression = format!(
        "SET {} = :seq, {} = :message, {} = :now",
        attribute::LAST_READ_SEQ,
        attribute::LAST_READ_MESSAGE,
        attribute::READ_AT
    );
    let update = Update::new(keys::member(member.conversation(), member.user()), expression)
        .only_if(format!(
            "attribute_exists({}) AND (attribute_not_exists({seq}) OR {seq} < :seq)",
            keys::PARTITION,
            seq = attribute::LAST_READ_SEQ
        ))
        .value(":seq", number(seq))
        .value(":message", bytes(message.uuid().as_bytes().to_vec()))
        .value(":now", number(app.now().milliseconds()));
    let (Written::Done(item) | Written::Refused(item)) = update.send(app).await?;
    if item.0.is_empty() {
        return Err(Error::NotFound("conversation"));
    }
    decode(member.conversation(), &item).map(Membership)
}

/// The ids of a user's conversations, in no particular order.
pub async fn conversations_of(app: &App, user: UserId) -> Result<Vec<ConversationId>> {
    let query = Query::between(keys::user(user), "C#", "C#~").by_user();
    let id = |item: &Item| -> Result<ConversationId> {
        let text = item.get_text(keys::BY_USER_SORT)?;
        text.trim_start_matches("C#").parse().map_err(Error::internal)
    };
    query.all(app).await?.iter().map(id).collect()
}

/// The attributes of members.
pub(super) mod attribute {
    /// When the member joined, in milliseconds since 1970.
    pub(super) const JOINED_AT: &str = "j";
    /// The last read message.
    pub(super) const LAST_READ_MESSAGE: &str = "m";
    /// The ordinal in the order of joining.
    pub(super) const ORDINAL: &str = "o";
    /// The other member of a direct conversation.
    pub(super) const PEER: &str = "p";
    /// The read mark.
    pub(super) const LAST_READ_SEQ: &str = "q";
    /// Set for an admin.
    pub(super) const ADMIN: &str = "r";
    /// The messages after the read mark that were read individually.
    pub(super) const READ_ALONE: &str = "al";
    /// When the read mark last moved.
    pub(in crate::store) const READ_AT: &str = "ra";
    /// The user.
    pub(super) const USER: &str = "u";
}

/// The item of a member, including the index keys.
pub(super) fn encode(member: &Member) -> (Key, Item) {
    let key = keys::member(member.conversation, member.user);
    let item = Item::new(&key)
        .text(keys::BY_USER_PARTITION, keys::user(member.user))
        .text(keys::BY_USER_SORT, keys::conversation(member.conversation))
        .id(attribute::USER, member.user.uuid())
        .number(attribute::ORDINAL, member.ordinal.0)
        .number(attribute::JOINED_AT, member.joined_at.milliseconds());
    let item = match member.peer {
        Some(peer) => item.id(attribute::PEER, peer.uuid()),
        None => item,
    };
    let item = if member.role == Role::Admin {
        item.number(attribute::ADMIN, 1)
    } else {
        item
    };
    (key, item)
}

pub(super) fn decode(conversation: ConversationId, item: &Item) -> Result<Member> {
    let user = UserId::from_uuid(item.get_id(attribute::USER)?);
    Ok(Member {
        conversation,
        user,
        ordinal: Ordinal(item.get_number(attribute::ORDINAL)?),
        role: if item.find_number::<u8>(attribute::ADMIN)?.is_some() {
            Role::Admin
        } else {
            Role::Member
        },
        joined_at: item.get_time(attribute::JOINED_AT)?,
        peer: item.find_id(attribute::PEER)?.map(UserId::from_uuid),
        read_mark: ReadMark {
            user_id: user,
            last_read_seq: item.find_number(attribute::LAST_READ_SEQ)?.unwrap_or(0),
            last_read_message_id: item
                .find_id(attribute::LAST_READ_MESSAGE)?
                .map(MessageId::from_uuid),
            read_at: item.find_time(attribute::READ_AT)?,
            alone: ReadAlone::from_bytes(item.find_bytes(attribute::READ_ALONE).unwrap_or_default()),
        },
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ranges_of_shards_cover_every_shard_once(count in 1_u16..5000) {
            let ranges = Shards::split(count);
            prop_assert_eq!(ranges.first().map(|range| range.first), Some(0));
            prop_assert_eq!(ranges.last().map(|range| range.last), Some(keys::MEMBER_SHARDS - 1));
            for pair in ranges.windows(2) {
                prop_assert_eq!(pair[0].last + 1, pair[1].first);
            }
        }
    }
}
