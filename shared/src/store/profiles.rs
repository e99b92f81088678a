//! Profiles: what a user's token said last.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Mutex;

use super::item::{Item, number, text};
use super::keys;
use super::table::{self, Consistency, Update, Written};
use crate::App;
use crate::domain::ids::UserId;
use crate::domain::time::Timestamp;
use crate::domain::user::{Card, Claims};
use crate::error::{Error, Result};

/// A user's profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// What their token said last.
    pub claims: Claims,
    /// When their first authenticated call came.
    pub created_at: Timestamp,
}

/// Whose claims this process has seen in the table, so that a warm function looks once and not per call.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<HashMap<UserId, u64>>);

impl Seen {
    /// More users than one process sees in a while; beyond, it begins anew.
    const CAPACITY: usize = 10_000;

    fn holds(&self, user: UserId, hash: u64) -> bool {
        self.0.lock().is_ok_and(|seen| seen.get(&user) == Some(&hash))
    }

    fn note(&self, user: UserId, hash: u64) {
        if let Ok(mut seen) = self.0.lock() {
            if seen.len() >= Self::CAPACITY {
                seen.clear();
            }
            seen.insert(user, hash);
        }
    }
}

/// Creates the profile at the first authenticated call, and refreshes it when the claims have changed.
pub async fn refresh(app: &App, user: UserId, claims: &Claims) -> Result<()> {
    let mut hasher = DefaultHasher::new();
    claims.hash(&mut hasher);
    let hash = hasher.finish();
    if app.outside.profiles.holds(user, hash) {
        return Ok(());
    }
    if find(app, user)
        .await?
        .is_none_or(|profile| profile.claims != *claims)
    {
        save(app, user, claims).await?;
    }
    app.outside.profiles.note(user, hash);
    Ok(())
}

/// A user's profile; none for somebody who never called.
pub async fn find(app: &App, user: UserId) -> Result<Option<Profile>> {
    let item = table::get(app, &keys::profile(user), Consistency::Strong).await?;
    item.as_ref().map(decode).transpose()
}

/// What others see of many users; those without a profile are not in the answer.
pub async fn cards(app: &App, users: impl IntoIterator<Item = UserId>) -> Result<HashMap<UserId, Card>> {
    let users: Vec<UserId> = users.into_iter().collect();
    let keys = users.iter().map(|user| keys::profile(*user)).collect();
    let items = table::get_many(app, keys, Consistency::Eventual).await?;
    let mut cards = HashMap::with_capacity(items.len());
    for user in users {
        if let Some(item) = items.get(&keys::profile(user)) {
            cards.insert(user, Card::of(user, &decode(item)?.claims));
        }
    }
    Ok(cards)
}

/// Which of many users never called.
pub async fn unknown(app: &App, users: &[UserId]) -> Result<Vec<UserId>> {
    let keys = users.iter().map(|user| keys::profile(*user)).collect();
    let items = table::get_many(app, keys, Consistency::Strong).await?;
    Ok(users
        .iter()
        .copied()
        .filter(|user| !items.contains_key(&keys::profile(*user)))
        .collect())
}

const CLAIMS: &str = "p";
const CREATED_AT: &str = "a";

async fn save(app: &App, user: UserId, claims: &Claims) -> Result<()> {
    let claims = serde_json::to_string(claims).map_err(Error::internal)?;
    let update = Update::new(
        keys::profile(user),
        format!("SET {CLAIMS} = :claims, {CREATED_AT} = if_not_exists({CREATED_AT}, :now)"),
    )
    .value(":claims", text(claims))
    .value(":now", number(app.now().milliseconds()));
    match update.send(app).await? {
        Written::Done(_) | Written::Refused(_) => Ok(()),
    }
}

fn decode(item: &Item) -> Result<Profile> {
    Ok(Profile {
        claims: serde_json::from_str(item.get_text(CLAIMS)?).map_err(Error::internal)?,
        created_at: item.get_time(CREATED_AT)?,
    })
}
