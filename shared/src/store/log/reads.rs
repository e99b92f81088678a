//! Reading a log: its newest entry, single entries, ranges, and what a member has not read.

use std::collections::HashMap;

use super::codec::{attribute, decode};
use crate::App;
use crate::auth::Permit;
use crate::domain::ids::{ConversationId, MessageId, UserId};
use crate::domain::message::{Entry, Event};
use crate::domain::permission::ModerationView;
use crate::domain::time::Timestamp;
use crate::domain::unread::{UNREAD_CAP, Unread};
use crate::error::{Error, Result};
use crate::store::Worker;
use crate::store::keys;
use crate::store::members::{Membership, Sender};
use crate::store::table::{self, Consistency, Query};

/// Greater than every number.
const LAST: u64 = 999_999_999_999;

/// The newest entry of the log; none if it is empty.
pub async fn newest(
    app: &App,
    conversation: ConversationId,
    consistency: Consistency,
) -> Result<Option<Entry>> {
    let query = whole(conversation)
        .newest_first(true)
        .limit(1)
        .consistency(consistency);
    query.all(app).await?.first().map(decode).transpose()
}

/// The user as a sender, and the end of the log, in one wait.
///
/// An entry of a direct conversation names the two, and the conversation's id is a function of them, so the
/// newest entry proves the membership by itself. It and a group's membership are read eventually: an old end
/// of the log costs another look and nothing else.
pub async fn sender(
    app: &App,
    user: UserId,
    conversation: ConversationId,
) -> Result<(Sender, Option<Entry>)> {
    if conversation.is_direct() {
        let newest = newest(app, conversation, Consistency::Eventual).await?;
        if let Some(pair) = newest.as_ref().and_then(|newest| newest.tail.pair) {
            return Ok((Sender::of_pair(user, conversation, pair)?, newest));
        }
        let membership = Membership::of(app, user, conversation, Consistency::Eventual).await?;
        return Ok((membership.sender(), newest));
    }
    let (membership, newest) = tokio::try_join!(
        Membership::of(app, user, conversation, Consistency::Eventual),
        newest(app, conversation, Consistency::Eventual),
    )?;
    Ok((membership.sender(), newest))
}

/// The entry with a number.
pub async fn entry(app: &App, member: &Membership, seq: u64) -> Result<Option<Entry>> {
    entry_of(app, member.conversation(), seq).await
}

/// The entry with a number, for a worker.
pub async fn entry_for_worker(
    app: &App,
    _: Worker,
    conversation: ConversationId,
    seq: u64,
) -> Result<Option<Entry>> {
    entry_of(app, conversation, seq).await
}

pub(super) async fn entry_of(app: &App, conversation: ConversationId, seq: u64) -> Result<Option<Entry>> {
    let item = table::get(app, &keys::entry(conversation, seq), Consistency::Strong).await?;
    item.as_ref().map(decode).transpose()
}

/// Entries from `first` to `last`, both included, at most `limit`.
pub async fn range(
    app: &App,
    member: &Membership,
    places: (u64, u64),
    newest_first: bool,
    limit: u32,
) -> Result<Vec<Entry>> {
    range_in(app, member.conversation(), places, newest_first, limit).await
}

pub(in crate::store) async fn range_in(
    app: &App,
    conversation: ConversationId,
    (first, last): (u64, u64),
    newest_first: bool,
    limit: u32,
) -> Result<Vec<Entry>> {
    if first > last || limit == 0 {
        return Ok(Vec::new());
    }
    let query = Query::between(
        keys::log(conversation),
        keys::entry_sort(first),
        keys::entry_sort(last.min(LAST)),
    );
    query
        .newest_first(newest_first)
        .limit(limit)
        .all(app)
        .await?
        .iter()
        .map(decode)
        .collect()
}

/// The messages that entries [refer to](Event::subject), by their numbers.
pub async fn subjects<'a>(
    app: &App,
    member: &Membership,
    entries: impl IntoIterator<Item = &'a Entry>,
) -> Result<HashMap<u64, Entry>> {
    let places = entries.into_iter().filter_map(|entry| entry.event.subject());
    let keys = places
        .map(|seq| keys::entry(member.conversation(), seq))
        .collect();
    let items = table::get_many(app, keys, Consistency::Strong).await?;
    let entry = |item| decode(item).map(|entry| (entry.seq, entry));
    items.values().map(entry).collect()
}

/// A message by its id: its number and entry. None if the conversation has no such message.
pub async fn find(app: &App, member: &Membership, message: MessageId) -> Result<Option<Entry>> {
    let found = located(app, message, Some(member.conversation())).await?;
    Ok(found.map(|(_, entry)| entry))
}

/// A message by its id, in any conversation, for a moderator.
pub async fn for_moderator(
    app: &App,
    _: &Permit<ModerationView>,
    message: MessageId,
) -> Result<Option<(ConversationId, Entry)>> {
    find_anywhere(app, message).await
}

/// A message by its id, in any conversation, for callers that check a permit themselves.
pub(super) async fn find_anywhere(app: &App, message: MessageId) -> Result<Option<(ConversationId, Entry)>> {
    located(app, message, None).await
}

async fn located(
    app: &App,
    message: MessageId,
    within: Option<ConversationId>,
) -> Result<Option<(ConversationId, Entry)>> {
    let Some(locator) = table::get(app, &keys::locator(message), Consistency::Strong).await? else {
        return Ok(None);
    };
    // A mail uses the same key, without a conversation.
    let Some(conversation) = locator.find_id(attribute::CONVERSATION)? else {
        return Ok(None);
    };
    let conversation = ConversationId::from_uuid(conversation);
    if within.is_some_and(|within| within != conversation) {
        return Ok(None);
    }
    // If a writer died after its claim, the locator may hold a number that another message has.
    let entry = entry_of(app, conversation, locator.get_number(attribute::SEQ)?).await?;
    let entry =
        entry.filter(|entry| matches!(&entry.event, Event::Message(content) if content.id == message));
    Ok(entry.map(|entry| (conversation, entry)))
}

/// How many messages a member has not read, exact up to [`UNREAD_CAP`]; `newest` is the end of the log.
pub async fn unread(app: &App, member: &Membership, newest: Option<&Entry>) -> Result<u32> {
    let Some(newest) = newest else { return Ok(0) };
    let (read_mark, alone) = (member.read_mark().last_read_seq, &member.read_mark().alone);
    let within = newest
        .tail
        .window
        .unread(member.ordinal(), read_mark, alone, newest.seq);
    let (mut count, mut before) = match within {
        Unread::Exactly(count) => return Ok(count),
        Unread::AtLeast { counted, before } => (counted, before),
    };
    while count < UNREAD_CAP && before > read_mark + 1 {
        let entries = range(app, member, (read_mark + 1, before - 1), true, UNREAD_CAP).await?;
        let counts = |entry: &&Entry| match &entry.event {
            Event::Message(content) => {
                content.sender != member.user() && content.is_shown() && !alone.holds(entry.seq)
            }
            Event::Deletion { .. } | Event::Moderation { .. } => false,
        };
        count += u32::try_from(entries.iter().filter(counts).count()).unwrap_or(u32::MAX);
        before = entries.last().map_or(read_mark, |oldest| oldest.seq);
    }
    Ok(count.min(UNREAD_CAP))
}

/// The number of the first entry at or after a moment, or one more than the last number if there is none. Timestamps
/// never decrease along a log. Looks at the last entries first, where it nearly always is, and otherwise does a binary
/// search.
pub(in crate::store) async fn first_since(
    app: &App,
    member: &Membership,
    newest: &Entry,
    moment: Timestamp,
) -> Result<u64> {
    first_since_in(app, member.conversation(), newest, moment).await
}

pub(in crate::store) async fn first_since_in(
    app: &App,
    conversation: ConversationId,
    newest: &Entry,
    moment: Timestamp,
) -> Result<u64> {
    const NEAR: u32 = 32;
    if newest.at < moment {
        return Ok(newest.seq + 1);
    }
    let near = range_in(app, conversation, (1, newest.seq), true, NEAR).await?;
    if let Some(before) = near.iter().find(|entry| entry.at < moment) {
        return Ok(before.seq + 1);
    }
    let (mut low, mut high) = (1, near.last().map_or(newest.seq, |entry| entry.seq));
    while low < high {
        let middle = low + (high - low) / 2;
        let entry = entry_of(app, conversation, middle)
            .await?
            .ok_or_else(|| Error::internal("a log has a gap"))?;
        if entry.at < moment {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

/// The number of the `ordinal`th message, counted from 1, of a log that ends in `newest`. A message's number exceeds
/// its ordinal only by the entries before it that are no messages, so it is usually found at once, and otherwise by
/// binary search: a deep page costs little more than the first.
pub async fn seq_of_message(app: &App, member: &Membership, newest: &Entry, ordinal: u64) -> Result<u64> {
    seq_of_message_in(app, member.conversation(), newest, ordinal).await
}

pub(in crate::store) async fn seq_of_message_in(
    app: &App,
    conversation: ConversationId,
    newest: &Entry,
    ordinal: u64,
) -> Result<u64> {
    let others = newest.seq - newest.tail.messages;
    let (mut low, mut high) = (ordinal, (ordinal + others).min(newest.seq));
    while low < high {
        let middle = low + (high - low) / 2;
        let entry = entry_of(app, conversation, middle)
            .await?
            .ok_or_else(|| Error::internal("a log has a gap"))?;
        if entry.tail.messages < ordinal {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

/// A query over the whole log.
fn whole(conversation: ConversationId) -> Query {
    Query::between(
        keys::log(conversation),
        keys::entry_sort(0),
        keys::entry_sort(LAST),
    )
}
