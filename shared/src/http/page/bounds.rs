//! Numbers and lists of ids in requests, with bounds that are enforced rather than clamped.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use crate::domain::text::Invalid;

/// A whole number from `MIN` to `MAX`; `DEFAULT` if it is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounded<const MIN: u64, const MAX: u64, const DEFAULT: u64>(u64);

impl<const MIN: u64, const MAX: u64, const DEFAULT: u64> Bounded<MIN, MAX, DEFAULT> {
    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl<const MIN: u64, const MAX: u64, const DEFAULT: u64> Default for Bounded<MIN, MAX, DEFAULT> {
    fn default() -> Self {
        Self(DEFAULT)
    }
}

impl<'de, const MIN: u64, const MAX: u64, const DEFAULT: u64> Deserialize<'de>
    for Bounded<MIN, MAX, DEFAULT>
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        match u64::try_from(number) {
            Ok(number) if (MIN..=MAX).contains(&number) => Ok(Self(number)),
            _ => {
                let reason = if MAX == u64::MAX {
                    format!("must be at least {MIN}")
                } else {
                    format!("must lie between {MIN} and {MAX}")
                };
                Err(serde::de::Error::custom(Invalid::new("out_of_range", reason)))
            }
        }
    }
}

impl<const MIN: u64, const MAX: u64, const DEFAULT: u64> JsonSchema for Bounded<MIN, MAX, DEFAULT> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("From{MIN}To{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut schema = json_schema!({ "type": "integer", "minimum": MIN, "default": DEFAULT });
        if MAX < u64::MAX {
            schema.insert("maximum".to_owned(), MAX.into());
        }
        schema
    }
}

/// The ids of a bulk operation: 1 to 100, without duplicates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ids<T>(Vec<T>);

impl<T> Ids<T> {
    /// The most ids.
    pub const MOST: usize = 100;

    /// The ids, in order.
    pub fn get(&self) -> &[T] {
        &self.0
    }
}

impl<'de, T: Deserialize<'de> + Ord> Deserialize<'de> for Ids<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut ids = Vec::<T>::deserialize(deserializer)?;
        let count = ids.len();
        let refused =
            |issue: &'static str, reason: String| Err(serde::de::Error::custom(Invalid::new(issue, reason)));
        if count == 0 {
            return refused("too_short", "must contain at least one item".to_owned());
        }
        if count > Self::MOST {
            let most = Self::MOST;
            return refused("too_long", format!("names {count}; at most {most} are allowed"));
        }
        ids.sort();
        ids.dedup();
        Ok(Self(ids))
    }
}

impl<T: JsonSchema> JsonSchema for Ids<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Ids_of_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let item = generator.subschema_for::<T>();
        json_schema!({ "type": "array", "items": item, "minItems": 1, "maxItems": Self::MOST })
    }
}

/// A page number, from 1.
pub type PageNumber = Bounded<1, { u64::MAX }, 1>;
/// A page size of 1 to 100.
pub type PageSize<const DEFAULT: u64> = Bounded<1, 100, DEFAULT>;
/// How many items to skip.
pub type Skip = Bounded<0, { u64::MAX }, 0>;
