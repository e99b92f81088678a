//! Files: their owners, their types, and the messages that have them as attachments.
//!
//! A file's item holds references to the messages that it is attached to, at most [`MOST_REFERENCES`]. The transaction
//! that stores a message adds a reference, on the condition that the file is complete. A file without references after
//! a day is marked as removed, on the condition that it still has none. So if attaching and removing happen
//! concurrently, one of them fails, and no message has a removed attachment.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use uuid::Uuid;

use super::Worker;
use super::item::{Item, byte_set, bytes, number};
use super::keys;
use super::log;
use super::members::{Membership, Sender};
use super::once::Once;
use super::table::{self, Condition, Consistency, Query, Transaction, Update, Written};
use crate::App;
use crate::auth::Permit;
use crate::domain::file::{File, FileName, FileStatus, MediaType};
use crate::domain::ids::{ConversationId, FileId, UserId};
use crate::domain::message::{self, Attachment, Event};
use crate::domain::permission::ModerationView;
use crate::domain::time::Timestamp;
use crate::error::{Error, Result};

/// How many messages a file may be attached to. All of them may have to be read to decide who may read the file.
pub const MOST_REFERENCES: usize = 100;
/// How many attachments one message may have.
pub const MOST_ATTACHMENTS: usize = 10;

/// A file with the attributes that only the store uses.
struct Stored {
    file: File,
    owner: UserId,
    is_removed: bool,
    references: Vec<Reference>,
}

/// A reference to a message that has a file as an attachment: its conversation and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Reference {
    conversation: ConversationId,
    seq: u64,
}

/// Stores a file whose upload begins, once for all requests with a key, from which its id is derived; also returns
/// whether an earlier one stored it. A file that is not attached within a day is removed, and its key with it.
///
/// # Errors
/// [`Error::IdempotencyKeyReused`] if the key was used for another file, [`Error::Unavailable`] if that file is just
/// being removed.
pub async fn begin(app: &App, owner: UserId, file: &File, once: Option<&Once>) -> Result<bool> {
    // The index entry comes first: a file without one would never be removed.
    let begun = keys::begun_file(hour(file.created_at), file.file_id);
    table::put(app, Item::new(&begun), Condition::absent()).await?;
    let item = Item::new(&keys::file(file.file_id))
        .id(attribute::OWNER, owner.uuid())
        .text(attribute::NAME, file.filename.as_str())
        .text(attribute::MEDIA_TYPE, file.content_type.as_str())
        .number(attribute::SIZE_BYTES, file.size_bytes)
        .number(attribute::CREATED_AT, file.created_at.milliseconds())
        .number(attribute::STATUS, status::PENDING);
    let Some(once) = once else {
        table::put(app, item, Condition::absent()).await?;
        return Ok(false);
    };
    let item = item.bytes(attribute::FINGERPRINT, once.fingerprint());
    match table::put(app, item, Condition::absent()).await? {
        Written::Done(_) => Ok(false),
        Written::Refused(item) if item.find_bytes(attribute::FINGERPRINT) != Some(once.fingerprint()) => {
            Err(Error::IdempotencyKeyReused)
        }
        Written::Refused(item) if item.get_number::<u8>(attribute::STATUS)? == status::REMOVED => {
            Err(Error::unavailable("the file of a key is being removed"))
        }
        Written::Refused(_) => Ok(true),
    }
}

/// A file that the caller owns.
///
/// # Errors
/// 404 if there is none, or if it belongs to somebody else.
pub async fn own(app: &App, owner: UserId, file: FileId) -> Result<File> {
    let stored = find(app, file).await?;
    match stored {
        Some(stored) if stored.owner == owner => Ok(stored.file),
        _ => Err(Error::NotFound("file")),
    }
}

/// A file that the caller may read: their own, or an attachment of a message that they may read.
///
/// # Errors
/// 404 for every other file.
pub async fn for_reader(app: &App, reader: UserId, file: FileId) -> Result<File> {
    let stored = find(app, file).await?.ok_or(Error::NotFound("file"))?;
    if stored.owner == reader {
        return Ok(stored.file);
    }
    if stored.file.status != FileStatus::Complete {
        return Err(Error::NotFound("file"));
    }
    let mut known: HashMap<ConversationId, Option<Membership>> = HashMap::new();
    for Reference { conversation, seq } in stored.references {
        // The id of a direct conversation is derived from its two members, so those of others need no read.
        if conversation.is_direct() && conversation != ConversationId::direct(stored.owner, reader) {
            continue;
        }
        if let Entry::Vacant(place) = known.entry(conversation) {
            place.insert(membership(app, reader, conversation).await?);
        }
        if let Some(Some(membership)) = known.get(&conversation)
            && log::entry(app, membership, seq)
                .await?
                .is_some_and(|entry| shows(&entry))
        {
            return Ok(stored.file);
        }
    }
    Err(Error::NotFound("file"))
}

/// An attachment of a message, for callers who may see deleted and blocked messages too. An erased message has no
/// attachments.
pub async fn for_moderator(
    app: &App,
    _: &Permit<ModerationView>,
    content: &message::Content,
    file: FileId,
) -> Result<File> {
    let is_attached = content
        .attachments
        .iter()
        .any(|attachment| attachment.file_id == file);
    let stored = if is_attached { find(app, file).await? } else { None };
    let stored = stored.filter(|stored| stored.file.status == FileStatus::Complete);
    stored.map(|stored| stored.file).ok_or(Error::NotFound("file"))
}

/// Marks a file as complete unless it is already, and returns it as it is afterwards.
///
/// # Errors
/// 404 if it was removed in the meantime.
pub async fn complete(app: &App, file: FileId, size_bytes: u64) -> Result<File> {
    let expression = format!(
        "SET {} = :complete, {} = :size",
        attribute::STATUS,
        attribute::SIZE_BYTES
    );
    let update = Update::new(keys::file(file), expression)
        .only_if(format!("{} = :pending", attribute::STATUS))
        .value(":pending", number(status::PENDING))
        .value(":complete", number(status::COMPLETE))
        .value(":size", number(size_bytes));
    let (Written::Done(item) | Written::Refused(item)) = update.send(app).await?;
    match decode(file, &item)? {
        Some(stored) if !stored.is_removed => Ok(stored.file),
        _ => Err(Error::NotFound("file")),
    }
}

/// The attachments of a message: files that all belong to the sender and are complete.
///
/// # Errors
/// 422 for `attachments`, with the index of the file that is refused.
pub async fn attachments(app: &App, sender: UserId, files: &[FileId]) -> Result<Vec<Attachment>> {
    if files.len() > MOST_ATTACHMENTS {
        let reason = format!(
            "names {} files; at most {MOST_ATTACHMENTS} are allowed",
            files.len()
        );
        return Err(Error::invalid("attachments", "too_long", reason));
    }
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let keys = files.iter().copied().map(keys::file).collect();
    let items = table::get_many(app, keys, Consistency::Strong).await?;
    let mut attachments = Vec::with_capacity(files.len());
    for (place, file) in files.iter().copied().enumerate() {
        let field = || format!("attachments.{place}");
        if files.iter().take(place).any(|before| *before == file) {
            return Err(Error::invalid(field(), "duplicate", "is a duplicate"));
        }
        let item = items.get(&keys::file(file)).cloned().unwrap_or_default();
        let stored = decode(file, &item)?.filter(|stored| stored.owner == sender && !stored.is_removed);
        let Some(stored) = stored else {
            return Err(Error::invalid(
                field(),
                "unknown_file",
                "is not a file of the sender",
            ));
        };
        if stored.file.status != FileStatus::Complete {
            return Err(Error::invalid(
                field(),
                "incomplete",
                "has not been uploaded and completed",
            ));
        }
        attachments.push(Attachment {
            file_id: file,
            filename: stored.file.filename.as_str().to_owned(),
            content_type: stored.file.content_type.as_str().to_owned(),
            size_bytes: stored.file.size_bytes,
        });
    }
    Ok(attachments)
}

/// Adds to a message's transaction one update per attachment, which stores the reference. An update fails if the file
/// was removed in the meantime, or is attached to too many messages; see [`not_brought`].
pub(in crate::store) fn refer(
    transaction: Transaction,
    sender: &Sender,
    seq: u64,
    attachments: &[Attachment],
) -> Transaction {
    let reference = Reference {
        conversation: sender.conversation(),
        seq,
    };
    attachments.iter().fold(transaction, |transaction, attachment| {
        let update = Update::new(
            keys::file(attachment.file_id),
            format!("ADD {} :reference", attribute::REFERENCES),
        );
        let references = attribute::REFERENCES;
        transaction.update(
            update
                .only_if(format!(
                    "{} = :complete AND {} = :owner AND (attribute_not_exists({references}) OR size({references}) < :most)",
                    attribute::STATUS,
                    attribute::OWNER,
                ))
                .value(":reference", byte_set(reference.to_bytes()))
                .value(":complete", number(status::COMPLETE))
                .value(":owner", bytes(sender.user().uuid().as_bytes().to_vec()))
                .value(":most", number(MOST_REFERENCES)),
        )
    })
}

/// The error if a file could not be [attached](refer).
pub fn not_brought() -> Error {
    Error::invalid(
        "attachments",
        "unknown_file",
        format!("refers to a file that was removed, or attached {MOST_REFERENCES} times; upload it again"),
    )
}

/// The files that were created within an hour and have not been examined yet: at most `limit`, after `after`.
pub async fn begun(
    app: &App,
    _: Worker,
    hour: i64,
    after: Option<FileId>,
    limit: u32,
) -> Result<Vec<FileId>> {
    // `!` sorts before every character of an id, so this key is the first one after the id.
    let from = after.map_or_else(|| "!".to_owned(), |file| format!("{file}!"));
    let query = Query::between(keys::begun(hour), from, "~").limit(limit);
    let items = query.all(app).await?;
    items
        .iter()
        .map(|item| item.sort()?.parse().map_err(Error::internal))
        .collect()
}

/// Marks a file as removed unless it is attached to a message. Returns whether it is marked, so that its object must be
/// removed.
pub async fn condemn(app: &App, _: Worker, file: FileId) -> Result<bool> {
    let update = Update::new(keys::file(file), format!("SET {} = :removed", attribute::STATUS))
        .only_if(format!(
            "attribute_exists({}) AND attribute_not_exists({})",
            keys::PARTITION,
            attribute::REFERENCES
        ))
        .value(":removed", number(status::REMOVED));
    match update.send(app).await? {
        Written::Done(_) => Ok(true),
        // Attached; or the item is gone, which is deleted after its object.
        Written::Refused(_) => Ok(false),
    }
}

/// Deletes the item of a file that is marked as removed, after its object.
pub async fn forget(app: &App, _: Worker, file: FileId) -> Result<()> {
    table::take(app, &keys::file(file)).await.map(|_| ())
}

/// Deletes the index entry of a file that has been examined.
pub async fn judged(app: &App, _: Worker, hour: i64, file: FileId) -> Result<()> {
    table::take(app, &keys::begun_file(hour, file)).await.map(|_| ())
}

/// The hour of a moment, counted from 1970.
pub fn hour(moment: Timestamp) -> i64 {
    moment.seconds().div_euclid(3600)
}

async fn find(app: &App, file: FileId) -> Result<Option<Stored>> {
    let item = table::get(app, &keys::file(file), Consistency::Strong).await?;
    let stored = decode(file, &item.unwrap_or_default())?;
    Ok(stored.filter(|stored| !stored.is_removed))
}

/// The membership of a user, if they are a member.
async fn membership(app: &App, user: UserId, conversation: ConversationId) -> Result<Option<Membership>> {
    match Membership::of(app, user, conversation, Consistency::Strong).await {
        Ok(membership) => Ok(Some(membership)),
        Err(Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether an entry is a message whose content members see.
fn shows(entry: &message::Entry) -> bool {
    matches!(&entry.event, Event::Message(content) if content.is_shown())
}

impl Reference {
    fn to_bytes(self) -> Vec<u8> {
        [&self.conversation.uuid().as_bytes()[..], &self.seq.to_be_bytes()].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (conversation, seq) = bytes.split_at_checked(16)?;
        Some(Self {
            conversation: ConversationId::from_uuid(Uuid::from_slice(conversation).ok()?),
            seq: u64::from_be_bytes(seq.try_into().ok()?),
        })
    }
}

/// The attributes of files.
mod attribute {
    /// Milliseconds since 1970.
    pub(super) const CREATED_AT: &str = "a";
    /// The fingerprint of the request, under an idempotency key.
    pub(super) const FINGERPRINT: &str = "f";
    /// The file's name.
    pub(super) const NAME: &str = "n";
    /// The owner's id.
    pub(super) const OWNER: &str = "o";
    /// The references to the messages that it is attached to, 24 bytes each.
    pub(super) const REFERENCES: &str = "r";
    /// The state; see [`super::status`].
    pub(super) const STATUS: &str = "s";
    /// The media type.
    pub(super) const MEDIA_TYPE: &str = "t";
    /// The size in bytes.
    pub(super) const SIZE_BYTES: &str = "z";
}

/// The states of a file as numbers.
mod status {
    pub(super) const PENDING: u8 = 0;
    pub(super) const COMPLETE: u8 = 1;
    pub(super) const REMOVED: u8 = 2;
}

/// The file of an item; none if the item is empty.
fn decode(file_id: FileId, item: &Item) -> Result<Option<Stored>> {
    let Some(status) = item.find_number::<u8>(attribute::STATUS)? else {
        return Ok(None);
    };
    let name = item.get_text(attribute::NAME)?.to_owned();
    let media_type = item.get_text(attribute::MEDIA_TYPE)?;
    let mut references: Vec<Reference> = item
        .byte_strings(attribute::REFERENCES)
        .filter_map(Reference::from_bytes)
        .collect();
    // The newest first: it is the least likely to be deleted.
    references.sort_by_key(|reference| std::cmp::Reverse(reference.seq));
    Ok(Some(Stored {
        file: File {
            file_id,
            filename: FileName::stored(name),
            content_type: MediaType::of_name(media_type)
                .ok_or_else(|| Error::internal(format!("a file has the unknown type {media_type}")))?,
            size_bytes: item.get_number(attribute::SIZE_BYTES)?,
            status: if status == status::PENDING {
                FileStatus::Pending
            } else {
                FileStatus::Complete
            },
            created_at: item.get_time(attribute::CREATED_AT)?,
        },
        owner: UserId::from_uuid(item.get_id(attribute::OWNER)?),
        is_removed: status == status::REMOVED,
        references,
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_place_reads_back_from_its_bytes(conversation in any::<u128>(), seq in any::<u64>()) {
            let reference = Reference {
                conversation: ConversationId::from_uuid(Uuid::from_u128(conversation)),
                seq,
            };
            prop_assert_eq!(Reference::from_bytes(&reference.to_bytes()), Some(reference));
        }
    }
}
