//! Log entries as items.

use uuid::Uuid;

use crate::domain::ids::{ConversationId, MessageId, UserId};
use crate::domain::message::{Content, ContentType, Deletion, Entry, Event, Tail};
use crate::domain::moderation::{Moderation, ModerationStatus};
use crate::domain::unread::Window;
use crate::domain::user::{Card, Claims};
use crate::error::{Error, Result};
use crate::store::item::Item;
use crate::store::keys;

/// The attributes of entries and locators.
pub(super) mod attribute {
    /// Milliseconds since 1970.
    pub(in crate::store::log) const AT: &str = "a";
    /// The text of a message.
    pub(in crate::store::log) const TEXT: &str = "c";
    /// When a message was deleted.
    pub(in crate::store::log) const DELETED_AT: &str = "d";
    /// Which entry tells of the deletion.
    pub(in crate::store::log) const DELETION_SEQ: &str = "e";
    /// When the content of a message was removed for good.
    pub(in crate::store::log) const ERASED_AT: &str = "er";
    /// Tells one content from another (locator).
    pub(in crate::store::log) const FINGERPRINT: &str = "f";
    /// The id of a message.
    pub(in crate::store::log) const ID: &str = "i";
    /// The conversation (locator).
    pub(in crate::store::log) const CONVERSATION: &str = "c";
    /// The newest message, where the entry is none itself.
    pub(in crate::store::log) const LAST_MESSAGE_SEQ: &str = "l";
    /// When it came.
    pub(in crate::store::log) const LAST_MESSAGE_AT: &str = "la";
    /// The client's id of a message.
    pub(in crate::store::log) const CLIENT_MESSAGE_ID: &str = "m";
    /// When moderators last said something of a message.
    pub(in crate::store::log) const MODERATED_AT: &str = "ma";
    /// Which entry tells of it.
    pub(in crate::store::log) const MODERATION_SEQ: &str = "mq";
    /// What they said; of an entry that is no message, what it tells.
    pub(in crate::store::log) const MODERATION_STATUS: &str = "ms";
    /// How many messages the log holds.
    pub(in crate::store::log) const MESSAGES: &str = "o";
    /// The two of a direct conversation, 32 bytes.
    pub(in crate::store::log) const PAIR: &str = "p";
    /// The place of a message (locator), or of the message that a deletion is about.
    pub(in crate::store::log) const SEQ: &str = "q";
    /// The sender.
    pub(in crate::store::log) const SENDER: &str = "s";
    /// What kind of text, unless plain.
    pub(in crate::store::log) const CONTENT_TYPE: &str = "t";
    /// What the sender was called.
    pub(in crate::store::log) const SENDER_USERNAME: &str = "u";
    /// The window of the tail.
    pub(in crate::store::log) const WINDOW: &str = "w";
}

pub(super) fn encode(conversation: ConversationId, entry: &Entry) -> Item {
    let item = Item::new(&keys::entry(conversation, entry.seq))
        .number(attribute::AT, entry.at.milliseconds())
        .number(attribute::MESSAGES, entry.tail.messages)
        .bytes(attribute::WINDOW, entry.tail.window.to_bytes());
    let item = match entry.tail.pair {
        Some(pair) => item.bytes(
            attribute::PAIR,
            pair.map(|user| user.uuid().into_bytes()).concat(),
        ),
        None => item,
    };
    match &entry.event {
        Event::Message(content) => {
            let item = item
                .id(attribute::ID, content.id.uuid())
                .id(attribute::SENDER, content.sender.uuid())
                .text(attribute::SENDER_USERNAME, &content.sender_username)
                .text(attribute::TEXT, &content.text)
                .optional_text(attribute::CLIENT_MESSAGE_ID, content.client_message_id.as_deref());
            match content.content_type {
                ContentType::Text => item,
                other => item.text(attribute::CONTENT_TYPE, other.as_str()),
            }
        }
        Event::Deletion {
            message_id,
            message_seq,
        } => about(item, &entry.tail, *message_id, *message_seq),
        Event::Moderation {
            message_id,
            message_seq,
            status,
        } => about(item, &entry.tail, *message_id, *message_seq)
            .text(attribute::MODERATION_STATUS, status.as_str()),
    }
}

/// What an entry holds that is no message and speaks of one.
fn about(item: Item, tail: &Tail, message: MessageId, message_seq: u64) -> Item {
    let item = item
        .id(attribute::ID, message.uuid())
        .number(attribute::SEQ, message_seq)
        .number(attribute::LAST_MESSAGE_SEQ, tail.last_message_seq);
    match tail.last_message_at {
        Some(at) => item.number(attribute::LAST_MESSAGE_AT, at.milliseconds()),
        None => item,
    }
}

pub(in crate::store) fn decode(item: &Item) -> Result<Entry> {
    let seq = item.sort()?.parse().map_err(Error::internal)?;
    let at = item.get_time(attribute::AT)?;
    let id = MessageId::from_uuid(item.get_id(attribute::ID)?);
    let mut tail = Tail {
        messages: item.get_number(attribute::MESSAGES)?,
        last_message_seq: seq,
        last_message_at: Some(at),
        window: Window::from_bytes(item.find_bytes(attribute::WINDOW).unwrap_or_default()),
        pair: item.find_bytes(attribute::PAIR).and_then(pair),
    };
    let event = if let Some(sender) = item.find_id(attribute::SENDER)? {
        let deletion = match item.find_time(attribute::DELETED_AT)? {
            Some(at) => Some(Deletion {
                at,
                seq: item.get_number(attribute::DELETION_SEQ)?,
            }),
            None => None,
        };
        let (sender, erased_at) = (UserId::from_uuid(sender), item.find_time(attribute::ERASED_AT)?);
        let (sender_username, text) = if erased_at.is_some() {
            (Card::of(sender, &Claims::default()).username, String::new())
        } else {
            let username = item.get_text(attribute::SENDER_USERNAME)?.to_owned();
            (username, item.get_text(attribute::TEXT)?.to_owned())
        };
        Event::Message(Content {
            id,
            sender,
            sender_username,
            text,
            content_type: content_type(item.find_text(attribute::CONTENT_TYPE))?,
            client_message_id: item.find_text(attribute::CLIENT_MESSAGE_ID).map(str::to_owned),
            deletion,
            moderation: moderation(item)?,
            erased_at,
        })
    } else {
        tail.last_message_seq = item.get_number(attribute::LAST_MESSAGE_SEQ)?;
        tail.last_message_at = item.find_time(attribute::LAST_MESSAGE_AT)?;
        let message_seq = item.get_number(attribute::SEQ)?;
        match item.find_text(attribute::MODERATION_STATUS) {
            Some(status) => Event::Moderation {
                message_id: id,
                message_seq,
                status: moderation_status(status)?,
            },
            None => Event::Deletion {
                message_id: id,
                message_seq,
            },
        }
    };
    Ok(Entry { seq, at, event, tail })
}

fn pair(bytes: &[u8]) -> Option<[UserId; 2]> {
    let (low, high) = bytes.split_at_checked(16)?;
    let user = |bytes| Uuid::from_slice(bytes).ok().map(UserId::from_uuid);
    Some([user(low)?, user(high)?])
}

fn content_type(name: Option<&str>) -> Result<ContentType> {
    let known = [
        ContentType::Text,
        ContentType::Image,
        ContentType::File,
        ContentType::System,
    ];
    match name {
        None => Ok(ContentType::Text),
        Some(name) => known
            .into_iter()
            .find(|content_type| content_type.as_str() == name)
            .ok_or_else(|| Error::internal(format!("a message has the unknown content type {name}"))),
    }
}

/// What moderators said of a message last.
fn moderation(item: &Item) -> Result<Option<Moderation>> {
    let Some(at) = item.find_time(attribute::MODERATED_AT)? else {
        return Ok(None);
    };
    Ok(Some(Moderation {
        status: moderation_status(item.get_text(attribute::MODERATION_STATUS)?)?,
        at,
        seq: item.get_number(attribute::MODERATION_SEQ)?,
    }))
}

fn moderation_status(name: &str) -> Result<ModerationStatus> {
    ModerationStatus::ALL
        .into_iter()
        .find(|status| status.as_str() == name)
        .ok_or_else(|| Error::internal(format!("a message has the unknown moderation status {name}")))
}
