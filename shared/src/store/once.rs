//! What a caller's `Idempotency-Key` stands for: one creation, and the content that it was asked for with.
//!
//! The marker of a key is put in the transaction of what is made, on the condition that there is none. So however many
//! requests come under one key, at once or after a crash, one of them makes something, and the others find what it made.
//! Sends need no marker: the id of what they store is derived from their key.

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

/// A caller's key for one route, and what is asked for under it.
#[derive(Clone, Debug)]
pub struct Once {
    key: Key,
    fingerprint: Vec<u8>,
}

/// What an earlier request under a key came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Earlier {
    /// The id of what it made.
    pub made: Uuid,
    /// The status of its answer, where the route has several.
    pub status: Option<u16>,
}

impl Once {
    /// A caller's key for a route. `content` is all that the answer depends on; it is compared as a value.
    pub fn new(caller: UserId, route: &str, key: &ClientMessageId, content: &Value) -> Self {
        Self {
            key: keys::once(caller, route, key),
            fingerprint: fingerprint::of_value(content),
        }
    }

    /// What the content is compared by.
    pub(super) fn fingerprint(&self) -> &[u8] {
        &self.fingerprint
    }

    /// What an earlier request under the key came to, if there was one.
    ///
    /// # Errors
    /// [`Error::IdempotencyKeyReused`] if it asked for something else.
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

    /// What a marker says.
    pub(super) fn found(&self, marker: &Item) -> Result<Earlier> {
        if marker.find_bytes(attribute::FINGERPRINT) != Some(&self.fingerprint) {
            return Err(Error::IdempotencyKeyReused);
        }
        Ok(Earlier {
            made: marker.get_id(attribute::MADE)?,
            status: marker.find_number(attribute::STATUS)?,
        })
    }

    /// The marker of what is made.
    pub(super) fn marker(&self, made: Uuid) -> Item {
        Item::new(&self.key)
            .bytes(attribute::FINGERPRINT, self.fingerprint.clone())
            .id(attribute::MADE, made)
    }

    /// The condition on which a marker is put: there is none whose time is not over.
    pub(super) fn is_first(now: Timestamp) -> Condition {
        let free = format!(
            "attribute_not_exists({}) OR {} <= :now",
            keys::PARTITION,
            keys::EXPIRES
        );
        Condition::holds(free).value(":now", number(now.seconds()))
    }

    /// Notes what a request came to whose creation is the same however often it is made, so that it needs no marker in
    /// its transaction. Of several notes the first counts.
    pub async fn note(&self, app: &App, made: Uuid, status: u16) -> Result<()> {
        let marker = self.marker(made).number(attribute::STATUS, status);
        table::put(app, marker, Self::is_first(app.now()))
            .await
            .map(|_| ())
    }
}

/// The attributes of markers.
mod attribute {
    /// What the content is compared by.
    pub(super) const FINGERPRINT: &str = "f";
    /// The id of what was made.
    pub(super) const MADE: &str = "i";
    /// The status of the answer.
    pub(super) const STATUS: &str = "s";
}
