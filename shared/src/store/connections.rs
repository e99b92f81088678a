//! Live connections: one item per user, so that one batch read finds the connections of a hundred members.
//!
//! Each connection is an attribute of its own, named `c#` and its id. Its value is one text with the expiry and the
//! opening time in milliseconds, which parses faster than a list of two numbers. Opening a connection sets its
//! attribute, closing it or finding it gone removes that attribute and no other, and none of them reads first. A
//! waiting long-polling request is stored as `p#` and its id; a delivery in the meantime updates `sg`, the signal.
//!
//! Deliveries of messages use eventually consistent reads, at half the price: a new connection that they do not see yet
//! is caught up a little later ([`crate::queue::CatchUp`]). For the same reason they may cache for a moment what they
//! read ([`Memory`]).

pub mod ending;
mod memory;

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;

use self::memory::Memory;
use super::item::{Item, number};
use super::keys;
use super::table::{self, Consistency, Update, Written};
use crate::App;
use crate::domain::ids::{ConnectionId, UserId};
use crate::domain::time::Timestamp;
use crate::error::Result;

const CONNECTION: &str = "c#";
const WAITER: &str = "p#";
/// Abbreviated, because `signal` is a reserved word of DynamoDB.
const SIGNAL: &str = "sg";

/// A connection that has not expired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// Which.
    pub id: ConnectionId,
    /// Whether it is so new that `$connect` may not have returned yet. Until then API Gateway reports it as gone, like
    /// one that has ended.
    pub is_opening: bool,
}

/// A user's connections and waiting requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listeners {
    /// Live connections.
    pub connections: Vec<Live>,
    /// Expired connections, which may still be open.
    pub ended: Vec<ConnectionId>,
    /// Whether a long-polling request is waiting.
    pub is_polled: bool,
    /// Whether this was cached from another delivery's read.
    pub is_remembered: bool,
}

/// How long after its expiry a connection may still be open: the longest duration that API Gateway allows.
/// Source: AWS, *Amazon API Gateway quotas*, WebSocket connection duration.
const LONGEST: Duration = Duration::from_hours(2);

/// How long `$connect` may take at the most.
/// Source: AWS, *Amazon API Gateway quotas*, integration timeout of WebSocket APIs.
pub const OPENING: Duration = Duration::from_secs(29);

/// Adds a connection that expires at `ends_at`, and removes those that expired without a disconnect.
pub async fn add(app: &App, user: UserId, connection: &ConnectionId, ends_at: Timestamp) -> Result<()> {
    let name = format!("{CONNECTION}{}", connection.as_str());
    let item = set(app, user, &name, ends_at).await?;
    forget_ended(app, user, &item).await
}

/// Removes expired connections. One that has just expired may still be open, and is left for the next delivery, which
/// closes it.
async fn forget_ended(app: &App, user: UserId, item: &Item) -> Result<()> {
    let now = app.now();
    let mut over = names(item, |ends_at| ends_at <= now);
    let closed = names(item, |ends_at| ends_at.plus(LONGEST) <= now);
    over.retain(|name| name.starts_with(WAITER) || closed.contains(name));
    if !over.is_empty() {
        remove_all(app, user, &over).await?;
    }
    Ok(())
}

/// Removes a connection.
pub async fn remove(app: &App, user: UserId, connection: &ConnectionId) -> Result<()> {
    remove_all(app, user, &[format!("{CONNECTION}{}", connection.as_str())]).await
}

/// Removes a user from the cache, so that the next delivery reads them again.
pub(crate) fn forget(app: &App, user: UserId) {
    app.remembered::<Memory>().forget(user);
}

/// The listeners of many users.
pub(crate) async fn of_many(
    app: &App,
    users: &[UserId],
    consistency: Consistency,
) -> Result<HashMap<UserId, Listeners>> {
    let mut found = remembered(app, users, consistency);
    let unknown = users.iter().filter(|user| !found.contains_key(user));
    let unknown: Vec<_> = unknown.map(|user| (*user, keys::connections(*user))).collect();
    let wanted = unknown.iter().map(|(_, key)| key.clone()).collect();
    let asked_at = app.now();
    let items = table::get_many(app, wanted, consistency).await?;
    let read = unknown.iter().filter_map(|(user, key)| {
        let item = items.get(key)?;
        Some((*user, read(app, *user, item, (consistency, asked_at))))
    });
    found.extend(read);
    Ok(found)
}

/// The listeners of those users that are cached, if the consistency allows using the cache.
pub(super) fn remembered(
    app: &App,
    users: &[UserId],
    consistency: Consistency,
) -> HashMap<UserId, Listeners> {
    if consistency == Consistency::Strong {
        return HashMap::new();
    }
    let memory = app.remembered::<Memory>();
    let find = |user: &UserId| Some((*user, memory.find(app, *user)?));
    users.iter().filter_map(find).collect()
}

/// Decodes the listeners from a user's item.
pub(super) fn read(
    app: &App,
    user: UserId,
    item: &Item,
    (consistency, asked_at): (Consistency, Timestamp),
) -> Listeners {
    let spans = spans(item);
    if consistency == Consistency::Eventual {
        app.remembered::<Memory>().note(app, user, &spans, asked_at);
    }
    listening(spans.into_iter(), app.now())
}

/// The listeners at a moment.
fn listening<'a>(spans: impl Iterator<Item = (&'a str, Span)>, now: Timestamp) -> Listeners {
    let mut listeners = Listeners::default();
    for (name, span) in spans {
        let is_live = span.ends_at > now;
        match name.strip_prefix(CONNECTION).map(ConnectionId::new) {
            Some(id) if is_live => listeners.connections.push(Live {
                id,
                is_opening: now <= span.opened_at.plus(OPENING),
            }),
            Some(id) => listeners.ended.push(id),
            None => listeners.is_polled |= is_live,
        }
    }
    listeners
}

/// Registers a waiting request. Returns the signal as [`signal_of`] does.
pub async fn wait(app: &App, user: UserId, waiter: &str, ends_at: Timestamp) -> Result<Option<Timestamp>> {
    let item = set(app, user, &format!("{WAITER}{waiter}"), ends_at).await?;
    forget_ended(app, user, &item).await?;
    item.find_time(SIGNAL)
}

/// Removes a waiting request.
pub async fn stop_waiting(app: &App, user: UserId, waiter: &str) -> Result<()> {
    remove_all(app, user, &[format!("{WAITER}{waiter}")]).await
}

/// When something was last delivered to a waiting request of the user.
pub async fn signal_of(app: &App, user: UserId) -> Result<Option<Timestamp>> {
    match table::get(app, &keys::connections(user), Consistency::Strong).await? {
        Some(item) => item.find_time(SIGNAL),
        None => Ok(None),
    }
}

/// Wakes the user's waiting requests. Each signal differs from the previous one, even within one millisecond.
pub(crate) async fn signal(app: &App, user: UserId) -> Result<()> {
    let now = number(app.now().milliseconds());
    let raise = Update::new(keys::connections(user), format!("SET {SIGNAL} = :now"))
        .only_if(format!("attribute_not_exists({SIGNAL}) OR {SIGNAL} < :now"))
        .value(":now", now);
    match raise.send(app).await? {
        Written::Done(_) => Ok(()),
        Written::Refused(_) => {
            let step =
                Update::new(keys::connections(user), format!("ADD {SIGNAL} :one")).value(":one", number(1));
            step.send(app).await.map(|_| ())
        }
    }
}

async fn set(app: &App, user: UserId, name: &str, ends_at: Timestamp) -> Result<Item> {
    // The item's own expiry only cleans up after users who never return; it is later than that of each connection.
    let expires = ends_at.seconds() + 24 * 60 * 60;
    let span = Span {
        ends_at,
        opened_at: app.now(),
    };
    let update = Update::new(
        keys::connections(user),
        format!("SET #name = :span, {} = :expires", keys::EXPIRES),
    )
    .name("#name", name)
    .value(":span", AttributeValue::S(span.to_string()))
    .value(":expires", number(expires));
    match update.send(app).await? {
        Written::Done(item) | Written::Refused(item) => Ok(item),
    }
}

async fn remove_all(app: &App, user: UserId, names: &[String]) -> Result<()> {
    forget(app, user);
    let placeholders: Vec<String> = (0..names.len()).map(|index| format!("#n{index}")).collect();
    let mut update = Update::new(
        keys::connections(user),
        format!("REMOVE {}", placeholders.join(", ")),
    )
    // Otherwise the removal would create an empty item for a user without one.
    .only_if(format!("attribute_exists({})", keys::PARTITION));
    for (placeholder, name) in placeholders.iter().zip(names) {
        update = update.name(placeholder, name);
    }
    update.send(app).await.map(|_| ())
}

/// The attributes of connections and waiting requests whose expiry matches.
fn names(item: &Item, wanted: impl Fn(Timestamp) -> bool) -> Vec<String> {
    let wanted = spans(item).into_iter().filter(|(_, span)| wanted(span.ends_at));
    wanted.map(|(name, _)| name.to_owned()).collect()
}

/// From when until when at the latest somebody listens.
#[derive(Clone, Copy, Debug)]
struct Span {
    ends_at: Timestamp,
    opened_at: Timestamp,
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ends_at, opened_at) = (self.ends_at.milliseconds(), self.opened_at.milliseconds());
        write!(f, "{ends_at} {opened_at}")
    }
}

impl Span {
    fn parse(text: &str) -> Option<Self> {
        let (ends_at, opened_at) = text.split_once(' ')?;
        let moment = |text: &str| text.parse().ok().map(Timestamp::from_milliseconds);
        Some(Self {
            ends_at: moment(ends_at)?,
            opened_at: moment(opened_at)?,
        })
    }
}

/// The connections and waiting requests of an item, by attribute name.
fn spans(item: &Item) -> Vec<(&str, Span)> {
    let mut spans: Vec<_> = item
        .0
        .iter()
        .filter(|(name, _)| name.starts_with(CONNECTION) || name.starts_with(WAITER))
        .filter_map(|(name, value)| Some((name.as_str(), Span::parse(value.as_s().ok()?)?)))
        .collect();
    spans.sort_by_key(|(name, _)| *name);
    spans
}
