//! What a client notes beside a message: an object of its own making, which Tidings keeps and gives back.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::text::Invalid;

/// The object. It is kept in the message's entry of the log, and so within bounds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata(Map<String, Value>);

impl Metadata {
    /// The most bytes that it may have, written as JSON without spaces.
    pub const MAX_BYTES: usize = 4096;

    /// The object, given away.
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
