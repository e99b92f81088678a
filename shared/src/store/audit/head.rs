//! The end of the chain: the item that identifies the last entry.
//!
//! It is signed like the entries, so nobody without the key can remove entries and move the end back to match. It can
//! still be deleted, or replaced by an older copy of itself; the [anchors](super::anchors) outside the table reveal
//! that.

use serde_json::{Value, json};

use super::codec::attribute;
use super::{Position, keys_of};
use crate::App;
use crate::domain::audit::{Hash, Keys, hex};
use crate::domain::day::Day;
use crate::domain::time::Timestamp;
use crate::error::{Error, Result};
use crate::store::item::{Item, bytes, number, text};
use crate::store::keys;
use crate::store::table::{self, Consistency, Update};

/// The last entry of the chain.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) position: Position,
    pub(super) hash: Hash,
    pub(super) at: Timestamp,
}

/// The state of the end of the chain.
#[derive(Clone, Debug)]
pub(super) enum End {
    /// There is none, and no entry was ever written.
    NotBegun,
    /// The last entry.
    At(Head),
    /// It is missing although there were entries, or it was not written by a function.
    Lost(Loss),
}

/// How the end of the chain was lost.
#[derive(Clone, Debug)]
pub(super) struct Loss {
    /// Text that follows "the end of the audit log".
    pub(super) how: &'static str,
    /// The signature of the invalid item, so that it is replaced only once.
    signature: Vec<u8>,
}

impl Loss {
    /// The error of an action that would have been recorded.
    pub(super) fn error(&self) -> Error {
        let cause = format!(
            "the end of the audit log {}; docs/deploy.md, \"The audit log\", says how to restore it",
            self.how
        );
        Error::AuditUnavailable(cause.into())
    }
}

/// The current end of the chain.
pub(super) async fn end(app: &App) -> Result<End> {
    let keys = keys_of(app)?;
    if let Some(item) = read(app).await? {
        return Ok(decoded(keys, &item));
    }
    if table::get(app, &keys::audit_begun(), Consistency::Strong)
        .await?
        .is_none()
    {
        return Ok(End::NotBegun);
    }
    // The first entry may have been written between the two reads.
    Ok(match read(app).await? {
        Some(item) => decoded(keys, &item),
        None => End::Lost(Loss {
            how: "is missing",
            signature: Vec::new(),
        }),
    })
}

async fn read(app: &App) -> Result<Option<Item>> {
    table::get(app, &keys::audit_head(), Consistency::Strong).await
}

fn decoded(keys: &Keys, item: &Item) -> End {
    let signature = item.find_bytes(attribute::SIGNATURE).unwrap_or_default();
    match decode(item) {
        Some(head) if keys.verifies(&signed_part(&head), signature) => End::At(head),
        _ => End::Lost(Loss {
            how: "was changed by somebody who has no key",
            signature: signature.to_vec(),
        }),
    }
}

fn decode(item: &Item) -> Option<Head> {
    let day: Day = item.get_text(attribute::DAY).ok()?.parse().ok()?;
    let number = item.get_number(attribute::NUMBER).ok()?;
    Some(Head {
        position: Position { day, number },
        hash: item.find_bytes(attribute::HASH)?.try_into().ok()?,
        at: item.get_time(attribute::AT).ok()?,
    })
}

/// The signed data. `kind` distinguishes it from entries and anchors.
fn signed_part(head: &Head) -> Value {
    json!({
        "kind": "head",
        "day": head.position.day,
        "number": head.position.number,
        "hash": hex(&head.hash),
        "at": head.at,
    })
}

/// The update that moves the end of the chain, refused unless it is still `before`.
pub(super) fn moved(keys: &Keys, before: &End, to: &Head) -> Update {
    let expression = format!(
        "SET {} = :day, {} = :number, {} = :hash, {} = :at, {} = :signature",
        attribute::DAY,
        attribute::NUMBER,
        attribute::HASH,
        attribute::AT,
        attribute::SIGNATURE
    );
    let update = Update::new(keys::audit_head(), expression)
        .value(":day", text(to.position.day.to_string()))
        .value(":number", number(to.position.number))
        .value(":hash", bytes(to.hash))
        .value(":at", number(to.at.milliseconds()))
        .value(":signature", bytes(keys.sign(&signed_part(to))));
    let absent = format!("attribute_not_exists({})", keys::PARTITION);
    match before {
        End::NotBegun => update.only_if(absent),
        End::At(head) => update
            .only_if(format!("{} = :before", attribute::HASH))
            .value(":before", bytes(head.hash)),
        End::Lost(loss) => update
            .only_if(format!(
                "{absent} OR attribute_not_exists({0}) OR {0} = :before",
                attribute::SIGNATURE
            ))
            .value(":before", bytes(loss.signature.clone())),
    }
}
