//! The audit log: what was done in the name of an administrator, each entry with the hash of the one before it.
//!
//! The hash of an entry is the SHA-256, in hexadecimal, of the entry as clients get it, without `hash`: compact JSON
//! in UTF-8 with the names of every object in order of their code points. So whoever has the entries can compute it
//! again without Tidings; in Python: `sha256(json.dumps(entry, sort_keys=True, separators=(",", ":"),
//! ensure_ascii=False).encode())`. An entry holds no fractions, whose writing would differ.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::day::Day;
use super::ids::{AuditId, UserId};
use super::time::Timestamp;

/// A hash, and that of no entry, which comes before the first.
pub type Hash = [u8; 32];

/// How much an act weighs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Somebody looked, or changed what can be changed back.
    #[default]
    Info,
    /// Others notice it.
    Warning,
    /// It cannot be undone.
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

/// Who acted, as their token said then (S2-F06).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "AuditActor")]
pub struct Actor {
    /// The `sub` of the token.
    pub id: UserId,
    /// The e-mail address of the token.
    pub email: Option<String>,
    /// The roles of the token.
    pub roles: Vec<String>,
}

/// What was acted on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "AuditTarget")]
pub struct Target {
    /// What kind of thing.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its id; null where it is all of them.
    pub id: Option<String>,
}

impl Target {
    /// One thing.
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

    /// All things of a kind.
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
    /// When; never before the entry in front of it.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What was done, such as `messages.moderate`.
    pub action: String,
    /// To what.
    pub target: Target,
    /// What was changed, as it was before; null where nothing was.
    pub before: Option<Map<String, Value>>,
    /// The same, as it was afterwards.
    pub after: Option<Map<String, Value>>,
    /// What else there is to say: filters, reasons.
    pub metadata: Map<String, Value>,
    /// How much it weighs.
    pub severity: Severity,
    /// The hash of the entry in front of it, in hexadecimal; zeros in front of the first.
    pub previous_hash: String,
    /// The hash of this entry.
    pub hash: String,
}

impl AuditEntry {
    /// The hash that the entry must have.
    pub fn computed_hash(&self) -> Hash {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        if let Some(fields) = value.as_object_mut() {
            fields.shift_remove("hash");
        }
        let mut text = String::new();
        canonical(&value, &mut text);
        Sha256::digest(text).into()
    }
}

/// Compact JSON with the names of every object in order.
fn canonical(value: &Value, text: &mut String) {
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
                canonical(value, text);
            }
            text.push('}');
        }
        Value::Array(values) => {
            text.push('[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                canonical(value, text);
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
        // Writing to a text cannot fail.
        write!(text, "{byte:02x}").ok();
        text
    })
}

/// Where a chain breaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "AuditBreak")]
pub struct Break {
    /// The day.
    pub day: Day,
    /// The number within the day, from 1.
    pub number: u64,
    /// The id of the entry there; null if it is missing.
    pub id: Option<AuditId>,
    /// What is wrong with it.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_hash_is_that_of_sorted_compact_json() {
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
        let mut text = String::new();
        let mut value = serde_json::to_value(&entry).unwrap();
        value.as_object_mut().unwrap().shift_remove("hash");
        canonical(&value, &mut text);
        let expected = r#"{"action":"messages.moderate","actor":{"email":null,"id":"00000000-0000-0000-0000-000000000000","roles":["admin"]},"after":null,"at":"1970-01-01T00:00:00.000Z","before":{"a":"é\"\n","b":1},"id":"00000000-0000-0000-0000-000000000000","metadata":{},"previous_hash":"00","severity":"info","target":{"id":"7","type":"message"}}"#;
        assert_eq!(text, expected);
        assert_eq!(entry.computed_hash(), <Hash>::from(Sha256::digest(expected)));
    }
}
