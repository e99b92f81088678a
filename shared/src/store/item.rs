//! Items of the table, with short attribute names: size costs money, and a write unit covers 1 KB.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_types::Blob;
use uuid::Uuid;

use super::keys::{self, Key};
use crate::domain::time::Timestamp;
use crate::error::{Error, Result};

/// An item.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Item(pub(super) HashMap<String, AttributeValue>);

impl Item {
    /// An item with only its key.
    pub(super) fn new(key: &Key) -> Self {
        Self(key_attributes(key))
    }

    /// Sets a text.
    pub(super) fn text(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.insert(name.to_owned(), AttributeValue::S(value.into()));
        self
    }

    /// Sets a text, if there is one.
    pub(super) fn optional_text(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    /// Sets a time, if there is one.
    pub(super) fn optional_time(self, name: &str, value: Option<Timestamp>) -> Self {
        match value {
            Some(value) => self.number(name, value.milliseconds()),
            None => self,
        }
    }

    /// Sets a flag, if `is_set`.
    pub(super) fn mark(self, name: &str, is_set: bool) -> Self {
        if is_set { self.number(name, 1) } else { self }
    }

    /// Whether a flag is set.
    pub(super) fn is_marked(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Sets a number.
    pub(super) fn number(mut self, name: &str, value: impl ToString) -> Self {
        self.0.insert(name.to_owned(), number(value));
        self
    }

    /// Sets bytes.
    pub(super) fn bytes(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.0.insert(name.to_owned(), bytes(value));
        self
    }

    /// Sets an id, as its 16 bytes.
    pub(super) fn id(self, name: &str, value: Uuid) -> Self {
        self.bytes(name, value.as_bytes().to_vec())
    }

    /// The sort key.
    pub(super) fn sort(&self) -> Result<&str> {
        self.get_text(keys::SORT)
    }

    /// A required text.
    pub(super) fn get_text(&self, name: &str) -> Result<&str> {
        self.find_text(name).ok_or_else(|| lacking(name))
    }

    /// An optional text.
    pub(super) fn find_text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_s().ok().map(String::as_str)
    }

    /// A required number.
    pub(super) fn get_number<N: std::str::FromStr>(&self, name: &str) -> Result<N> {
        self.find_number(name)?.ok_or_else(|| lacking(name))
    }

    /// An optional number.
    pub(super) fn find_number<N: std::str::FromStr>(&self, name: &str) -> Result<Option<N>> {
        let Some(value) = self.0.get(name) else {
            return Ok(None);
        };
        let number = value.as_n().ok().and_then(|text| text.parse().ok());
        number.map(Some).ok_or_else(|| lacking(name))
    }

    /// A required time.
    pub(super) fn get_time(&self, name: &str) -> Result<Timestamp> {
        self.get_number(name).map(Timestamp::from_milliseconds)
    }

    /// An optional time.
    pub(super) fn find_time(&self, name: &str) -> Result<Option<Timestamp>> {
        Ok(self.find_number(name)?.map(Timestamp::from_milliseconds))
    }

    /// Optional bytes.
    pub(super) fn find_bytes(&self, name: &str) -> Option<&[u8]> {
        self.0.get(name)?.as_b().ok().map(AsRef::as_ref)
    }

    /// The elements of a set of bytes; empty if there is no set.
    pub(super) fn byte_strings(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        let set = self.0.get(name).and_then(|value| value.as_bs().ok());
        set.into_iter().flatten().map(AsRef::as_ref)
    }

    /// A required id.
    pub(super) fn get_id(&self, name: &str) -> Result<Uuid> {
        self.find_id(name)?.ok_or_else(|| lacking(name))
    }

    /// An optional id.
    pub(super) fn find_id(&self, name: &str) -> Result<Option<Uuid>> {
        let Some(bytes) = self.find_bytes(name) else {
            return Ok(None);
        };
        Uuid::from_slice(bytes).map(Some).map_err(|_| lacking(name))
    }
}

/// The attributes of a key.
pub(super) fn key_attributes(key: &Key) -> HashMap<String, AttributeValue> {
    HashMap::from([
        (
            keys::PARTITION.to_owned(),
            AttributeValue::S(key.partition.clone()),
        ),
        (keys::SORT.to_owned(), AttributeValue::S(key.sort.clone())),
    ])
}

/// A DynamoDB number.
#[expect(
    clippy::needless_pass_by_value,
    reason = "numbers are copied; a reference at each call would say nothing"
)]
pub(super) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// DynamoDB bytes.
pub(super) fn bytes(value: impl Into<Vec<u8>>) -> AttributeValue {
    AttributeValue::B(Blob::new(value))
}

/// A DynamoDB set with one element of bytes.
pub(super) fn byte_set(value: impl Into<Vec<u8>>) -> AttributeValue {
    AttributeValue::Bs(vec![Blob::new(value)])
}

/// A DynamoDB string.
pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// The error of a missing or invalid attribute.
fn lacking(name: &str) -> Error {
    Error::internal(format!(
        "an item of the table lacks attribute {name}, or has it in another type"
    ))
}
