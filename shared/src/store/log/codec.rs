//! Log entries as items.

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::domain::ids::{ConversationId, MessageId, TransactionId, UserId};
use crate::domain::json::Json;
use crate::domain::message::{Attachment, Content, Deletion, Entry, Event, MessageType, Payment, Tail};
use crate::domain::moderation::{Moderation, ModerationStatus};
use crate::domain::unread::Window;
use crate::domain::user::{Card, Claims};
use crate::error::{Error, Result};
use crate::store::item::Item;
use crate::store::keys;

/// The attributes of entries and locators.
pub(super) mod attribute {
    /// Attachments, as JSON.
    pub(in crate::store::log) const ATTACHMENTS: &str = "h";
    /// What a message cost.
    pub(in crate::store::log) const COST: &str = "k";
    /// When a message was delivered.
    pub(in crate::store::log) const DELIVERED_AT: &str = "dl";
    /// The client's metadata of a message, as JSON.
    pub(in crate::store::log) const METADATA: &str = "n";
    /// How many messages the first of the pair has sent.
    pub(in crate::store::log) const MESSAGES_OF_FIRST: &str = "of";
    /// When a message was marked as read individually.
    pub(in crate::store::log) const MARKED_AT: &str = "rd";
    /// The ledger entry that paid for a message.
    pub(in crate::store::log) const TRANSACTION: &str = "ki";
    /// Milliseconds since 1970.
    pub(in crate::store::log) const AT: &str = "a";
    /// The text of a message.
    pub(in crate::store::log) const TEXT: &str = "c";
    /// When a message was deleted.
    pub(in crate::store::log) const DELETED_AT: &str = "d";
    /// The number of the deletion entry.
    pub(in crate::store::log) const DELETION_SEQ: &str = "e";
    /// When the content was erased.
    pub(in crate::store::log) const ERASED_AT: &str = "er";
    /// The fingerprint of the content (locator).
    pub(in crate::store::log) const FINGERPRINT: &str = "f";
    /// The id of a message.
    pub(in crate::store::log) const ID: &str = "i";
    /// The conversation (locator).
    pub(in crate::store::log) const CONVERSATION: &str = "c";
    /// The number of the newest message, if the entry is no message itself.
    pub(in crate::store::log) const LAST_MESSAGE_SEQ: &str = "l";
    /// Its time.
    pub(in crate::store::log) const LAST_MESSAGE_AT: &str = "la";
    /// The client's id of a message.
    pub(in crate::store::log) const CLIENT_MESSAGE_ID: &str = "m";
    /// When the moderation status was last changed.
    pub(in crate::store::log) const MODERATED_AT: &str = "ma";
    /// The number of the moderation entry.
    pub(in crate::store::log) const MODERATION_SEQ: &str = "mq";
    /// The moderation status; in a moderation entry, the new status.
    pub(in crate::store::log) const MODERATION_STATUS: &str = "ms";
    /// How many messages the log has.
    pub(in crate::store::log) const MESSAGES: &str = "o";
    /// The two members of a direct conversation, 32 bytes.
    pub(in crate::store::log) const PAIR: &str = "p";
    /// The number of a message (locator), or of the message that an entry is about.
    pub(in crate::store::log) const SEQ: &str = "q";
    /// The sender.
    pub(in crate::store::log) const SENDER: &str = "s";
    /// The type of a message; absent for text.
    pub(in crate::store::log) const MESSAGE_TYPE: &str = "t";
    /// The sender's user name.
    pub(in crate::store::log) const SENDER_USERNAME: &str = "u";
    /// The window of the tail.
    pub(in crate::store::log) const WINDOW: &str = "w";
}

pub(super) fn encode(conversation: ConversationId, entry: &Entry) -> Result<Item> {
    let item = Item::new(&keys::entry(conversation, entry.seq))
        .number(attribute::AT, entry.at.milliseconds())
        .number(attribute::MESSAGES, entry.tail.messages)
        .bytes(attribute::WINDOW, entry.tail.window.to_bytes());
    let item = match entry.tail.pair {
        Some(pair) => item
            .bytes(
                attribute::PAIR,
                pair.map(|user| user.uuid().into_bytes()).concat(),
            )
            .number(attribute::MESSAGES_OF_FIRST, entry.tail.messages_of_first),
        None => item,
    };
    Ok(match &entry.event {
        Event::Message(content) => {
            let item = item
                .id(attribute::ID, content.id.uuid())
                .id(attribute::SENDER, content.sender.uuid())
                .text(attribute::SENDER_USERNAME, &content.sender_username)
                .text(attribute::TEXT, &content.text)
                .optional_text(attribute::CLIENT_MESSAGE_ID, content.client_message_id.as_deref());
            let item = match content.message_type {
                MessageType::Text => item,
                other => item.text(attribute::MESSAGE_TYPE, other.as_str()),
            };
            let item = match content.payment {
                Some(payment) => item
                    .number(attribute::COST, payment.cost)
                    .id(attribute::TRANSACTION, payment.transaction.uuid()),
                None => item,
            };
            let item = if content.attachments.is_empty() {
                item
            } else {
                item.text(attribute::ATTACHMENTS, json(&content.attachments)?)
            };
            if content.metadata.is_empty() {
                item
            } else {
                item.text(attribute::METADATA, json(&content.metadata)?)
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
    })
}

/// An entry that is no message but about one: deletion or moderation.
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

fn json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(Error::internal)
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
        messages_of_first: item
            .find_number(attribute::MESSAGES_OF_FIRST)?
            .unwrap_or_default(),
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
        Event::Message(Box::new(Content {
            id,
            sender,
            sender_username,
            text,
            message_type: message_type(item.find_text(attribute::MESSAGE_TYPE))?,
            client_message_id: item.find_text(attribute::CLIENT_MESSAGE_ID).map(str::to_owned),
            attachments: match item.find_text(attribute::ATTACHMENTS) {
                Some(files) => serde_json::from_str::<Vec<Attachment>>(files).map_err(Error::internal)?,
                None => Vec::new(),
            },
            metadata: match item.find_text(attribute::METADATA) {
                Some(metadata) => self::metadata(metadata)?,
                None => Map::new(),
            },
            payment: match item.find_id(attribute::TRANSACTION)? {
                Some(transaction) => Some(Payment {
                    cost: item.get_number(attribute::COST)?,
                    transaction: TransactionId::from_uuid(transaction),
                }),
                None => None,
            },
            delivered_at: item.find_time(attribute::DELIVERED_AT)?,
            read_at: item.find_time(attribute::MARKED_AT)?,
            deletion,
            moderation: moderation(item)?,
            erased_at,
        }))
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

/// The client's metadata, with every number exactly as it was: `serde_json` parses some with a wrong last digit.
fn metadata(text: &str) -> Result<Map<String, Value>> {
    let value = Json::parse(text.as_bytes()).map_err(|broken| Error::internal(broken.to_string()))?;
    match value.into_value() {
        Ok(Value::Object(fields)) => Ok(fields),
        // Stored before numbers were validated on input.
        Err(_) => serde_json::from_str(text).map_err(Error::internal),
        Ok(_) => Err(Error::internal("the metadata of a message is no object")),
    }
}

fn pair(bytes: &[u8]) -> Option<[UserId; 2]> {
    let (low, high) = bytes.split_at_checked(16)?;
    let user = |bytes| Uuid::from_slice(bytes).ok().map(UserId::from_uuid);
    Some([user(low)?, user(high)?])
}

fn message_type(name: Option<&str>) -> Result<MessageType> {
    match name {
        None => Ok(MessageType::Text),
        Some(name) => MessageType::ALL
            .into_iter()
            .find(|message_type| message_type.as_str() == name)
            .ok_or_else(|| Error::internal(format!("a message has the unknown type {name}"))),
    }
}

/// The last moderation of the message.
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
