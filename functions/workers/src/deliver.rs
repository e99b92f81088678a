//! `deliver`: pushes what happened to the live connections of the members.
//!
//! A job names what happened and no recipient. A large group is split into jobs over ranges of members, so
//! that a member costs the same wherever. Whoever has no live connection is handed to `notify`, all of a job's
//! members in one. What happened to one person alone is in `personal.rs`, what a new connection may have missed in
//! `catch_up.rs`. Being done twice does no harm: frames carry their `seq`, and a missed message is noted once.
//!
//! What the pushing of an entry needs is read eventually, at half the price, and once more strongly if anything is
//! not there yet; all other pushes read strongly.

use std::sync::OnceLock;
use std::time::Duration;

use shared::delivery::{self, Audience, Delivery};
use shared::domain::conversation::Cursor;
use shared::domain::frame::Frame;
use shared::domain::ids::{ConversationId, MessageId, UserId};
use shared::domain::message::{Entry, Event, Viewpoint};
use shared::domain::message_v2::Between;
use shared::domain::read_alone::ReadAlone;
use shared::domain::time::Timestamp;
use shared::job::Job;
use shared::queue::{self, Announcement, Fanout, FanoutEvent, Missing, Offline, Queue, Recipients};
use shared::rights::{Rights, TableAction};
use shared::store::Worker;
use shared::store::conversations::{self, Head};
use shared::store::glance::{self, Glance, Sight};
use shared::store::members::{self, Member, Membership, Shards};
use shared::store::table::Consistency;
use shared::store::{log, reads};
use shared::views::Crowd;
use shared::{App, Error, Result, views};

use crate::{catch_up, personal};

/// The worker of the queue `fanout`.
pub struct Deliver;

/// How many members one job reaches, about.
const CHUNK: u32 = 100;
/// How many members one job reaches at the most.
const MOST: u32 = CHUNK + CHUNK / 2;
/// How often, and at which distances, an entry is looked for that is being put while its job is on its way.
pub(crate) const LOOKS: [Duration; 4] = [
    Duration::from_millis(5),
    Duration::from_millis(25),
    Duration::from_millis(100),
    Duration::from_millis(400),
];
/// For how long an entry is told as the end of its log, unread count and all, without a look for a next one: that one is
/// told itself, and of two frames the one with the larger `seq` says how things stand. A job that comes later, or once
/// more, may be the last to be heard, and looks.
const FRESH: Duration = Duration::from_secs(1);
/// How long after its job was queued an entry can still be put: longer than any request lasts (29 s).
pub(crate) const PUT_WITHIN: Duration = Duration::from_mins(1);

impl Job for Deliver {
    const NAME: &'static str = "deliver";
    const QUEUE: Queue = Queue::Fanout;
    const RIGHTS: Rights = Rights::NONE
        .table(&[
            TableAction::BatchGetItem,
            TableAction::GetItem,
            TableAction::PutItem,
            TableAction::Query,
            TableAction::UpdateItem,
        ])
        .queries_by_user()
        .sends_to(&[Queue::Fanout, Queue::Offline])
        .posts_frames();
    type Message = Announcement;

    async fn run(app: &App, worker: Worker, job: Announcement) -> Result<()> {
        let job = match job {
            Announcement::Conversation(job) => job,
            Announcement::Person(job) => return personal::push(app, worker, job).await,
            Announcement::Connection(job) => return catch_up::push(app, worker, job).await,
        };
        let conversation = job.conversation;
        match job.event {
            FanoutEvent::Entry {
                seq,
                message,
                queued_at,
            } => {
                let users: &[UserId] = match &job.to {
                    Recipients::Pair(pair) => pair,
                    Recipients::All | Recipients::Shards(..) => &[],
                };
                let (glance, members) = tokio::try_join!(
                    look(app, worker, conversation, seq, queued_at, users),
                    first_members(app, worker, &job),
                )?;
                let Some(glance) = glance else {
                    return Ok(());
                };
                let Some(entry) = glance.entry.filter(|entry| entry.event.message_id() == message) else {
                    // Another entry took the place; whoever lost the race has queued a job for the next one.
                    return Ok(());
                };
                let head = glance.head;
                let newest = if glance.has_next {
                    log::newest(app, conversation, Consistency::Strong).await?
                } else {
                    Some(entry.clone())
                };
                let subject = match entry.event.subject() {
                    Some(seq) => log::entry_for_worker(app, worker, conversation, seq).await?,
                    None => None,
                };
                let happened = Happened::Entry {
                    conversation,
                    entry: Box::new(entry),
                    subject: subject.map(Box::new),
                    newest,
                };
                if matches!(job.to, Recipients::Pair(_)) {
                    let found = glance
                        .members
                        .iter()
                        .map(|member| member.user)
                        .zip(glance.listeners);
                    let cursors = cursors_of(&glance.members);
                    return push(app, worker, &glance.members, &cursors, found.collect(), &happened).await;
                }
                to_members(app, worker, &job, (head, members), &happened).await
            }
            FanoutEvent::Status { seq, message } => {
                let Recipients::Pair(pair) = job.to else {
                    return Err(Error::internal("a status of a message that is not between two"));
                };
                push_status(app, worker, conversation, (seq, message), pair).await
            }
            FanoutEvent::Opened => {
                let (newest, head, members) = tokio::try_join!(
                    log::newest(app, conversation, Consistency::Strong),
                    head(app, worker, conversation),
                    first_members(app, worker, &job),
                )?;
                let happened = Happened::Opened {
                    head: head.clone(),
                    newest,
                    crowd: OnceLock::new(),
                };
                to_members(app, worker, &job, (Some(head), members), &happened).await
            }
            FanoutEvent::Read {
                user,
                seq,
                message,
                at,
            } => {
                let (newest, members) = tokio::try_join!(
                    log::newest(app, conversation, Consistency::Strong),
                    first_members(app, worker, &job),
                )?;
                let cursor = Cursor {
                    user_id: user,
                    last_read_seq: seq,
                    last_read_message_id: Some(message),
                    read_at: Some(at),
                    alone: ReadAlone::default(),
                };
                let happened = Happened::Read {
                    conversation,
                    cursor,
                    newest,
                };
                to_members(app, worker, &job, (None, members), &happened).await
            }
        }
    }
}

/// Pushes to both of a direct conversation how far a message has come.
async fn push_status(
    app: &App,
    worker: Worker,
    conversation: ConversationId,
    (seq, message): (u64, MessageId),
    pair: [UserId; 2],
) -> Result<()> {
    let sight = Sight {
        conversation,
        seq,
        next: false,
        users: &pair,
    };
    let glance = glance::at(app, worker, sight, Consistency::Strong).await?;
    let entry = glance.entry.filter(|entry| entry.event.message_id() == message);
    let entry = entry.ok_or_else(|| Error::internal("a status of a message that does not exist"))?;
    let cursors = cursors_of(&glance.members);
    let between = Between {
        conversation,
        pair,
        cursors: &cursors,
    };
    let Some(frame) = views::status_frame(&between, &entry) else {
        return Ok(());
    };
    let users = glance.members.iter().map(|member| member.user);
    let audience: Audience = users.zip(glance.listeners).collect();
    let delivery = |(user, listeners)| Delivery {
        user,
        listeners,
        frame: frame.clone(),
    };
    let deliveries = audience.listening.into_iter().map(delivery).collect();
    delivery::deliver(app, deliveries).await.1
}

/// Looks for the entry of a job, and for what else the job needs, which is there if the entry is. None if the entry
/// will never come: whoever was putting it has died, and a retry will queue another job.
async fn look(
    app: &App,
    worker: Worker,
    conversation: ConversationId,
    seq: u64,
    queued_at: Timestamp,
    users: &[UserId],
) -> Result<Option<Glance>> {
    let sight = Sight {
        conversation,
        seq,
        next: app.now().since(queued_at) > FRESH,
        users,
    };
    let mut consistency = Consistency::Eventual;
    for distance in LOOKS {
        let glance = glance::at(app, worker, sight, consistency).await?;
        let is_whole = glance.members.len() == users.len() || consistency == Consistency::Strong;
        if glance.entry.is_some() && is_whole {
            return Ok(Some(glance));
        }
        consistency = Consistency::Strong;
        if app.now().since(queued_at) > PUT_WITHIN {
            return Ok(None);
        }
        tokio::time::sleep(distance).await;
    }
    Err(Error::unavailable("the entry of a job is not there yet"))
}

async fn head(app: &App, worker: Worker, conversation: ConversationId) -> Result<Head> {
    let head = conversations::head_for_worker(app, worker, conversation).await?;
    head.ok_or_else(|| Error::internal("a job for a conversation that does not exist"))
}

/// The members that a job for all of them begins with: all that there are, unless they are too many for one job or
/// have come a moment ago. Reads them beside what else the job needs, which is a wait less for nearly every job.
async fn first_members(app: &App, worker: Worker, job: &Fanout) -> Result<Vec<Member>> {
    match job.to {
        Recipients::All => members::at_most(app, worker, job.conversation, MOST).await,
        Recipients::Pair(_) | Recipients::Shards(..) => Ok(Vec::new()),
    }
}

/// Pushes to the members that a job is for, or splits it if they are too many for one. The conversation and its first
/// members come with it, if they have been read.
async fn to_members(
    app: &App,
    worker: Worker,
    job: &Fanout,
    (known, first): (Option<Head>, Vec<Member>),
    happened: &Happened,
) -> Result<()> {
    let conversation = job.conversation;
    let members = match &job.to {
        Recipients::Pair(pair) => members::some(app, worker, conversation, pair).await?,
        Recipients::Shards(first, last) => {
            let (first, last) = (*first, *last);
            members::in_shards(app, worker, conversation, Shards { first, last }).await?
        }
        Recipients::All => {
            let count = match known {
                Some(head) => head.members,
                None => head(app, worker, conversation).await?.members,
            };
            if count > MOST {
                return split(app, job, count).await;
            }
            if first.len() == count as usize {
                first
            } else {
                members::in_shards(app, worker, conversation, Shards::ALL).await?
            }
        }
    };
    let users: Vec<UserId> = members.iter().map(|member| member.user).collect();
    let audience = delivery::audience(app, &users, happened.consistency()).await?;
    let has_readers_elsewhere = match (&job.to, happened) {
        // Nearly always nobody has read what was said a moment ago, which half a read unit tells.
        (Recipients::Shards(..), Happened::Entry { entry, .. }) => {
            let last_read = reads::last(app, worker, conversation).await?;
            last_read.is_some_and(|last_read| last_read >= entry.at)
        }
        _ => false,
    };
    let cursors = if has_readers_elsewhere {
        cursors_of(&members::in_shards(app, worker, conversation, Shards::ALL).await?)
    } else {
        cursors_of(&members)
    };
    push(app, worker, &members, &cursors, audience, happened).await
}

/// One job becomes several, for ranges of members.
async fn split(app: &App, job: &Fanout, members: u32) -> Result<()> {
    let count = u16::try_from(members.div_ceil(CHUNK)).unwrap_or(u16::MAX);
    let part = |shards: Shards| Fanout {
        to: Recipients::Shards(shards.first, shards.last),
        ..job.clone()
    };
    let jobs: Vec<Fanout> = Shards::split(count).into_iter().map(part).collect();
    queue::send_all(app, Queue::Fanout, &jobs).await
}

/// Pushes to members whose connections are known, and hands the others to `notify`.
async fn push(
    app: &App,
    worker: Worker,
    members: &[Member],
    cursors: &[Cursor],
    audience: Audience,
    happened: &Happened,
) -> Result<()> {
    let Audience { listening, offline } = audience;
    let mut deliveries = Vec::with_capacity(listening.len());
    for (user, listeners) in listening {
        let Some(member) = members.iter().find(|member| member.user == user) else {
            continue;
        };
        if let Some(frame) = happened.frame(app, worker, member, cursors).await? {
            deliveries.push(Delivery {
                user,
                listeners,
                frame,
            });
        }
    }
    // Whoever is away does not wait for a connection of somebody else that is throttled.
    let ((unreached, delivered), noted) = tokio::join!(
        delivery::deliver(app, deliveries),
        note_missing(app, happened, offline)
    );
    noted?;
    note_missing(app, happened, unreached).await?;
    delivered
}

/// Hands those whom a message did not reach to `notify`.
async fn note_missing(app: &App, happened: &Happened, mut users: Vec<UserId>) -> Result<()> {
    let Some((conversation, seq, sender)) = happened.missable() else {
        return Ok(());
    };
    users.retain(|user| *user != sender);
    if users.is_empty() {
        return Ok(());
    }
    let job = Offline {
        conversation,
        missing: vec![Missing { seq, users }],
    };
    queue::send_later(app, Queue::Offline, &job, app.config().offline_grace).await
}

fn cursors_of(members: &[Member]) -> Vec<Cursor> {
    members.iter().map(|member| member.cursor.clone()).collect()
}

/// What happened, as the table has it now.
enum Happened {
    Entry {
        conversation: ConversationId,
        entry: Box<Entry>,
        /// The message that it shows anew.
        subject: Option<Box<Entry>>,
        newest: Option<Entry>,
    },
    Opened {
        head: Head,
        newest: Option<Entry>,
        /// Read with the first frame, and the same for all.
        crowd: OnceLock<Crowd>,
    },
    Read {
        conversation: ConversationId,
        cursor: Cursor,
        newest: Option<Entry>,
    },
}

impl Happened {
    /// How those who listen are looked for: of an entry, a new connection is told a little later what it may have
    /// missed.
    fn consistency(&self) -> Consistency {
        match self {
            Self::Entry { .. } => Consistency::Eventual,
            Self::Opened { .. } | Self::Read { .. } => Consistency::Strong,
        }
    }

    /// The frame for one member.
    async fn frame(
        &self,
        app: &App,
        worker: Worker,
        member: &Member,
        cursors: &[Cursor],
    ) -> Result<Option<Frame>> {
        let membership = Membership::of_member(worker, member.clone());
        match self {
            Self::Entry {
                conversation,
                entry,
                subject,
                newest,
            } => {
                let unread = log::unread(app, &membership, newest.as_ref()).await?;
                let viewpoint = Viewpoint {
                    conversation: *conversation,
                    viewer: member.user,
                    cursors,
                };
                views::entry_frame(&viewpoint, entry, subject.as_deref(), Some(unread)).map(Some)
            }
            Self::Opened { head, newest, crowd } => {
                let place = views::place_of(app, head.clone(), membership, newest.clone()).await?;
                let crowd = if let Some(crowd) = crowd.get() {
                    crowd
                } else {
                    let found = views::crowd(app, &place).await?;
                    crowd.get_or_init(|| found)
                };
                Ok(Some(views::opened_frame(views::seen(app, &place, crowd).await?)))
            }
            Self::Read {
                conversation,
                cursor,
                newest,
            } => {
                let unread = if cursor.user_id == member.user {
                    Some(log::unread(app, &membership, newest.as_ref()).await?)
                } else {
                    None
                };
                Ok(views::read_frame(*conversation, cursor, unread))
            }
        }
    }

    /// The message that somebody away has missed: where it is, and its sender. One that is not shown is missed by
    /// nobody.
    fn missable(&self) -> Option<(ConversationId, u64, UserId)> {
        let Self::Entry {
            conversation, entry, ..
        } = self
        else {
            return None;
        };
        match &entry.event {
            Event::Message(content) if content.is_shown() => Some((*conversation, entry.seq, content.sender)),
            Event::Message(_) | Event::Deletion { .. } | Event::Moderation { .. } => None,
        }
    }
}
