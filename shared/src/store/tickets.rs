//! Socket tickets: a secret that opens one connection within half a minute, so that no token has to be in a URL.
//!
//! A ticket is sealed with the cursor secret, so forged and expired tickets are refused without a call to the table,
//! since anybody can send one. The table holds the ticket's holder, until it is used.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::item::Item;
use super::keys;
use super::table::{self, Condition, Written};
use crate::App;
use crate::auth::cursor;
use crate::domain::ids::UserId;
use crate::domain::time::Timestamp;
use crate::error::{Error, Result};

/// How long a ticket is valid (contract §2).
pub const LIFETIME: Duration = Duration::from_secs(30);

/// Issues a ticket for `holder`, whatever data the caller of [`redeem`] needs.
pub async fn issue(app: &App, holder: &str) -> Result<String> {
    let ends_at = app.now().plus(LIFETIME);
    let sealed = Sealed {
        e: ends_at.milliseconds(),
        // 122 random bits from the operating system.
        n: Uuid::new_v4(),
    };
    let ticket = cursor::seal(app.config().cursor_secret()?, NOBODY, SEAL, &sealed)?;
    let item = Item::new(&keys::ticket(&hash(&ticket)))
        .text(HOLDER, holder)
        .number(keys::EXPIRES, ends_at.seconds() + 60);
    match table::put(app, item, Condition::absent()).await? {
        Written::Done(_) => Ok(ticket),
        Written::Refused(_) => Err(Error::internal("a random ticket was drawn twice")),
    }
}

/// Redeems a ticket: the first caller gets its holder, and the ticket is used up.
///
/// # Errors
/// [`Error::Unauthenticated`] if it was not issued here, has expired or was used before.
pub async fn redeem(app: &App, ticket: &str) -> Result<String> {
    let sealed: Sealed = cursor::open(app.config().cursor_secret()?, NOBODY, SEAL, ticket)
        .map_err(|_| Error::unauthenticated("the ticket was not issued here"))?;
    if Timestamp::from_milliseconds(sealed.e) <= app.now() {
        return Err(Error::unauthenticated("the ticket has expired"));
    }
    let item = table::take(app, &keys::ticket(&hash(ticket)))
        .await?
        .ok_or_else(|| Error::unauthenticated("the ticket was used"))?;
    item.get_text(HOLDER).map(str::to_owned)
}

/// The sealed content of a ticket.
#[derive(Serialize, Deserialize)]
struct Sealed {
    /// Expiry, in milliseconds since 1970.
    e: i64,
    /// A random id.
    n: Uuid,
}

/// The name under which tickets are sealed, in place of a list.
const SEAL: &str = "ticket";
/// The user that tickets are sealed for: a ticket alone does not say who brings it.
const NOBODY: UserId = UserId::from_uuid(Uuid::nil());
const HOLDER: &str = "h";

/// Only the hash is stored, so that reading the table does not allow opening a connection.
fn hash(ticket: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(ticket.as_bytes()))
}
