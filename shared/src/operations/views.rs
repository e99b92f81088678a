//! What clients see, assembled from what is stored: conversations with their members, and frames.

pub mod mail;

use std::collections::HashMap;

use crate::App;
use crate::domain::conversation::{Conversation, PARTICIPANTS_LIMIT, Participant, ReadMark};
use crate::domain::frame::{
    ConversationCreated, Frame, MessageDeleted, MessageModerated, MessageRead, MessageStatus, Namespace,
    NewMessage, UnreadSummary,
};
use crate::domain::ids::{ConversationId, UserId};
use crate::domain::message::{Entry, Event, Message, Viewpoint};
use crate::domain::message_v2::Between;
use crate::domain::user::{Card, Claims};
use crate::error::{Error, Result};
use crate::store::conversations::Head;
use crate::store::members::{Member, Membership};
use crate::store::sync::{Snapshot, SyncedEvent, SyncedEventKind};
use crate::store::table::Consistency;
use crate::store::{conversations, log, members, profiles};

/// The frame of a log entry, as a viewer sees it. `unread_count` is only in posted frames.
///
/// # Errors
/// A moderation entry without its [message](log::subjects).
pub fn entry_frame(
    viewpoint: &Viewpoint<'_>,
    entry: &Entry,
    subject: Option<&Entry>,
    unread_count: Option<u32>,
) -> Result<Frame> {
    let conversation_id = viewpoint.conversation;
    Ok(match &entry.event {
        Event::Message(content) => Frame::NewMessage(NewMessage {
            namespace: Namespace::Conversations,
            conversation_id,
            seq: entry.seq,
            message: viewpoint.message(entry.seq, entry.at, content),
            unread_count,
        }),
        Event::Deletion { message_id, .. } => Frame::MessageDeleted(MessageDeleted {
            namespace: Namespace::Conversations,
            conversation_id,
            message_id: *message_id,
            seq: entry.seq,
            unread_count,
        }),
        Event::Moderation {
            message_id, status, ..
        } => {
            let message = subject.and_then(|subject| message(viewpoint, subject));
            Frame::MessageModerated(MessageModerated {
                namespace: Namespace::Conversations,
                conversation_id,
                message_id: *message_id,
                seq: entry.seq,
                moderation_status: *status,
                message: message.ok_or_else(|| Error::internal("a moderation entry without its message"))?,
                unread_count,
            })
        }
    })
}

/// The message of an entry; none for other entries.
fn message(viewpoint: &Viewpoint<'_>, entry: &Entry) -> Option<Message> {
    match &entry.event {
        Event::Message(content) => Some(viewpoint.message(entry.seq, entry.at, content)),
        Event::Deletion { .. } | Event::Moderation { .. } => None,
    }
}

/// The frame of an opened conversation.
pub fn opened_frame(conversation: Conversation) -> Frame {
    Frame::ConversationCreated(ConversationCreated {
        namespace: Namespace::Conversations,
        seq: 0,
        conversation,
    })
}

/// The frame of a member's read mark; none if it never moved.
pub fn read_frame(
    conversation: ConversationId,
    read_mark: &ReadMark,
    unread_count: Option<u32>,
) -> Option<Frame> {
    Some(Frame::MessageRead(MessageRead {
        namespace: Namespace::Conversations,
        conversation_id: conversation,
        user_id: read_mark.user_id,
        message_id: read_mark.last_read_message_id?,
        seq: read_mark.last_read_seq,
        read_at: read_mark.read_at?,
        unread_count,
    }))
}

/// The frame of a person-to-person message's status; none if the entry is no such message.
pub fn status_frame(between: &Between<'_>, entry: &Entry) -> Option<Frame> {
    let Event::Message(content) = &entry.event else {
        return None;
    };
    let progress = between.progress(entry.seq, content);
    Some(Frame::MessageStatus(MessageStatus {
        namespace: Namespace::Conversations,
        conversation_id: between.conversation,
        message_id: content.id,
        seq: entry.seq,
        status: progress.status,
        delivered_at: progress.delivered_at,
        read_at: progress.read_at,
    }))
}

/// Reads the snapshot of one conversation, for its member.
pub async fn snapshot(app: &App, membership: Membership) -> Result<Snapshot> {
    // Boxed: a future of the SDK is large, and every caller would hold all three.
    let reads = Box::pin(async {
        tokio::try_join!(
            conversations::head(app, &membership),
            log::newest(app, membership.conversation(), Consistency::Strong),
            peer(app, &membership),
        )
    });
    let (head, newest, peer) = reads.await?;
    Ok(Snapshot::new(head, membership, peer, newest))
}

/// The snapshot of a conversation whose head and newest entry are known.
pub async fn snapshot_of(
    app: &App,
    head: Head,
    membership: Membership,
    newest: Option<Entry>,
) -> Result<Snapshot> {
    let peer = peer(app, &membership).await?;
    Ok(Snapshot::new(head, membership, peer, newest))
}

async fn peer(app: &App, membership: &Membership) -> Result<Option<Member>> {
    match membership.member().peer {
        Some(peer) => members::other(app, membership, peer).await,
        None => Ok(None),
    }
}

/// Conversations as their member sees them, in the order of the snapshots.
pub async fn conversations(app: &App, snapshots: &[Snapshot]) -> Result<Vec<Conversation>> {
    let mut all = Vec::with_capacity(snapshots.len());
    for snapshot in snapshots {
        all.push(in_order(app, snapshot).await?);
    }
    let pairs = snapshots.iter().zip(&all);
    let shown = pairs.flat_map(|(snapshot, members)| shown(members, snapshot.membership.user()));
    let cards = profiles::cards(app, shown.map(|member| member.user)).await?;
    let mut conversations = Vec::with_capacity(snapshots.len());
    for (snapshot, members) in snapshots.iter().zip(&all) {
        conversations.push(conversation(app, snapshot, members, &cards).await?);
    }
    Ok(conversations)
}

/// One conversation as its member sees it.
pub async fn one(app: &App, snapshot: &Snapshot) -> Result<Conversation> {
    seen(app, snapshot, &crowd(app, snapshot).await?).await
}

/// The members of a conversation and their profiles, the same for every viewer.
pub struct Crowd {
    members: Vec<Member>,
    cards: HashMap<UserId, Card>,
}

/// Reads the members of a conversation.
pub async fn crowd(app: &App, snapshot: &Snapshot) -> Result<Crowd> {
    let members = in_order(app, snapshot).await?;
    let shown = shown(&members, snapshot.membership.user());
    let cards = profiles::cards(app, shown.map(|member| member.user)).await?;
    Ok(Crowd { members, cards })
}

/// A conversation as its member sees it, with members that were read before.
pub async fn seen(app: &App, snapshot: &Snapshot, crowd: &Crowd) -> Result<Conversation> {
    // The viewer is shown in place of another member, so their profile may be missing.
    let shown = shown(&crowd.members, snapshot.membership.user()).map(|member| member.user);
    let unknown: Vec<UserId> = shown.filter(|user| !crowd.cards.contains_key(user)).collect();
    if unknown.is_empty() {
        return conversation(app, snapshot, &crowd.members, &crowd.cards).await;
    }
    let mut cards = crowd.cards.clone();
    cards.extend(profiles::cards(app, unknown).await?);
    conversation(app, snapshot, &crowd.members, &cards).await
}

/// All members in the order of joining. They are stored in another order, so the first few cannot be read alone; and
/// all of them are needed anyway to count who has read the last message.
async fn in_order(app: &App, snapshot: &Snapshot) -> Result<Vec<Member>> {
    let mut members = if let Some(peer) = &snapshot.peer {
        vec![snapshot.membership.member().clone(), peer.clone()]
    } else {
        members::list(app, &snapshot.membership).await?
    };
    members.sort_by_key(|member| member.ordinal);
    Ok(members)
}

/// The members that a viewer sees: the viewer first, then the others in the order of joining.
fn shown(members: &[Member], viewer: UserId) -> impl Iterator<Item = &Member> {
    let themselves = members.iter().filter(move |member| member.user == viewer);
    let others = members.iter().filter(move |member| member.user != viewer);
    themselves.chain(others).take(PARTICIPANTS_LIMIT)
}

async fn conversation(
    app: &App,
    snapshot: &Snapshot,
    members: &[Member],
    cards: &HashMap<UserId, Card>,
) -> Result<Conversation> {
    let membership = &snapshot.membership;
    let newest = snapshot.newest.as_ref();
    let last_message = match newest {
        Some(newest) if newest.tail.last_message_seq > 0 => {
            let is_newest = newest.tail.last_message_seq == newest.seq;
            let entry = if is_newest {
                Some(newest.clone())
            } else {
                log::entry(app, membership, newest.tail.last_message_seq).await?
            };
            let read_marks: Vec<ReadMark> = members.iter().map(|member| member.read_mark.clone()).collect();
            let viewpoint = Viewpoint {
                conversation: snapshot.head.id,
                viewer: membership.user(),
                read_marks: &read_marks,
            };
            entry.and_then(|entry| message(&viewpoint, &entry))
        }
        _ => None,
    };
    let participant = |member: &Member| {
        let card = cards
            .get(&member.user)
            .cloned()
            .unwrap_or_else(|| Card::of(member.user, &Claims::default()));
        Participant {
            user_id: member.user,
            username: card.username,
            display_name: card.display_name,
            avatar_url: card.avatar_url,
            role: member.role,
            joined_at: member.joined_at,
            is_active: true,
            last_read_message_id: member.read_mark.last_read_message_id,
        }
    };
    let group = snapshot.head.group.as_ref();
    Ok(Conversation {
        id: snapshot.head.id,
        is_group: group.is_some(),
        name: group.map(|group| group.name.clone()),
        description: group.and_then(|group| group.description.clone()),
        created_at: snapshot.head.created_at,
        updated_at: newest.map_or(snapshot.head.created_at, |newest| {
            newest.at.max(snapshot.head.created_at)
        }),
        last_message_at: newest.and_then(|newest| newest.tail.last_message_at),
        participants: shown(members, membership.user()).map(participant).collect(),
        participant_count: u64::from(snapshot.head.members),
        last_message,
        unread_count: log::unread(app, membership, newest).await?,
        last_seq: newest.map_or(0, |newest| newest.seq),
    })
}

/// The unread counts of all of a user's conversations.
pub async fn unread(app: &App, snapshots: &[Snapshot]) -> Result<UnreadSummary> {
    let mut summary = UnreadSummary::default();
    for snapshot in snapshots {
        let count = log::unread(app, &snapshot.membership, snapshot.newest.as_ref()).await?;
        if count > 0 {
            summary.total += u64::from(count);
            summary.by_conversation.insert(snapshot.head.id, count);
        }
    }
    Ok(summary)
}

/// Whether frames of log entries include the receiver's unread count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// As in posted frames.
    Included,
    /// As in listed or missed frames, which come with one total.
    LeftOut,
}

/// The frame of each event; none for an event without a frame, or of an unknown conversation.
pub async fn frames(
    app: &App,
    viewer: UserId,
    snapshots: &[Snapshot],
    events: &[SyncedEvent],
    unread: Unread,
) -> Result<Vec<Option<Frame>>> {
    let by_id: HashMap<ConversationId, &Snapshot> = snapshots
        .iter()
        .map(|snapshot| (snapshot.head.id, snapshot))
        .collect();
    let mut read_marks: HashMap<ConversationId, Vec<ReadMark>> = HashMap::new();
    let mut counts: HashMap<ConversationId, u32> = HashMap::new();
    let subjects = subjects(app, &by_id, events).await?;
    let mut frames = Vec::with_capacity(events.len());
    for event in events {
        let Some(snapshot) = by_id.get(&event.conversation) else {
            frames.push(None);
            continue;
        };
        let frame = match &event.kind {
            SyncedEventKind::Opened => Some(opened_frame(one(app, snapshot).await?)),
            SyncedEventKind::Read(read_mark) => read_frame(event.conversation, read_mark, None),
            SyncedEventKind::Entry(entry) => {
                if let std::collections::hash_map::Entry::Vacant(e) = read_marks.entry(event.conversation) {
                    let found = match &snapshot.peer {
                        Some(peer) => vec![snapshot.membership.read_mark().clone(), peer.read_mark.clone()],
                        None => members::read_marks(app, &snapshot.membership).await?,
                    };
                    e.insert(found);
                }
                let unread_count = match (unread, counts.get(&event.conversation)) {
                    (Unread::LeftOut, _) => None,
                    (Unread::Included, Some(count)) => Some(*count),
                    (Unread::Included, None) => {
                        let count = log::unread(app, &snapshot.membership, snapshot.newest.as_ref()).await?;
                        counts.insert(event.conversation, count);
                        Some(count)
                    }
                };
                let read_marks = read_marks
                    .get(&event.conversation)
                    .map(Vec::as_slice)
                    .unwrap_or_default();
                let viewpoint = Viewpoint {
                    conversation: event.conversation,
                    viewer,
                    read_marks,
                };
                let subject = entry
                    .event
                    .subject()
                    .and_then(|seq| subjects.get(&(event.conversation, seq)));
                Some(entry_frame(&viewpoint, entry, subject, unread_count)?)
            }
        };
        frames.push(frame);
    }
    Ok(frames)
}

/// The messages that moderation entries refer to, by conversation and number.
async fn subjects(
    app: &App,
    snapshots: &HashMap<ConversationId, &Snapshot>,
    events: &[SyncedEvent],
) -> Result<HashMap<(ConversationId, u64), Entry>> {
    let mut entries: HashMap<ConversationId, Vec<&Entry>> = HashMap::new();
    for event in events {
        if let SyncedEventKind::Entry(entry) = &event.kind
            && entry.event.subject().is_some()
        {
            entries.entry(event.conversation).or_default().push(entry);
        }
    }
    let mut subjects = HashMap::new();
    for (conversation, entries) in entries {
        if let Some(snapshot) = snapshots.get(&conversation) {
            let found = log::subjects(app, &snapshot.membership, entries).await?;
            subjects.extend(found.into_iter().map(|(seq, entry)| ((conversation, seq), entry)));
        }
    }
    Ok(subjects)
}
