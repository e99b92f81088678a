//! Socket tickets: a secret that opens one connection within half a minute, so that no token need stand in a URL.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::item::Item;
use super::keys;
use super::table::{self, Condition, Written};
use crate::App;
use crate::domain::time::Timestamp;
use crate::error::{Error, Result};

/// How long a ticket opens (contract §2).
pub const LIFETIME: Duration = Duration::from_secs(30);

/// Makes a ticket that stands for `holder`, whatever the caller of [`redeem`] needs to know again.
pub async fn issue(app: &App, holder: &str) -> Result<String> {
    // Two version 4 UUIDs: 244 random bits from the operating system.
    let secret = [Uuid::new_v4().into_bytes(), Uuid::new_v4().into_bytes()].concat();
    let ticket = URL_SAFE_NO_PAD.encode(secret);
    let ends_at = app.now().plus(LIFETIME);
    let item = Item::new(&keys::ticket(&hash(&ticket)))
        .text(HOLDER, holder)
        .number(ENDS_AT, ends_at.milliseconds())
        .number(keys::EXPIRES, ends_at.seconds() + 60);
    match table::put(app, item, Condition::absent()).await? {
        Written::Done(_) => Ok(ticket),
        Written::Refused(_) => Err(Error::internal("a random ticket was drawn twice")),
    }
}

/// Takes a ticket: whoever takes it first learns its holder, and it is gone.
pub async fn redeem(app: &App, ticket: &str) -> Result<String> {
    let item = table::take(app, &keys::ticket(&hash(ticket)))
        .await?
        .ok_or(Error::Unauthenticated)?;
    let ends_at: Timestamp = item.get_time(ENDS_AT)?;
    if ends_at <= app.now() {
        return Err(Error::Unauthenticated);
    }
    item.get_text(HOLDER).map(str::to_owned)
}

const ENDS_AT: &str = "e";
const HOLDER: &str = "h";

/// What is stored is the hash: who reads the table can open no connection.
fn hash(ticket: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(ticket.as_bytes()))
}
