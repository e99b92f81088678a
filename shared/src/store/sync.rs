//! What happened in all of a user's conversations since a token.
//!
//! A token is a moment and, for what happened around it, how far each conversation had been told. What is
//! told next is every entry at or after the moment that the token does not name. The moment lies
//! [`COMMIT_MARGIN`] before the time of reading, because an entry gets its time a little before its write takes
//! effect: so nothing can appear before the moment once the token is out. No write is ever made for a token.

mod token;

use std::collections::HashMap;
use std::time::Duration;

use futures::stream::{self, StreamExt as _, TryStreamExt as _};

pub use token::Token;
use token::{Name, name};

use super::conversations::{self, Head};
use super::keys;
use super::log;
use super::members::{self, Member, Membership, attribute::READ_AT};
use super::table::{self, Consistency};
use crate::App;
use crate::CALL_TIMEOUT;
use crate::domain::conversation::Cursor;
use crate::domain::ids::{ConversationId, UserId};
use crate::domain::message::Entry;
use crate::domain::time::Timestamp;
use crate::error::{Error, Result};

/// How long after its time a write can still take effect: a call's own time, thrice, for what is stamped a
/// call or two before it is written, and for clocks that differ.
pub const COMMIT_MARGIN: Duration = CALL_TIMEOUT.saturating_mul(3);
/// How far back a sync reaches (contract §2).
pub const REACH: Duration = Duration::from_hours(720);
/// How many events a sync tells at the most before it says that it is not complete (contract §2).
pub const MOST_EVENTS: u64 = 10_000;
/// How many conversations are asked at once.
const PARALLEL: usize = 32;

/// One of a user's conversations, with where it stands.
#[derive(Clone, Debug)]
pub struct Place {
    /// What does not change about it.
    pub head: Head,
    /// The user in it.
    pub membership: Membership,
    /// The other one, in a direct conversation.
    pub peer: Option<Member>,
    /// The end of its log.
    pub newest: Option<Entry>,
    /// When a member last read, in a group.
    group_read_at: Option<Timestamp>,
}

impl Place {
    /// A conversation whose parts were read one by one.
    pub(crate) fn new(
        head: Head,
        membership: Membership,
        peer: Option<Member>,
        newest: Option<Entry>,
    ) -> Self {
        Self {
            head,
            membership,
            peer,
            newest,
            group_read_at: None,
        }
    }

    /// When something last happened that a list is ordered by.
    pub fn active_at(&self) -> Timestamp {
        let last_message_at = self
            .newest
            .as_ref()
            .and_then(|newest| newest.tail.last_message_at);
        last_message_at.map_or(self.head.created_at, |at| at.max(self.head.created_at))
    }

    /// When somebody last read.
    fn read_at(&self) -> Option<Timestamp> {
        let peer = self.peer.as_ref().and_then(|peer| peer.cursor.read_at);
        self.membership.cursor().read_at.max(peer).max(self.group_read_at)
    }

    fn id(&self) -> ConversationId {
        self.head.id
    }

    fn last_seq(&self) -> u64 {
        self.newest.as_ref().map_or(0, |newest| newest.seq)
    }
}

/// All conversations of a user: their static items in batches, the ends of their logs side by side.
pub async fn places(app: &App, user: UserId) -> Result<Vec<Place>> {
    let conversations = members::conversations_of(app, user).await?;
    places_of(app, user, conversations).await
}

/// Those of a user's conversations whose log took something at or after a moment some time ago, as far as eventually
/// consistent reads show: half a unit for each conversation that rests.
pub async fn places_moved_since(app: &App, user: UserId, moment: Timestamp) -> Result<Vec<Place>> {
    let conversations = members::conversations_of(app, user).await?;
    let moved: Vec<Option<ConversationId>> = stream::iter(conversations)
        .map(|id| async move {
            let newest = log::newest(app, id, Consistency::Eventual).await?;
            Ok::<_, Error>(newest.filter(|newest| newest.at >= moment).map(|_| id))
        })
        .buffer_unordered(PARALLEL)
        .try_collect()
        .await?;
    places_of(app, user, moved.into_iter().flatten().collect()).await
}

/// The direct conversations of a user.
pub async fn direct_places(app: &App, user: UserId) -> Result<Vec<Place>> {
    let mut conversations = members::conversations_of(app, user).await?;
    conversations.retain(|conversation| conversation.is_direct());
    places_of(app, user, conversations).await
}

async fn places_of(app: &App, user: UserId, conversations: Vec<ConversationId>) -> Result<Vec<Place>> {
    let of_one = |id: &ConversationId| [keys::head(*id), keys::member(*id, user), keys::reads(*id)];
    let keys: Vec<_> = conversations.iter().flat_map(of_one).collect();
    let items = table::get_many(app, keys, Consistency::Strong).await?;
    let mut places = Vec::with_capacity(conversations.len());
    for id in conversations {
        // Members without a head belong to a conversation whose opening was never finished.
        let (Some(head), Some(member)) = (items.get(&keys::head(id)), items.get(&keys::member(id, user)))
        else {
            continue;
        };
        let read_at = match items.get(&keys::reads(id)) {
            Some(item) => item.find_time(READ_AT)?,
            None => None,
        };
        places.push(Place {
            head: conversations::decode(id, head)?,
            membership: Membership::from_item(id, member)?,
            peer: None,
            newest: None,
            group_read_at: read_at,
        });
    }
    let peer_key = |place: &Place| Some(keys::member(place.id(), place.membership.member().peer?));
    let peers = table::get_many(
        app,
        places.iter().filter_map(peer_key).collect(),
        Consistency::Strong,
    )
    .await?;
    let ends: HashMap<ConversationId, Option<Entry>> =
        stream::iter(places.iter().map(Place::id).collect::<Vec<_>>())
            .map(|id| async move { Ok::<_, Error>((id, log::newest(app, id, Consistency::Strong).await?)) })
            .buffer_unordered(PARALLEL)
            .try_collect()
            .await?;
    for place in &mut places {
        place.newest = ends.get(&place.id()).cloned().flatten();
        if let Some(item) = peer_key(place).and_then(|key| peers.get(&key)) {
            place.peer = Some(members::decode(place.id(), item)?);
        }
    }
    Ok(places)
}

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Happening {
    /// A conversation was opened.
    Opened,
    /// The log took an entry.
    Entry(Box<Entry>),
    /// A member's cursor moved.
    Read(Cursor),
}

/// What happened where and when.
#[derive(Clone, Debug)]
pub struct Told {
    /// Where.
    pub conversation: ConversationId,
    /// When.
    pub at: Timestamp,
    /// What.
    pub happening: Happening,
}

impl Told {
    /// Within a moment: the opening, then the log, then reads.
    fn order(&self) -> (Timestamp, ConversationId, u64) {
        let within = match &self.happening {
            Happening::Opened => 0,
            Happening::Entry(entry) => entry.seq,
            Happening::Read(_) => u64::MAX,
        };
        (self.at, self.conversation, within)
    }
}

/// What a sync found.
#[derive(Clone, Debug)]
pub struct Since {
    /// What happened, in order; empty unless `recovered`.
    pub told: Vec<Told>,
    /// Where to go on.
    pub next: Token,
    /// Whether there is more to be told at once.
    pub has_more: bool,
    /// False if the token is too old for a complete answer.
    pub recovered: bool,
    /// What [`Since::first`] needs to go back to an earlier place.
    asked: Asked,
}

/// What was asked, and when.
#[derive(Clone, Debug, Default)]
struct Asked {
    now: Timestamp,
    token: Token,
    /// Where the logs begin that have something to tell.
    starts: HashMap<ConversationId, u64>,
}

impl Since {
    /// The first `count` of what happened: the rest is told by the next sync. For whoever has no room for all.
    pub async fn first(mut self, app: &App, places: &[Place], count: usize) -> Result<Self> {
        if count >= self.told.len() {
            return Ok(self);
        }
        self.told.truncate(count);
        self.has_more = true;
        self.next = following(app, places, &self.asked, &self.told, true).await?;
        Ok(self)
    }
}

/// The token that stands for "everything so far is known". `now` is a moment before the places were read.
pub async fn from_now(app: &App, now: Timestamp, places: &[Place]) -> Result<Token> {
    let mut token = Token {
        since: now.minus(COMMIT_MARGIN),
        ..Token::default()
    };
    for place in places {
        if moved_since(place, token.since) {
            token.told.insert(name(place.id(), None), place.last_seq());
        }
        for cursor in cursors_since(app, place, token.since).await? {
            token
                .told_reads
                .insert(name(place.id(), Some(cursor.user_id)), cursor.last_read_seq);
        }
    }
    Ok(token)
}

/// What happened since a token, at most `limit` events. `now` is a moment before the places were read.
pub async fn since(
    app: &App,
    now: Timestamp,
    places: &[Place],
    token: &Token,
    limit: usize,
) -> Result<Since> {
    if now.since(token.since) > REACH {
        return unrecovered(app, now, places).await;
    }
    let mut starts = HashMap::with_capacity(places.len());
    let mut count = 0;
    for place in places.iter().filter(|place| moved_since(place, token.since)) {
        let start = match (token.told.get(&name(place.id(), None)), &place.newest) {
            (Some(seq), _) => seq + 1,
            (None, Some(newest)) => log::first_since(app, &place.membership, newest, token.since).await?,
            (None, None) => 1,
        };
        count += (place.last_seq() + 1).saturating_sub(start);
        if count > MOST_EVENTS {
            return unrecovered(app, now, places).await;
        }
        starts.insert(place.id(), start);
    }
    let mut told = Vec::new();
    for place in places {
        collect(
            app,
            place,
            token,
            starts.get(&place.id()).copied(),
            limit,
            &mut told,
        )
        .await?;
    }
    told.sort_by_key(Told::order);
    let has_more = told.len() > limit;
    told.truncate(limit);
    let asked = Asked {
        now,
        token: token.clone(),
        starts,
    };
    let next = following(app, places, &asked, &told, has_more).await?;
    Ok(Since {
        told,
        next,
        has_more,
        recovered: true,
        asked,
    })
}

async fn unrecovered(app: &App, now: Timestamp, places: &[Place]) -> Result<Since> {
    let next = from_now(app, now, places).await?;
    Ok(Since {
        told: Vec::new(),
        next,
        has_more: false,
        recovered: false,
        asked: Asked::default(),
    })
}

/// Whether the log or the opening lies at or after a moment.
fn moved_since(place: &Place, moment: Timestamp) -> bool {
    place.head.created_at >= moment || place.newest.as_ref().is_some_and(|newest| newest.at >= moment)
}

/// The cursors of a conversation that moved at or after a moment.
async fn cursors_since(app: &App, place: &Place, moment: Timestamp) -> Result<Vec<Cursor>> {
    if place.read_at().is_none_or(|at| at < moment) {
        return Ok(Vec::new());
    }
    let mut cursors = match &place.peer {
        Some(peer) => vec![place.membership.cursor().clone(), peer.cursor.clone()],
        None => members::cursors(app, &place.membership).await?,
    };
    cursors.retain(|cursor| cursor.read_at.is_some_and(|at| at >= moment));
    Ok(cursors)
}

/// Adds what happened in one conversation, at most one more than the limit.
async fn collect(
    app: &App,
    place: &Place,
    token: &Token,
    start: Option<u64>,
    limit: usize,
    told: &mut Vec<Told>,
) -> Result<()> {
    let conversation = place.id();
    if place.head.created_at >= token.since && !token.told.contains_key(&name(conversation, None)) {
        told.push(Told {
            conversation,
            at: place.head.created_at,
            happening: Happening::Opened,
        });
    }
    if let Some(start) = start {
        let most = u32::try_from(limit + 1).unwrap_or(u32::MAX);
        for entry in log::range(app, &place.membership, (start, place.last_seq()), false, most).await? {
            told.push(Told {
                conversation,
                at: entry.at,
                happening: Happening::Entry(Box::new(entry)),
            });
        }
    }
    for cursor in cursors_since(app, place, token.since).await? {
        let is_told =
            token.told_reads.get(&name(conversation, Some(cursor.user_id))) == Some(&cursor.last_read_seq);
        if let Some(at) = cursor.read_at.filter(|_| !is_told) {
            told.push(Told {
                conversation,
                at,
                happening: Happening::Read(cursor),
            });
        }
    }
    Ok(())
}

/// The token behind what was told.
async fn following(
    app: &App,
    places: &[Place],
    asked: &Asked,
    told: &[Told],
    has_more: bool,
) -> Result<Token> {
    let Asked { now, token, starts } = asked;
    let reached = if has_more {
        told.last().map_or(token.since, |last| last.at)
    } else {
        *now
    };
    let since = reached.min(now.minus(COMMIT_MARGIN)).max(token.since);
    let mut next = Token {
        since,
        ..Token::default()
    };
    let mut last_told: HashMap<ConversationId, u64> = HashMap::new();
    let mut reads_told: HashMap<Name, u64> = HashMap::new();
    for event in told {
        match &event.happening {
            Happening::Opened => {
                last_told.entry(event.conversation).or_default();
            }
            Happening::Entry(entry) => {
                last_told.insert(event.conversation, entry.seq);
            }
            Happening::Read(cursor) => {
                reads_told.insert(
                    name(event.conversation, Some(cursor.user_id)),
                    cursor.last_read_seq,
                );
            }
        }
    }
    for place in places.iter().filter(|place| moved_since(place, since)) {
        let id = place.id();
        let opening_waits = place.head.created_at >= token.since
            && !token.told.contains_key(&name(id, None))
            && !last_told.contains_key(&id);
        if opening_waits {
            continue;
        }
        let before_start = || starts.get(&id).map_or(place.last_seq(), |start| start - 1);
        next.told.insert(
            name(id, None),
            last_told.get(&id).copied().unwrap_or_else(before_start),
        );
    }
    for place in places {
        for cursor in cursors_since(app, place, since).await? {
            let key = name(place.id(), Some(cursor.user_id));
            if let Some(seq) = reads_told.get(&key).or_else(|| token.told_reads.get(&key)) {
                next.told_reads.insert(key, *seq);
            }
        }
    }
    Ok(next)
}
