//! Everything that a delivery needs to know, in one batch read.

use super::Worker;
use super::connections::{self, Listeners};
use super::conversations::{self, Head};
use super::keys;
use super::log;
use super::members::{self, Member};
use super::table::{self, Consistency};
use crate::App;
use crate::domain::ids::{ConversationId, UserId};
use crate::domain::message::Entry;
use crate::error::Result;

/// An entry of a log, and some members with their connections.
#[derive(Clone, Debug)]
pub struct DeliveryData {
    /// None if it does not exist yet.
    pub entry: Option<Entry>,
    /// Whether the log has a later entry; only if the query asks.
    pub has_next: bool,
    /// The static data of the conversation; none if it does not exist yet.
    pub head: Option<Head>,
    /// Those of the users who are members, with their read marks.
    pub members: Vec<Member>,
    /// Their connections, in the order of the members.
    pub listeners: Vec<Listeners>,
}

/// What to read.
#[derive(Clone, Copy, Debug)]
pub struct DeliveryQuery<'a> {
    /// The conversation.
    pub conversation: ConversationId,
    /// The number of the entry.
    pub seq: u64,
    /// Whether to look for a later entry too.
    pub next: bool,
    /// The members; if empty, the conversation's head is read instead.
    pub users: &'a [UserId],
}

/// Reads an entry, whether a later one exists, some members and their connections, in one batch.
///
/// Eventually consistent reads may lag, each item by itself. An entry or membership that is found is valid; if one is
/// missing, the caller reads again, strongly consistent. Read marks, the absence of a later entry, and a missing
/// deletion may be slightly outdated, as they may be anyway when the frame arrives; a deletion has an entry of its own.
pub async fn read(
    app: &App,
    _: Worker,
    query: DeliveryQuery<'_>,
    consistency: Consistency,
) -> Result<DeliveryData> {
    let DeliveryQuery {
        conversation,
        seq,
        users,
        ..
    } = query;
    let (this, next) = (keys::entry(conversation, seq), keys::entry(conversation, seq + 1));
    let mut remembered = connections::remembered(app, users, consistency);
    let of_user = |user: &UserId| {
        let connections = (!remembered.contains_key(user)).then(|| keys::connections(*user));
        std::iter::once(keys::member(conversation, *user)).chain(connections)
    };
    let keys = users
        .iter()
        .flat_map(of_user)
        .chain([this.clone()])
        .chain(query.next.then(|| next.clone()))
        .chain(users.is_empty().then(|| keys::head(conversation)))
        .collect();
    let asked_at = app.now();
    let items = table::get_many(app, keys, consistency).await?;
    let mut data = DeliveryData {
        entry: items.get(&this).map(log::decode).transpose()?,
        has_next: items.contains_key(&next),
        head: items
            .get(&keys::head(conversation))
            .map(|item| conversations::decode(conversation, item))
            .transpose()?,
        members: Vec::new(),
        listeners: Vec::new(),
    };
    for user in users {
        let Some(member) = items.get(&keys::member(conversation, *user)) else {
            continue;
        };
        data.members.push(members::decode(conversation, member)?);
        let read = |item| connections::read(app, *user, item, (consistency, asked_at));
        let listeners = remembered
            .remove(user)
            .or_else(|| items.get(&keys::connections(*user)).map(read));
        data.listeners.push(listeners.unwrap_or_default());
    }
    Ok(data)
}
