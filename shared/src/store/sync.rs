//! Everything that happened in all of a user's conversations since a sync token.
//!
//! A token holds a moment and, for conversations with events around that moment, the last event that was synced. A sync
//! returns every event at or after the moment that the token does not cover. The moment lies [`COMMIT_MARGIN`] before
//! the time of reading, because an entry gets its timestamp shortly before its write takes effect: no event can appear
//! before the moment after the token was issued. Tokens are not stored.

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
use crate::domain::conversation::{READS_SHOWN_UP_TO, ReadMark};
use crate::domain::ids::{ConversationId, UserId};
use crate::domain::message::Entry;
use crate::domain::time::Timestamp;
use crate::error::{Error, Result};

/// How long after its timestamp a write can still take effect: three times the timeout of a call, since the timestamp
/// may be taken one or two calls before the write, and clocks may differ.
pub const COMMIT_MARGIN: Duration = CALL_TIMEOUT.saturating_mul(3);
/// How far back a sync can go (contract §2).
pub const REACH: Duration = Duration::from_hours(720);
/// How many events a sync can cover; beyond, it reports that it is incomplete (contract §2).
pub const MOST_EVENTS: u64 = 10_000;
/// How many conversations are read concurrently.
const PARALLEL: usize = 32;

/// A user's conversation and its current state, as it was read.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The static data of the conversation.
    pub head: Head,
    /// The user's own membership.
    pub membership: Membership,
    /// The other member of a direct conversation.
    pub peer: Option<Member>,
    /// The newest entry of its log.
    pub newest: Option<Entry>,
    /// When a member of the group last read.
    group_read_at: Option<Timestamp>,
}

impl Snapshot {
    /// A snapshot whose parts were read separately.
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

    /// The time of the last message, or of the opening: the order of lists.
    pub fn active_at(&self) -> Timestamp {
        let last_message_at = self
            .newest
            .as_ref()
            .and_then(|newest| newest.tail.last_message_at);
        last_message_at.map_or(self.head.created_at, |at| at.max(self.head.created_at))
    }

    /// When any member last read.
    fn read_at(&self) -> Option<Timestamp> {
        let peer = self.peer.as_ref().and_then(|peer| peer.read_mark.read_at);
        self.membership
            .read_mark()
            .read_at
            .max(peer)
            .max(self.group_read_at)
    }

    fn id(&self) -> ConversationId {
        self.head.id
    }

    fn last_seq(&self) -> u64 {
        self.newest.as_ref().map_or(0, |newest| newest.seq)
    }
}

/// All conversations of a user. Static items are read in batches, the ends of the logs concurrently.
pub async fn snapshots(app: &App, user: UserId) -> Result<Vec<Snapshot>> {
    let conversations = members::conversations_of(app, user).await?;
    snapshots_of(app, user, conversations).await
}

/// The user's conversations whose log got an entry at or after a moment that lies some time back. Uses eventually
/// consistent reads, at half a read unit per idle conversation.
pub async fn snapshots_moved_since(app: &App, user: UserId, moment: Timestamp) -> Result<Vec<Snapshot>> {
    let conversations = members::conversations_of(app, user).await?;
    let moved: Vec<Option<ConversationId>> = stream::iter(conversations)
        .map(|id| async move {
            let newest = log::newest(app, id, Consistency::Eventual).await?;
            Ok::<_, Error>(newest.filter(|newest| newest.at >= moment).map(|_| id))
        })
        .buffer_unordered(PARALLEL)
        .try_collect()
        .await?;
    snapshots_of(app, user, moved.into_iter().flatten().collect()).await
}

/// The direct conversations of a user.
pub async fn direct_snapshots(app: &App, user: UserId) -> Result<Vec<Snapshot>> {
    let mut conversations = members::conversations_of(app, user).await?;
    conversations.retain(|conversation| conversation.is_direct());
    snapshots_of(app, user, conversations).await
}

async fn snapshots_of(app: &App, user: UserId, conversations: Vec<ConversationId>) -> Result<Vec<Snapshot>> {
    let of_one = |id: &ConversationId| [keys::head(*id), keys::member(*id, user), keys::reads(*id)];
    let keys: Vec<_> = conversations.iter().flat_map(of_one).collect();
    let items = table::get_many(app, keys, Consistency::Strong).await?;
    let mut snapshots = Vec::with_capacity(conversations.len());
    for id in conversations {
        // A member without a head belongs to a conversation whose creation was never finished.
        let (Some(head), Some(member)) = (items.get(&keys::head(id)), items.get(&keys::member(id, user)))
        else {
            continue;
        };
        let read_at = match items.get(&keys::reads(id)) {
            Some(item) => item.find_time(READ_AT)?,
            None => None,
        };
        snapshots.push(Snapshot {
            head: conversations::decode(id, head)?,
            membership: Membership::from_item(id, member)?,
            peer: None,
            newest: None,
            group_read_at: read_at,
        });
    }
    let peer_key =
        |snapshot: &Snapshot| Some(keys::member(snapshot.id(), snapshot.membership.member().peer?));
    let peers = table::get_many(
        app,
        snapshots.iter().filter_map(peer_key).collect(),
        Consistency::Strong,
    )
    .await?;
    let ends: HashMap<ConversationId, Option<Entry>> =
        stream::iter(snapshots.iter().map(Snapshot::id).collect::<Vec<_>>())
            .map(|id| async move { Ok::<_, Error>((id, log::newest(app, id, Consistency::Strong).await?)) })
            .buffer_unordered(PARALLEL)
            .try_collect()
            .await?;
    for snapshot in &mut snapshots {
        snapshot.newest = ends.get(&snapshot.id()).cloned().flatten();
        if let Some(item) = peer_key(snapshot).and_then(|key| peers.get(&key)) {
            snapshot.peer = Some(members::decode(snapshot.id(), item)?);
        }
    }
    Ok(snapshots)
}

/// What happened.
#[derive(Clone, Debug)]
pub enum SyncedEventKind {
    /// A conversation was opened.
    Opened,
    /// The log took an entry.
    Entry(Box<Entry>),
    /// A member's read mark moved.
    Read(ReadMark),
}

/// An event that a sync returns.
#[derive(Clone, Debug)]
pub struct SyncedEvent {
    /// Where.
    pub conversation: ConversationId,
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: SyncedEventKind,
}

impl SyncedEvent {
    /// Sorts events of the same moment: the opening, then log entries, then reads.
    fn order(&self) -> (Timestamp, ConversationId, u64) {
        let within = match &self.kind {
            SyncedEventKind::Opened => 0,
            SyncedEventKind::Entry(entry) => entry.seq,
            SyncedEventKind::Read(_) => u64::MAX,
        };
        (self.at, self.conversation, within)
    }
}

/// The result of a sync.
#[derive(Clone, Debug)]
pub struct SyncResult {
    /// In order; empty unless `recovered`.
    pub events: Vec<SyncedEvent>,
    /// The token for the next sync.
    pub next: Token,
    /// Whether the next sync has more events right away.
    pub has_more: bool,
    /// False if the token is too old, or too many events happened, for a complete answer.
    pub recovered: bool,
    /// What [`SyncResult::first`] needs to compute an earlier token.
    request: Request,
}

/// The parameters of the sync.
#[derive(Clone, Debug, Default)]
struct Request {
    now: Timestamp,
    token: Token,
    /// The first number to read of each log with new entries.
    starts: HashMap<ConversationId, u64>,
}

impl SyncResult {
    /// Keeps the first `count` events, for a caller that has no room for all. The next sync returns the rest.
    pub async fn first(mut self, app: &App, snapshots: &[Snapshot], count: usize) -> Result<Self> {
        if count >= self.events.len() {
            return Ok(self);
        }
        self.events.truncate(count);
        self.has_more = true;
        self.next = following(app, snapshots, &self.request, &self.events, true).await?;
        Ok(self)
    }
}

/// The token for "everything until now is known". `now` is a moment before the snapshots were read.
pub async fn from_now(app: &App, now: Timestamp, snapshots: &[Snapshot]) -> Result<Token> {
    let mut token = Token {
        since: now.minus(COMMIT_MARGIN),
        ..Token::default()
    };
    for snapshot in snapshots {
        if moved_since(snapshot, token.since) {
            token.seqs.insert(name(snapshot.id(), None), snapshot.last_seq());
        }
        for read_mark in read_marks_since(app, snapshot, token.since).await? {
            token.read_seqs.insert(
                name(snapshot.id(), Some(read_mark.user_id)),
                read_mark.last_read_seq,
            );
        }
    }
    Ok(token)
}

/// What happened since a token, at most `limit` events. `now` is a moment before the snapshots were read.
pub async fn since(
    app: &App,
    now: Timestamp,
    snapshots: &[Snapshot],
    token: &Token,
    limit: usize,
) -> Result<SyncResult> {
    if now.since(token.since) > REACH {
        return unrecovered(app, now, snapshots).await;
    }
    let mut starts = HashMap::with_capacity(snapshots.len());
    let mut count = 0;
    for snapshot in snapshots
        .iter()
        .filter(|snapshot| moved_since(snapshot, token.since))
    {
        let start = match (token.seqs.get(&name(snapshot.id(), None)), &snapshot.newest) {
            (Some(seq), _) => seq + 1,
            (None, Some(newest)) => log::first_since(app, &snapshot.membership, newest, token.since).await?,
            (None, None) => 1,
        };
        count += (snapshot.last_seq() + 1).saturating_sub(start);
        if count > MOST_EVENTS {
            return unrecovered(app, now, snapshots).await;
        }
        starts.insert(snapshot.id(), start);
    }
    let mut events = Vec::new();
    for snapshot in snapshots {
        collect(
            app,
            snapshot,
            token,
            starts.get(&snapshot.id()).copied(),
            limit,
            &mut events,
        )
        .await?;
    }
    events.sort_by_key(SyncedEvent::order);
    let has_more = events.len() > limit;
    events.truncate(limit);
    let request = Request {
        now,
        token: token.clone(),
        starts,
    };
    let next = following(app, snapshots, &request, &events, has_more).await?;
    Ok(SyncResult {
        events,
        next,
        has_more,
        recovered: true,
        request,
    })
}

async fn unrecovered(app: &App, now: Timestamp, snapshots: &[Snapshot]) -> Result<SyncResult> {
    let next = from_now(app, now, snapshots).await?;
    Ok(SyncResult {
        events: Vec::new(),
        next,
        has_more: false,
        recovered: false,
        request: Request::default(),
    })
}

/// Whether the conversation was opened, or its log got an entry, at or after a moment.
fn moved_since(snapshot: &Snapshot, moment: Timestamp) -> bool {
    snapshot.head.created_at >= moment || snapshot.newest.as_ref().is_some_and(|newest| newest.at >= moment)
}

/// The read marks of a conversation that moved at or after a moment, as far as the user is told of them.
async fn read_marks_since(app: &App, snapshot: &Snapshot, moment: Timestamp) -> Result<Vec<ReadMark>> {
    if snapshot.read_at().is_none_or(|at| at < moment) {
        return Ok(Vec::new());
    }
    let mut read_marks = match &snapshot.peer {
        Some(peer) => vec![snapshot.membership.read_mark().clone(), peer.read_mark.clone()],
        // A sync tells what is delivered to live connections, and no more.
        None if snapshot.head.members > READS_SHOWN_UP_TO => vec![snapshot.membership.read_mark().clone()],
        None => members::read_marks(app, &snapshot.membership).await?,
    };
    read_marks.retain(|read_mark| read_mark.read_at.is_some_and(|at| at >= moment));
    Ok(read_marks)
}

/// Adds the events of one conversation, at most one more than the limit.
async fn collect(
    app: &App,
    snapshot: &Snapshot,
    token: &Token,
    start: Option<u64>,
    limit: usize,
    events: &mut Vec<SyncedEvent>,
) -> Result<()> {
    let conversation = snapshot.id();
    if snapshot.head.created_at >= token.since && !token.seqs.contains_key(&name(conversation, None)) {
        events.push(SyncedEvent {
            conversation,
            at: snapshot.head.created_at,
            kind: SyncedEventKind::Opened,
        });
    }
    if let Some(start) = start {
        let most = u32::try_from(limit + 1).unwrap_or(u32::MAX);
        for entry in log::range(
            app,
            &snapshot.membership,
            (start, snapshot.last_seq()),
            false,
            most,
        )
        .await?
        {
            events.push(SyncedEvent {
                conversation,
                at: entry.at,
                kind: SyncedEventKind::Entry(Box::new(entry)),
            });
        }
    }
    for read_mark in read_marks_since(app, snapshot, token.since).await? {
        let is_told = token.read_seqs.get(&name(conversation, Some(read_mark.user_id)))
            == Some(&read_mark.last_read_seq);
        if let Some(at) = read_mark.read_at.filter(|_| !is_told) {
            events.push(SyncedEvent {
                conversation,
                at,
                kind: SyncedEventKind::Read(read_mark),
            });
        }
    }
    Ok(())
}

/// The token that follows these events.
async fn following(
    app: &App,
    snapshots: &[Snapshot],
    request: &Request,
    events: &[SyncedEvent],
    has_more: bool,
) -> Result<Token> {
    let Request { now, token, starts } = request;
    let reached = if has_more {
        events.last().map_or(token.since, |last| last.at)
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
    for event in events {
        match &event.kind {
            SyncedEventKind::Opened => {
                last_told.entry(event.conversation).or_default();
            }
            SyncedEventKind::Entry(entry) => {
                last_told.insert(event.conversation, entry.seq);
            }
            SyncedEventKind::Read(read_mark) => {
                reads_told.insert(
                    name(event.conversation, Some(read_mark.user_id)),
                    read_mark.last_read_seq,
                );
            }
        }
    }
    for snapshot in snapshots.iter().filter(|snapshot| moved_since(snapshot, since)) {
        let id = snapshot.id();
        let opening_waits = snapshot.head.created_at >= token.since
            && !token.seqs.contains_key(&name(id, None))
            && !last_told.contains_key(&id);
        if opening_waits {
            continue;
        }
        let before_start = || starts.get(&id).map_or(snapshot.last_seq(), |start| start - 1);
        next.seqs.insert(
            name(id, None),
            last_told.get(&id).copied().unwrap_or_else(before_start),
        );
    }
    for snapshot in snapshots {
        for read_mark in read_marks_since(app, snapshot, since).await? {
            let key = name(snapshot.id(), Some(read_mark.user_id));
            if let Some(seq) = reads_told.get(&key).or_else(|| token.read_seqs.get(&key)) {
                next.read_seqs.insert(key, *seq);
            }
        }
    }
    Ok(next)
}
