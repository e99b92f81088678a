//! The audit log: the actions of administrators, each entry with the hash of the previous one.
//!
//! The hash of an entry is the HMAC-SHA256 (RFC 2104), in hexadecimal, of the entry as clients get it, without `hash`:
//! compact JSON in UTF-8 with the names of every object in order of their code points. The key is `AUDIT_SECRET_KEY`,
//! which only the functions that audit have: whoever can write to the table but has no key cannot change an entry and
//! make the hashes fit. An auditor who is given the key can compute the hashes without Tidings; in Python:
//! `hmac.digest(key, json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(), "sha256")`.
//! Entries hold no fractional numbers, which programs format differently.

mod keys;

pub use keys::{KEY_MIN_BYTES, Keys};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::day::Day;
use super::ids::{AuditId, UserId};
use super::time::Timestamp;

/// The hash of an entry. The first entry refers to 32 zero bytes.
pub type Hash = [u8; 32];

/// The severity of an action.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Data was viewed, or changed in a way that can be undone.
    #[default]
    Info,
    /// Other users are affected.
    Warning,
    /// The action can't be undone.
    Critical,
}

impl Severity {
    /// Every severity.
    pub const ALL: [Self; 3] = [Self::Info, Self::Warning, Self::Critical];

    /// The name that clients use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// The user who acted, as described by their token at that time (S2-F06).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "AuditActor")]
pub struct Actor {
    /// The user id.
    pub id: UserId,
    /// The e-mail address.
    pub email: Option<String>,
    /// The roles.
    pub roles: Vec<String>,
}

/// The target of an action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "AuditTarget")]
pub struct Target {
    /// The kind of target.
    #[serde(rename = "type")]
    pub kind: String,
    /// The id of the target; null if the action concerns all of that kind.
    pub id: Option<String>,
}

impl Target {
    /// A single target.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "ids are copied; a reference at each call would say nothing"
    )]
    pub fn one(kind: &str, id: impl ToString) -> Self {
        Self {
            kind: kind.to_owned(),
            id: Some(id.to_string()),
        }
    }

    /// All targets of a kind.
    pub fn all(kind: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            id: None,
        }
    }
}

/// An entry of the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AuditEntry {
    /// The id of the entry.
    pub id: AuditId,
    /// When it happened. Never earlier than the previous entry.
    pub at: Timestamp,
    /// The user.
    pub actor: Actor,
    /// The action, such as `messages.moderate`.
    pub action: String,
    /// The target of the action.
    pub target: Target,
    /// The changed values before the action; null if nothing was changed.
    pub before: Option<Map<String, Value>>,
    /// The changed values after the action; null if nothing was changed.
    pub after: Option<Map<String, Value>>,
    /// Further details, such as filters and reasons.
    pub metadata: Map<String, Value>,
    /// The severity.
    pub severity: Severity,
    /// The hash of the previous entry, in hexadecimal; all zeros for the first entry.
    pub previous_hash: String,
    /// The hash of this entry: an HMAC-SHA256 in hexadecimal.
    pub hash: String,
}

impl AuditEntry {
    /// The data that its hash is computed from: all fields except the hash.
    pub fn signed_part(&self) -> Value {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        if let Some(fields) = value.as_object_mut() {
            fields.shift_remove("hash");
        }
        value
    }
}

/// Compact JSON with the members of every object sorted.
fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write_canonical(value, &mut text);
    text
}

fn write_canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            text.push('{');
            for (index, (name, value)) in fields.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push(':');
                write_canonical(value, text);
            }
            text.push('}');
        }
        Value::Array(values) => {
            text.push('[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_canonical(value, text);
            }
            text.push(']');
        }
        other => text.push_str(&other.to_string()),
    }
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        write!(text, "{byte:02x}").ok();
        text
    })
}

/// The first place where the log is invalid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "AuditBreak")]
pub struct Break {
    /// The day.
    pub day: Day,
    /// The number of the entry within the day, starting at 1.
    pub number: u64,
    /// The id of the entry; null if it is missing.
    pub id: Option<AuditId>,
    /// Why the entry is invalid.
    pub reason: String,
}

/// A place in the log that is kept outside the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AuditAnchor {
    /// The day of the entry.
    pub day: Day,
    /// The number of the entry within the day, from 1.
    pub number: u64,
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_hash_is_computed_from_sorted_compact_json() {
        let map = |value: Value| value.as_object().cloned().unwrap_or_default();
        let entry = AuditEntry {
            id: AuditId::from_uuid(Uuid::nil()),
            at: Timestamp::from_milliseconds(0),
            actor: Actor {
                id: UserId::from_uuid(Uuid::nil()),
                email: None,
                roles: vec!["admin".to_owned()],
            },
            action: "messages.moderate".to_owned(),
            target: Target::one("message", 7),
            before: Some(map(json!({ "b": 1, "a": "é\"\n" }))),
            after: None,
            metadata: Map::new(),
            severity: Severity::Info,
            previous_hash: "00".to_owned(),
            hash: "whatever".to_owned(),
        };
        let text = canonical(&entry.signed_part());
        let expected = r#"{"action":"messages.moderate","actor":{"email":null,"id":"00000000-0000-0000-0000-000000000000","roles":["admin"]},"after":null,"at":"1970-01-01T00:00:00.000Z","before":{"a":"é\"\n","b":1},"id":"00000000-0000-0000-0000-000000000000","metadata":{},"previous_hash":"00","severity":"info","target":{"id":"7","type":"message"}}"#;
        assert_eq!(text, expected);
    }
}
