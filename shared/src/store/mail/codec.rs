//! Mails and flags as items.

use uuid::Uuid;

use crate::domain::ids::{MessageId, NotificationId, UserId};
use crate::domain::mail::{Content, Flags};
use crate::domain::moderation::ModerationStatus;
use crate::error::{Error, Result};
use crate::store::item::Item;
use crate::store::keys;

/// The attributes of contents and flags.
pub(super) mod attribute {
    /// Milliseconds since 1970 of sending.
    pub(super) const AT: &str = "a";
    /// The body.
    pub(in crate::store::mail) const BODY: &str = "b";
    /// The fingerprint of the content, as in a locator.
    pub(in crate::store::mail) const FINGERPRINT: &str = "f";
    /// The notification about it.
    pub(super) const NOTIFICATION: &str = "n";
    /// The recipient. A locator of a message has none, which tells the two apart.
    pub(in crate::store::mail) const RECIPIENT: &str = "r";
    /// The sender.
    pub(super) const SENDER: &str = "s";
    /// The subject.
    pub(in crate::store::mail) const SUBJECT: &str = "u";

    /// Set if the content was erased (content and flags).
    pub(in crate::store::mail) const ERASED: &str = "er";
    /// The moderation status, unless approved (content and flags).
    pub(in crate::store::mail) const STATUS: &str = "ms";

    /// Set if it is archived (flags).
    pub(super) const ARCHIVED: &str = "ar";
    /// Set if it is deleted (flags).
    pub(super) const DELETED: &str = "d";
    /// Set if it is read (flags).
    pub(super) const READ: &str = "rd";
    /// When it was read (flags).
    pub(super) const READ_AT: &str = "ra";
    /// Set if it is starred (flags).
    pub(super) const STARRED: &str = "st";
    /// When they last changed (flags).
    pub(super) const UPDATED_AT: &str = "ua";
    /// The version (flags).
    pub(in crate::store::mail) const VERSION: &str = "v";
}

pub(super) fn encode(content: &Content, fingerprint: &[u8]) -> Item {
    Item::new(&keys::locator(content.id))
        .id(attribute::SENDER, content.sender.uuid())
        .id(attribute::RECIPIENT, content.recipient.uuid())
        .text(attribute::SUBJECT, &content.subject)
        .text(attribute::BODY, &content.body)
        .number(attribute::AT, content.created_at.milliseconds())
        .id(attribute::NOTIFICATION, content.notification.uuid())
        .bytes(attribute::FINGERPRINT, fingerprint)
}

/// The mail in an item; none if the item is the locator of a message in a conversation.
pub(super) fn decode(id: MessageId, item: &Item) -> Result<Option<Content>> {
    let Some(recipient) = item.find_id(attribute::RECIPIENT)? else {
        return Ok(None);
    };
    let sender: Uuid = item.get_id(attribute::SENDER)?;
    Ok(Some(Content {
        id,
        sender: UserId::from_uuid(sender),
        recipient: UserId::from_uuid(recipient),
        subject: item.find_text(attribute::SUBJECT).unwrap_or_default().to_owned(),
        body: item.find_text(attribute::BODY).unwrap_or_default().to_owned(),
        created_at: item.get_time(attribute::AT)?,
        notification: NotificationId::from_uuid(item.get_id(attribute::NOTIFICATION)?),
    }))
}

pub(super) fn encode_flags(user: UserId, message: MessageId, flags: Flags) -> Item {
    Item::new(&keys::flags(user, message))
        .mark(attribute::READ, flags.is_read)
        .optional_time(attribute::READ_AT, flags.read_at)
        .mark(attribute::STARRED, flags.is_starred)
        .mark(attribute::ARCHIVED, flags.is_archived)
        .mark(attribute::DELETED, flags.is_deleted)
        .optional_text(attribute::STATUS, stored_status(flags.moderation_status))
        .mark(attribute::ERASED, flags.is_erased)
        .number(attribute::VERSION, flags.version)
        .optional_time(attribute::UPDATED_AT, flags.updated_at)
}

pub(super) fn decode_flags(item: &Item) -> Result<Flags> {
    Ok(Flags {
        is_read: item.is_marked(attribute::READ),
        read_at: item.find_time(attribute::READ_AT)?,
        is_starred: item.is_marked(attribute::STARRED),
        is_archived: item.is_marked(attribute::ARCHIVED),
        is_deleted: item.is_marked(attribute::DELETED),
        moderation_status: moderation_status(item)?,
        is_erased: item.is_marked(attribute::ERASED),
        version: item.get_number(attribute::VERSION)?,
        updated_at: item.find_time(attribute::UPDATED_AT)?,
    })
}

/// The moderation status, stored in the content and in the flags of each side.
pub(super) fn moderation_status(item: &Item) -> Result<ModerationStatus> {
    let Some(text) = item.find_text(attribute::STATUS) else {
        return Ok(ModerationStatus::Approved);
    };
    let known = ModerationStatus::ALL
        .into_iter()
        .find(|status| status.as_str() == text);
    known.ok_or_else(|| Error::internal("a mail has an unknown moderation status"))
}

fn stored_status(status: ModerationStatus) -> Option<&'static str> {
    (status != ModerationStatus::Approved).then(|| status.as_str())
}
