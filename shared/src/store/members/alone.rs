//! Marking messages as read individually: the set beside the read mark, and moving the read mark along.

use std::collections::BTreeMap;

use super::{Membership, attribute, decode};
use crate::App;
use crate::domain::ids::MessageId;
use crate::domain::message::Entry;
use crate::domain::read_alone::ReadAlone;
use crate::error::{Error, Result};
use crate::store::item::{bytes, number};
use crate::store::table::{Backoff, Update, Written};
use crate::store::{keys, log};

/// Marks up to a few hundred messages individually, by number and id. The read mark moves up to the first unread
/// message; `newest` is the end of the log. Returns the member's state afterwards.
///
/// # Errors
/// [`Error::Unavailable`] if the member kept reading concurrently.
pub async fn mark_alone(
    app: &App,
    member: &Membership,
    messages: &BTreeMap<u64, MessageId>,
    newest: &Entry,
) -> Result<Membership> {
    let mut member = member.clone();
    let mut backoff = Backoff::new(ATTEMPTS);
    loop {
        let before = member.read_mark();
        let mut alone = before.alone.clone();
        for seq in messages.keys() {
            alone.insert(*seq);
        }
        alone.forget_until(before.last_read_seq);
        let reached = newest
            .tail
            .window
            .reach(member.ordinal(), before.last_read_seq, &alone, newest.seq);
        let mut read_mark = alone
            .iter()
            .take_while(|seq| reached.is_some_and(|reached| *seq <= reached))
            .last()
            .unwrap_or(before.last_read_seq);
        alone.forget_until(read_mark);
        if let Some(overflow) = alone.overflow() {
            read_mark = overflow;
            alone.forget_until(read_mark);
        }
        let message = match messages.get(&read_mark) {
            Some(message) => Some(*message),
            None if read_mark == before.last_read_seq => None,
            None => log::entry(app, &member, read_mark)
                .await?
                .map(|entry| entry.event.message_id()),
        };
        match alone_update(app, &member, read_mark, message, &alone)
            .send(app)
            .await?
        {
            Written::Done(item) => return decode(member.conversation(), &item).map(Membership),
            Written::Refused(item) if item.0.is_empty() => return Err(Error::NotFound("conversation")),
            Written::Refused(item) => member = Membership::from_item(member.conversation(), &item)?,
        }
        backoff.wait("marking messages as read").await?;
    }
}

/// How often marking retries before it fails with 503.
const ATTEMPTS: u32 = 16;

/// The update of a member's read mark and set, on the condition that both are unchanged. The time and message of the
/// read mark are kept unless it moves.
fn alone_update(
    app: &App,
    member: &Membership,
    read_mark: u64,
    message: Option<MessageId>,
    alone: &ReadAlone,
) -> Update {
    let (seq, set) = (attribute::LAST_READ_SEQ, attribute::READ_ALONE);
    let before = member.read_mark();
    let same = |name: &str, value: &str, was_there: bool| {
        if was_there {
            format!("{name} = {value}")
        } else {
            format!("attribute_not_exists({name})")
        }
    };
    let moved = message.filter(|_| read_mark > before.last_read_seq);
    let expression = match moved {
        Some(_) => format!(
            "SET {set} = :alone, {seq} = :seq, {} = :message, {} = :now",
            attribute::LAST_READ_MESSAGE,
            attribute::READ_AT
        ),
        None => format!("SET {set} = :alone"),
    };
    let (had_cursor, had_set) = (before.last_read_seq > 0, !before.alone.is_empty());
    // It may be stored in either of two forms.
    let is_stored = format!("{set} = :was_alone OR {set} = :was_alone_without_runs");
    let set_is_same = if had_set {
        format!("({is_stored})")
    } else {
        format!("(attribute_not_exists({set}) OR {is_stored})")
    };
    let mut update = Update::new(keys::member(member.conversation(), member.user()), expression)
        .only_if(format!(
            "attribute_exists({}) AND {} AND {set_is_same}",
            keys::PARTITION,
            same(seq, ":was_seq", had_cursor)
        ))
        .value(":alone", bytes(alone.to_bytes()))
        .value(":was_alone", bytes(before.alone.to_bytes()))
        .value(
            ":was_alone_without_runs",
            bytes(before.alone.to_bytes_without_runs()),
        );
    if had_cursor {
        update = update.value(":was_seq", number(before.last_read_seq));
    }
    match moved {
        Some(message) => update
            .value(":seq", number(read_mark))
            .value(":message", bytes(message.uuid().as_bytes().to_vec()))
            .value(":now", number(app.now().milliseconds())),
        None => update,
    }
}
