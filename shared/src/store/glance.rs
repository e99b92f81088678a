//! What a delivery has to know, in one read where its keys are known.

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

/// What there is to know about an entry of a log and some members, for a worker.
#[derive(Clone, Debug)]
pub struct Glance {
    /// The entry; none if it is not there, or not yet.
    pub entry: Option<Entry>,
    /// Whether something has happened since, if that was asked.
    pub has_next: bool,
    /// What does not change about the conversation; none if it is not there, or not yet.
    pub head: Option<Head>,
    /// Those who are members, with their cursors.
    pub members: Vec<Member>,
    /// Where they listen, in the order of the members.
    pub listeners: Vec<Listeners>,
}

/// What to look for.
#[derive(Clone, Copy, Debug)]
pub struct Sight<'a> {
    /// The conversation.
    pub conversation: ConversationId,
    /// The number of the entry.
    pub seq: u64,
    /// Whether there is a next entry, too.
    pub next: bool,
    /// The members; if there are none, the conversation instead of them.
    pub users: &'a [UserId],
}

/// Reads an entry, whether there is a next one, some members and where they listen, all at once.
///
/// What is read eventually may lag behind, and each part by itself. An entry and a membership that are there are there,
/// and whoever misses one asks again, strongly. A cursor, that there is no next entry, or that a message is not deleted
/// may be of a moment before, as it may be by the time at which the frame arrives; of a deletion tells its own entry.
pub async fn at(app: &App, _: Worker, sight: Sight<'_>, consistency: Consistency) -> Result<Glance> {
    let Sight {
        conversation,
        seq,
        users,
        ..
    } = sight;
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
        .chain(sight.next.then(|| next.clone()))
        .chain(users.is_empty().then(|| keys::head(conversation)))
        .collect();
    let asked_at = app.now();
    let items = table::get_many(app, keys, consistency).await?;
    let mut glance = Glance {
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
        glance.members.push(members::decode(conversation, member)?);
        let read = |item| connections::read(app, *user, item, (consistency, asked_at));
        let listeners = remembered
            .remove(user)
            .or_else(|| items.get(&keys::connections(*user)).map(read));
        glance.listeners.push(listeners.unwrap_or_default());
    }
    Ok(glance)
}
