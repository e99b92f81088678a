//! Missed messages: one notification per conversation, updated in place.
//!
//! Reading or deleting it stores the number of the newest message at that time: a newer missed message brings it back.
//! Once the user has read the conversation itself, nothing is missed any more, and nothing has to be written for that.

use std::collections::HashMap;

use futures::stream::{self, TryStreamExt as _};

use super::super::Worker;
use super::super::item::{Item, bytes, number, text};
use super::super::keys;
use super::super::members;
use super::super::table::{self, Consistency, Query, Update, Written};
use crate::App;
use crate::domain::conversation::ReadMark;
use crate::domain::ids::{ConversationId, MessageId, NotificationId, UserId};
use crate::domain::notification::{MISSED_MESSAGES, Notification, about_missed};
use crate::domain::time::Timestamp;
use crate::error::Result;

/// How many are marked concurrently.
const PARALLEL: usize = 16;

/// A missed message.
#[derive(Clone, Debug)]
pub struct Missed {
    /// The conversation.
    pub conversation: ConversationId,
    /// The newest message that was missed.
    pub seq: u64,
    /// Its id.
    pub message: MessageId,
    /// Who sent it.
    pub sender_username: String,
    /// When.
    pub at: Timestamp,
}

/// Records that a user missed a message. An older message than the recorded one changes nothing, so a repeated or late
/// job is harmless.
pub async fn note_missed(app: &App, _: Worker, user: UserId, missed: &Missed) -> Result<()> {
    let id = NotificationId::missed_in(missed.conversation, user);
    let update = Update::new(
        keys::missed(user, missed.conversation),
        "SET q = :seq, m = :message, u = :sender, a = :at, i = :id, c = :conversation, f = if_not_exists(f, :at)",
    )
    .only_if("attribute_not_exists(q) OR q < :seq")
    .value(":seq", number(missed.seq))
    .value(":message", bytes(missed.message.uuid().as_bytes().to_vec()))
    .value(":sender", text(&missed.sender_username))
    .value(":at", number(missed.at.milliseconds()))
    .value(":id", bytes(id.uuid().as_bytes().to_vec()))
    .value(":conversation", bytes(missed.conversation.uuid().as_bytes().to_vec()));
    match update.send(app).await? {
        Written::Done(_) | Written::Refused(_) => Ok(()),
    }
}

/// The missed messages of one conversation.
#[derive(Clone, Debug)]
pub(super) struct Note {
    missed: Missed,
    id: NotificationId,
    /// The number up to which it was read, and when.
    read: Option<(u64, Timestamp)>,
    /// The number up to which it was deleted.
    deleted_seq: u64,
}

impl Note {
    fn read_at(&self) -> Option<Timestamp> {
        self.read
            .filter(|(seq, _)| *seq >= self.missed.seq)
            .map(|(_, at)| at)
    }

    pub(super) fn is_unread(&self) -> bool {
        self.read_at().is_none()
    }

    pub(super) fn id(&self) -> NotificationId {
        self.id
    }

    /// As the user sees it.
    pub(super) fn notification(&self, user: UserId) -> Notification {
        Notification {
            id: self.id,
            user_id: user,
            message_id: Some(self.missed.message),
            notification_type: MISSED_MESSAGES.to_owned(),
            content: about_missed(&self.missed.sender_username),
            is_read: !self.is_unread(),
            read_at: self.read_at(),
            created_at: self.missed.at,
        }
    }
}

/// What a user has missed and neither deleted nor read in the conversation itself: at most one per conversation.
pub(super) async fn of(app: &App, user: UserId) -> Result<Vec<Note>> {
    let query = Query::between(keys::notes(user), keys::MISSED, format!("{}~", keys::MISSED));
    let notes: Vec<Note> = query.all(app).await?.iter().map(decode).collect::<Result<_>>()?;
    let mut notes: Vec<Note> = notes
        .into_iter()
        .filter(|note| note.deleted_seq < note.missed.seq)
        .collect();
    if notes.is_empty() {
        return Ok(notes);
    }
    let read_marks = read_marks(app, user, &notes).await?;
    // A user who has left a conversation misses nothing there.
    notes.retain(|note| {
        let read_mark = read_marks.get(&note.missed.conversation);
        read_mark.is_some_and(|read_mark| !read_mark.has_read(note.missed.seq))
    });
    Ok(notes)
}

/// The user's read mark in each conversation.
async fn read_marks(app: &App, user: UserId, notes: &[Note]) -> Result<HashMap<ConversationId, ReadMark>> {
    let key = |note: &Note| keys::member(note.missed.conversation, user);
    let items = table::get_many(app, notes.iter().map(key).collect(), Consistency::Strong).await?;
    let mut read_marks = HashMap::with_capacity(notes.len());
    for note in notes {
        if let Some(item) = items.get(&key(note)) {
            let member = members::decode(note.missed.conversation, item)?;
            read_marks.insert(note.missed.conversation, member.read_mark);
        }
    }
    Ok(read_marks)
}

/// Marks some as read, up to what was seen: messages that are missed later stay unread.
pub(super) async fn read(app: &App, user: UserId, notes: &[Note]) -> Result<()> {
    let mark = |note: &Note| {
        Update::new(
            keys::missed(user, note.missed.conversation),
            "SET rs = :seq, rt = :now",
        )
        .only_if("attribute_exists(q) AND (attribute_not_exists(rs) OR rs < :seq)")
        .value(":seq", number(note.missed.seq))
        .value(":now", number(app.now().milliseconds()))
    };
    stream::iter(notes.iter().map(|note| Ok(mark(note))))
        .try_for_each_concurrent(PARALLEL, |mark| async { mark.send(app).await.map(|_| ()) })
        .await
}

/// Deletes one, up to what was seen: a message that is missed later brings it back.
pub(super) async fn delete(app: &App, user: UserId, note: &Note) -> Result<()> {
    let update = Update::new(keys::missed(user, note.missed.conversation), "SET ds = :seq")
        .only_if("attribute_exists(q) AND (attribute_not_exists(ds) OR ds < :seq)")
        .value(":seq", number(note.missed.seq));
    match update.send(app).await? {
        Written::Done(_) | Written::Refused(_) => Ok(()),
    }
}

fn decode(item: &Item) -> Result<Note> {
    let read = match (item.find_number("rs")?, item.find_time("rt")?) {
        (Some(seq), Some(at)) => Some((seq, at)),
        _ => None,
    };
    Ok(Note {
        missed: Missed {
            conversation: ConversationId::from_uuid(item.get_id("c")?),
            seq: item.get_number("q")?,
            message: MessageId::from_uuid(item.get_id("m")?),
            sender_username: item.get_text("u")?.to_owned(),
            at: item.get_time("a")?,
        },
        id: NotificationId::from_uuid(item.get_id("i")?),
        read,
        deleted_seq: item.find_number("ds")?.unwrap_or_default(),
    })
}
