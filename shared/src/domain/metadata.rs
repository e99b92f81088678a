//! Metadata: an object of the client's own, which is stored with a message and returned unchanged.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::text::Invalid;

/// The object. It is stored in the message's log entry, so its size is bounded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata(Map<String, Value>);

impl Metadata {
    /// The maximum size in bytes, as JSON without whitespace.
    pub const MAX_BYTES: usize = 4096;

    /// Consumes it.
    pub fn into_map(self) -> Map<String, Value> {
        self.0
    }
}

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let map = Map::deserialize(deserializer)?;
        let bytes = serde_json::to_vec(&map).map_err(serde::de::Error::custom)?.len();
        if bytes > Self::MAX_BYTES {
            let reason = format!("is {bytes} bytes long; at most {} are allowed", Self::MAX_BYTES);
            return Err(serde::de::Error::custom(Invalid::new("too_long", reason)));
        }
        Ok(Self(map))
    }
}

impl JsonSchema for Metadata {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Metadata".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "additionalProperties": true, "x-maxBytes": Self::MAX_BYTES })
    }
}
