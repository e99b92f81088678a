//! Receipts of person-to-person messages: delivered and read, per message.

use super::codec::{attribute, decode};
use super::holds;
use crate::App;
use crate::domain::ids::{ConversationId, MessageId, UserId};
use crate::domain::message::{Content, Entry, Event};
use crate::domain::time::Timestamp;
use crate::error::{Error, Result};
use crate::store::item::number;
use crate::store::keys;
use crate::store::table::{self, Consistency, Update, Written};

/// A person-to-person message that a user sent or received: proof that the user may see it.
#[derive(Clone, Debug)]
pub struct Addressed {
    conversation: ConversationId,
    pair: [UserId; 2],
    user: UserId,
    entry: Entry,
}

impl Addressed {
    /// The direct conversation.
    pub fn conversation(&self) -> ConversationId {
        self.conversation
    }

    /// The two members.
    pub fn pair(&self) -> [UserId; 2] {
        self.pair
    }

    /// The message in the log.
    pub fn entry(&self) -> &Entry {
        &self.entry
    }

    /// The message's content.
    ///
    /// # Errors
    /// Only because of a defect: an id of a message refers to a message.
    pub fn content(&self) -> Result<&Content> {
        match &self.entry.event {
            Event::Message(content) => Ok(content),
            Event::Deletion { .. } | Event::Moderation { .. } => Err(Error::internal("a message is none")),
        }
    }

    /// Whether the user is the receiver.
    pub fn is_received(&self) -> bool {
        matches!(&self.entry.event, Event::Message(content) if content.sender != self.user)
    }
}

/// Those of the given ids that are person-to-person messages of a user, in the order of the log. An entry of a direct
/// conversation holds both members, and the conversation's id is derived from them, so no membership has to be read.
pub async fn addressed(app: &App, user: UserId, messages: &[MessageId]) -> Result<Vec<Addressed>> {
    let locators = messages.iter().map(|message| keys::locator(*message)).collect();
    let locators = table::get_many(app, locators, Consistency::Strong).await?;
    let mut places = Vec::with_capacity(locators.len());
    for message in messages {
        let Some(locator) = locators.get(&keys::locator(*message)) else {
            continue;
        };
        // A mail has the same key, without a conversation.
        let Some(conversation) = locator.find_id(attribute::CONVERSATION)? else {
            continue;
        };
        let conversation = ConversationId::from_uuid(conversation);
        if conversation.is_direct() {
            places.push((*message, conversation, locator.get_number::<u64>(attribute::SEQ)?));
        }
    }
    let key = |(_, conversation, seq): &(MessageId, ConversationId, u64)| keys::entry(*conversation, *seq);
    let entries = table::get_many(app, places.iter().map(key).collect(), Consistency::Strong).await?;
    let mut found = Vec::with_capacity(places.len());
    for place in places {
        let Some(item) = entries.get(&key(&place)) else {
            continue;
        };
        let (message, conversation, _) = place;
        let entry = decode(item)?;
        let Some(pair) = entry.tail.pair.filter(|pair| pair.contains(&user)) else {
            continue;
        };
        let [first, second] = pair;
        if ConversationId::direct(first, second) == conversation && holds(&entry, message) {
            found.push(Addressed {
                conversation,
                pair,
                user,
                entry,
            });
        }
    }
    found.sort_by_key(|addressed| (addressed.conversation, addressed.entry.seq));
    found.dedup_by_key(|addressed| (addressed.conversation, addressed.entry.seq));
    Ok(found)
}

/// Records the delivery of a message unless it is recorded already. Returns the message as it is then.
pub async fn mark_delivered(app: &App, message: &Addressed) -> Result<Addressed> {
    mark(app, message, attribute::DELIVERED_AT, app.now()).await
}

/// Records when a message was read individually unless it is recorded already. Returns the message as it is then.
pub async fn mark_read(app: &App, message: &Addressed, at: Timestamp) -> Result<Addressed> {
    mark(app, message, attribute::MARKED_AT, at).await
}

async fn mark(app: &App, message: &Addressed, name: &str, at: Timestamp) -> Result<Addressed> {
    let key = keys::entry(message.conversation, message.entry.seq);
    let update = Update::new(key, format!("SET {name} = :at"))
        .only_if(format!(
            "attribute_exists({}) AND attribute_not_exists({name})",
            keys::PARTITION
        ))
        .value(":at", number(at.milliseconds()));
    let (Written::Done(item) | Written::Refused(item)) = update.send(app).await?;
    Ok(Addressed {
        entry: decode(&item)?,
        ..message.clone()
    })
}
