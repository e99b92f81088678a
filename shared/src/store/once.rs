//! Idempotency records: what a caller's `Idempotency-Key` created, and with which content.
//!
//! The record of a key is put in the transaction that creates something, on the condition that there is none. So of all
//! requests with one key, concurrent or after a crash, one creates something, and the others find what it created.
//! Sends need no record: the id of what they store is derived from the key.

use serde_json::Value;
use uuid::Uuid;

use super::item::{Item, number};
use super::keys::{self, Key};
use super::table::{self, Condition, Consistency};
use crate::App;
use crate::domain::fingerprint;
use crate::domain::ids::UserId;
use crate::domain::text::ClientMessageId;
use crate::domain::time::Timestamp;
use crate::error::{Error, Result};

/// A caller's key for one route, and the content of the request.
#[derive(Clone, Debug)]
pub struct Once {
    key: Key,
    fingerprint: Vec<u8>,
}

/// The result of an earlier request with the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Earlier {
    /// The id of what it created.
    pub made: Uuid,
    /// The status of its response, if the route has several.
    pub status: Option<u16>,
}

impl Once {
    /// A caller's key for a route. `content` is everything that the response depends on; it is compared as a value.
    pub fn new(caller: UserId, route: &str, key: &ClientMessageId, content: &Value) -> Self {
        Self {
            key: keys::once(caller, route, key),
            fingerprint: fingerprint::of_value(content),
        }
    }

    /// The fingerprint of the content.
    pub(super) fn fingerprint(&self) -> &[u8] {
        &self.fingerprint
    }

    /// The result of an earlier request with the key, if there was one.
    ///
    /// # Errors
    /// [`Error::IdempotencyKeyReused`] if its content was different.
    pub async fn earlier(&self, app: &App) -> Result<Option<Earlier>> {
        let item = table::get(app, &self.key, Consistency::Strong).await?;
        let is_over = |item: &Item| {
            let expires = item.find_number::<i64>(keys::EXPIRES)?;
            Ok::<_, Error>(expires.is_some_and(|expires| expires <= app.now().seconds()))
        };
        match item {
            Some(item) if !is_over(&item)? => self.found(&item).map(Some),
            _ => Ok(None),
        }
    }

    /// Decodes a record.
    pub(super) fn found(&self, marker: &Item) -> Result<Earlier> {
        if marker.find_bytes(attribute::FINGERPRINT) != Some(&self.fingerprint) {
            return Err(Error::IdempotencyKeyReused);
        }
        Ok(Earlier {
            made: marker.get_id(attribute::MADE)?,
            status: marker.find_number(attribute::STATUS)?,
        })
    }

    /// The record of what is created.
    pub(super) fn marker(&self, made: Uuid) -> Item {
        Item::new(&self.key)
            .bytes(attribute::FINGERPRINT, self.fingerprint.clone())
            .id(attribute::MADE, made)
    }

    /// The condition for putting a record: there is none that has not expired.
    pub(super) fn is_first(now: Timestamp) -> Condition {
        let free = format!(
            "attribute_not_exists({}) OR {} <= :now",
            keys::PARTITION,
            keys::EXPIRES
        );
        Condition::holds(free).value(":now", number(now.seconds()))
    }

    /// Puts the record of a request whose creation is idempotent by itself, so that it need not be in the same
    /// transaction. The first record wins.
    pub async fn note(&self, app: &App, made: Uuid, status: u16) -> Result<()> {
        let marker = self.marker(made).number(attribute::STATUS, status);
        table::put(app, marker, Self::is_first(app.now()))
            .await
            .map(|_| ())
    }
}

/// The attributes of records.
mod attribute {
    /// The fingerprint of the content.
    pub(super) const FINGERPRINT: &str = "f";
    /// The id of what was created.
    pub(super) const MADE: &str = "i";
    /// The status of the response.
    pub(super) const STATUS: &str = "s";
}
