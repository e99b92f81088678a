//! Entries of the audit log as items. The four JSON texts are stored exactly as they were hashed.

use serde_json::{Map, Value};

use crate::domain::audit::{Actor, AuditEntry, Hash, Severity, hex};
use crate::domain::ids::{AuditId, UserId};
use crate::error::{Error, Result};
use crate::store::item::Item;
use crate::store::keys::Key;

/// The attributes of entries and of the end of the chain.
pub(super) mod attribute {
    /// Milliseconds since 1970.
    pub(in crate::store::audit) const AT: &str = "a";
    /// The changed fields before.
    pub(in crate::store::audit) const BEFORE: &str = "b";
    /// The day of the last entry (end of the chain).
    pub(in crate::store::audit) const DAY: &str = "d";
    /// The e-mail address of the actor.
    pub(in crate::store::audit) const EMAIL: &str = "e";
    /// The changed fields after.
    pub(in crate::store::audit) const AFTER: &str = "f";
    /// The hash of the entry.
    pub(in crate::store::audit) const HASH: &str = "h";
    /// The id of the entry.
    pub(in crate::store::audit) const ID: &str = "i";
    /// Additional data.
    pub(in crate::store::audit) const METADATA: &str = "m";
    /// The action.
    pub(in crate::store::audit) const ACTION: &str = "n";
    /// The hash of the previous entry.
    pub(in crate::store::audit) const PREVIOUS: &str = "p";
    /// The number of the last entry (end of the chain).
    pub(in crate::store::audit) const NUMBER: &str = "q";
    /// The roles of the actor.
    pub(in crate::store::audit) const ROLES: &str = "r";
    /// The severity.
    pub(in crate::store::audit) const SEVERITY: &str = "s";
    /// The signature (end of the chain).
    pub(in crate::store::audit) const SIGNATURE: &str = "v";
    /// The target.
    pub(in crate::store::audit) const TARGET: &str = "t";
    /// The actor.
    pub(in crate::store::audit) const ACTOR: &str = "u";
}

pub(super) fn encode(key: &Key, entry: &AuditEntry, previous: &Hash, hash: &Hash) -> Item {
    let json = |fields: &Map<String, Value>| Value::Object(fields.clone()).to_string();
    let target = serde_json::json!(entry.target).to_string();
    Item::new(key)
        .id(attribute::ID, entry.id.uuid())
        .number(attribute::AT, entry.at.milliseconds())
        .id(attribute::ACTOR, entry.actor.id.uuid())
        .optional_text(attribute::EMAIL, entry.actor.email.as_deref())
        .text(attribute::ROLES, serde_json::json!(entry.actor.roles).to_string())
        .text(attribute::ACTION, &entry.action)
        .text(attribute::TARGET, target)
        .optional_text(attribute::BEFORE, entry.before.as_ref().map(json).as_deref())
        .optional_text(attribute::AFTER, entry.after.as_ref().map(json).as_deref())
        .text(attribute::METADATA, json(&entry.metadata))
        .text(attribute::SEVERITY, entry.severity.as_str())
        .bytes(attribute::PREVIOUS, *previous)
        .bytes(attribute::HASH, *hash)
}

pub(super) fn decode(item: &Item) -> Result<AuditEntry> {
    let json = |name: &str| -> Result<Option<Map<String, Value>>> {
        let text = item.find_text(name);
        text.map(serde_json::from_str)
            .transpose()
            .map_err(Error::internal)
    };
    let severity = item.get_text(attribute::SEVERITY)?;
    let severity = Severity::ALL.into_iter().find(|known| known.as_str() == severity);
    let of = |name: &str| item.find_bytes(name).map(hex).unwrap_or_default();
    Ok(AuditEntry {
        id: AuditId::from_uuid(item.get_id(attribute::ID)?),
        at: item.get_time(attribute::AT)?,
        actor: Actor {
            id: UserId::from_uuid(item.get_id(attribute::ACTOR)?),
            email: item.find_text(attribute::EMAIL).map(str::to_owned),
            roles: serde_json::from_str(item.get_text(attribute::ROLES)?).map_err(Error::internal)?,
        },
        action: item.get_text(attribute::ACTION)?.to_owned(),
        target: serde_json::from_str(item.get_text(attribute::TARGET)?).map_err(Error::internal)?,
        before: json(attribute::BEFORE)?,
        after: json(attribute::AFTER)?,
        metadata: json(attribute::METADATA)?.unwrap_or_default(),
        severity: severity.ok_or_else(|| Error::internal("an audit entry has an unknown severity"))?,
        previous_hash: of(attribute::PREVIOUS),
        hash: of(attribute::HASH),
    })
}

/// The hash that is stored with an entry.
pub(super) fn hash(item: &Item) -> Option<Hash> {
    item.find_bytes(attribute::HASH)?.try_into().ok()
}
