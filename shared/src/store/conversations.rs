//! Conversations: opening them, and reading their static data.

use super::Worker;
use super::item::Item;
use super::keys::{self, Key};
use super::members::{self, Member, Membership};
use super::once::{Earlier, Once};
use super::table::{self, Condition, Consistency, Transacted, Transaction, Written};
use crate::App;
use crate::domain::conversation::{ReadMark, Role};
use crate::domain::ids::{ConversationId, UserId};
use crate::domain::read_alone::ReadAlone;
use crate::domain::text::{ConversationDescription, ConversationName};
use crate::domain::time::Timestamp;
use crate::domain::unread::Ordinal;
use crate::error::{Error, Result};

/// The static data of a conversation. A send never rewrites it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The id.
    pub id: ConversationId,
    /// When it was opened.
    pub created_at: Timestamp,
    /// How many members it has.
    pub members: u32,
    /// The data of a group; none for a direct conversation.
    pub group: Option<Group>,
}

/// What only a group has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: Option<String>,
}

/// Whether opening created a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// It was created.
    New(Head),
    /// It existed already.
    Existing(Head),
}

/// Opens the direct conversation of two people, once, whoever opens it and however often.
///
/// The members are written first, identically by every attempt; the head, which makes the conversation exist, is
/// written last and only once. An attempt that dies in between leaves nothing visible.
pub async fn open_direct(app: &App, caller: UserId, other: UserId) -> Result<Opened> {
    let id = ConversationId::direct(caller, other);
    if let Some(head) = find(app, id).await? {
        return Ok(Opened::Existing(head));
    }
    let joined_at = app.now();
    // Members are ordered by id, so each one's ordinal is the same whoever opens the conversation.
    let (low, high) = if caller <= other {
        (caller, other)
    } else {
        (other, caller)
    };
    for (ordinal, user, peer) in [(0, low, high), (1, high, low)] {
        let member = newcomer(id, user, Ordinal(ordinal), Role::Member, joined_at, Some(peer));
        let (_, item) = members::encode(&member);
        // If it was opened a moment ago, its members may have read marks already.
        match table::put(app, item, Condition::absent()).await? {
            Written::Done(_) | Written::Refused(_) => {}
        }
    }
    put_head(
        app,
        Head {
            id,
            created_at: app.now(),
            members: 2,
            group: None,
        },
    )
    .await
}

/// Opens a group, once for all requests with a key; also returns whether an earlier one opened it. `others` must
/// contain neither the caller nor duplicates.
///
/// Each attempt writes the members of a conversation of its own, which nobody can see. The head makes one of these
/// conversations exist, and the idempotency record is in the same transaction: the other attempts find it, and remove
/// their members.
///
/// # Errors
/// [`Error::IdempotencyKeyReused`] if the key was used for another group.
pub async fn open_group(
    app: &App,
    caller: UserId,
    others: &[UserId],
    name: &ConversationName,
    description: Option<&ConversationDescription>,
    once: Option<&Once>,
) -> Result<(Head, bool)> {
    if let Some(once) = once
        && let Some(earlier) = once.earlier(app).await?
    {
        return opened_earlier(app, earlier).await;
    }
    let begun_at = app.now();
    let id = ConversationId::generate(begun_at);
    let mut items = Vec::with_capacity(others.len() + 1);
    for (index, user) in std::iter::once(&caller).chain(others).enumerate() {
        let ordinal = Ordinal(u16::try_from(index).map_err(Error::internal)?);
        let role = if *user == caller {
            Role::Admin
        } else {
            Role::Member
        };
        items.push(members::encode(&newcomer(id, *user, ordinal, role, begun_at, None)).1);
    }
    let members = u32::try_from(items.len()).map_err(Error::internal)?;
    let keys: Vec<Key> = items.iter().map(table::key_of).collect::<Result<_>>()?;
    table::put_many(app, items).await?;
    let group = Group {
        name: name.as_str().to_owned(),
        description: description.map(|description| description.as_str().to_owned()),
    };
    // The time is taken now: writing a thousand members takes a while, and a sync finds the conversation by its time.
    let head = Head {
        id,
        created_at: app.now(),
        members,
        group: Some(group),
    };
    let Some(once) = once else {
        let (Opened::New(head) | Opened::Existing(head)) = put_head(app, head).await?;
        return Ok((head, false));
    };
    let transaction = Transaction::default()
        .put(once.marker(id.uuid()), Once::is_first(app.now()))
        .put(encode(&head), Condition::absent());
    match transaction.send(app).await? {
        Transacted::Done => Ok((head, false)),
        Transacted::Refused(parts) => {
            let Some(Some(marker)) = parts.first() else {
                return Err(Error::internal("a group has an id that was drawn before"));
            };
            let earlier = once.found(marker);
            // A failure here is harmless: the members stay invisible, as after an attempt that died.
            table::remove_many(app, keys).await.ok();
            opened_earlier(app, earlier?).await
        }
    }
}

/// The group that an earlier request opened.
async fn opened_earlier(app: &App, earlier: Earlier) -> Result<(Head, bool)> {
    let head = find(app, ConversationId::from_uuid(earlier.made)).await?;
    let head = head.ok_or_else(|| Error::internal("the group of an idempotency key does not exist"))?;
    Ok((head, true))
}

/// A conversation, for a worker.
pub async fn head_for_worker(app: &App, _: Worker, id: ConversationId) -> Result<Option<Head>> {
    find(app, id).await
}

pub(super) async fn find(app: &App, id: ConversationId) -> Result<Option<Head>> {
    let item = table::get(app, &keys::head(id), Consistency::Strong).await?;
    item.map(|item| decode(id, &item)).transpose()
}

/// The static data of the caller's conversation.
pub async fn head(app: &App, member: &Membership) -> Result<Head> {
    find(app, member.conversation())
        .await?
        .ok_or(Error::NotFound("conversation"))
}

fn newcomer(
    conversation: ConversationId,
    user: UserId,
    ordinal: Ordinal,
    role: Role,
    joined_at: Timestamp,
    peer: Option<UserId>,
) -> Member {
    let read_mark = ReadMark {
        user_id: user,
        last_read_seq: 0,
        last_read_message_id: None,
        read_at: None,
        alone: ReadAlone::default(),
    };
    Member {
        conversation,
        user,
        ordinal,
        role,
        joined_at,
        peer,
        read_mark,
    }
}

async fn put_head(app: &App, head: Head) -> Result<Opened> {
    match table::put(app, encode(&head), Condition::absent()).await? {
        Written::Done(_) => Ok(Opened::New(head)),
        Written::Refused(item) => decode(head.id, &item).map(Opened::Existing),
    }
}

/// The attributes of heads.
mod attribute {
    /// When it was opened, in milliseconds since 1970.
    pub(super) const CREATED_AT: &str = "a";
    /// The description of a group.
    pub(super) const DESCRIPTION: &str = "e";
    /// The name of a group; a direct conversation has none.
    pub(super) const NAME: &str = "n";
    /// How many members.
    pub(super) const MEMBERS: &str = "p";
}

fn encode(head: &Head) -> Item {
    let item = Item::new(&keys::head(head.id))
        .number(attribute::CREATED_AT, head.created_at.milliseconds())
        .number(attribute::MEMBERS, head.members);
    match &head.group {
        Some(group) => item
            .text(attribute::NAME, &group.name)
            .optional_text(attribute::DESCRIPTION, group.description.as_deref()),
        None => item,
    }
}

pub(super) fn decode(id: ConversationId, item: &Item) -> Result<Head> {
    let group = item.find_text(attribute::NAME).map(|name| Group {
        name: name.to_owned(),
        description: item.find_text(attribute::DESCRIPTION).map(str::to_owned),
    });
    Ok(Head {
        id,
        created_at: item.get_time(attribute::CREATED_AT)?,
        members: item.get_number(attribute::MEMBERS)?,
        group,
    })
}
