//! Profiles: the claims of a user, from the newest of the user's tokens.
//!
//! A user may have several tokens at once, one per device, and an old one may have outdated claims. The profile
//! remembers when its token was issued: an older token changes nothing, and a claim that a token lacks is kept. So two
//! devices never change a name back and forth. A token without an issue time counts as older than any with one.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

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
    /// The claims of their tokens.
    pub claims: Claims,
    /// When the newest token that changed it was issued; none if unknown.
    pub issued_at: Option<Timestamp>,
    /// When the user's first authenticated call came.
    pub created_at: Timestamp,
}

/// Tokens that this process has compared with the table, so that a warm function need not do so on every call.
#[derive(Debug, Default)]
struct Seen(Mutex<HashMap<UserId, Known>>);

/// What is cached about a user.
#[derive(Debug)]
struct Known {
    /// The public profile.
    card: Card,
    /// When the table was read. Another process may have written a newer profile since.
    looked_at: Timestamp,
    /// Hashes of tokens that add nothing to the profile, newest last.
    tokens: Vec<u64>,
}

impl Seen {
    /// More users than one process sees within a short time; when it is full, the cache is cleared. A card has at most
    /// 10 KB.
    const CAPACITY: usize = 2_000;
    /// More devices than one person uses at once.
    const TOKENS: usize = 4;
    /// How long cached data is used.
    const LIFETIME: Duration = Duration::from_mins(1);

    /// The public profile of a user, if it is cached and the token adds nothing.
    fn find(&self, user: UserId, token: u64, now: Timestamp) -> Option<Card> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = seen.get(&user)?;
        let is_known = known.tokens.contains(&token) && now.since(known.looked_at) < Self::LIFETIME;
        is_known.then(|| known.card.clone())
    }

    fn note(&self, user: UserId, token: u64, card: &Card, now: Timestamp) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= Self::CAPACITY && !seen.contains_key(&user) {
            seen.clear();
        }
        let mut tokens = seen.remove(&user).map(|known| known.tokens).unwrap_or_default();
        tokens.retain(|known| *known != token);
        if tokens.len() >= Self::TOKENS {
            tokens.remove(0);
        }
        tokens.push(token);
        let known = Known {
            card: card.clone(),
            looked_at: now,
            tokens,
        };
        seen.insert(user, known);
    }
}

/// Creates the profile at the first authenticated call, updates it from a newer token, and returns the public profile.
/// `issued_at` is when the token was issued.
pub async fn refresh(app: &App, user: UserId, claims: &Claims, issued_at: Option<Timestamp>) -> Result<Card> {
    let mut hasher = DefaultHasher::new();
    (claims, issued_at).hash(&mut hasher);
    let token = hasher.finish();
    let seen = app.remembered::<Seen>();
    if let Some(card) = seen.find(user, token, app.now()) {
        return Ok(card);
    }
    let profile = match find(app, user).await? {
        Some(profile) => match profile.refreshed(claims, issued_at) {
            Some(claims) => save(app, user, &claims, issued_at).await?,
            None => profile,
        },
        None => save(app, user, claims, issued_at).await?,
    };
    let card = Card::of(user, &profile.claims);
    seen.note(user, token, &card, app.now());
    Ok(card)
}

impl Profile {
    /// The claims after applying a token; none if nothing changes.
    fn refreshed(&self, token: &Claims, issued_at: Option<Timestamp>) -> Option<Claims> {
        if issued_at < self.issued_at {
            return None;
        }
        let newest =
            |said: &Option<String>, before: &Option<String>| said.as_ref().or(before.as_ref()).cloned();
        let before = &self.claims;
        let claims = Claims {
            name: newest(&token.name, &before.name),
            username: newest(&token.username, &before.username),
            email: newest(&token.email, &before.email),
            avatar_url: newest(&token.avatar_url, &before.avatar_url),
            business_unit: newest(&token.business_unit, &before.business_unit),
            // Roles and permissions that a newer token no longer has are removed.
            roles: token.roles.clone(),
            permissions: token.permissions.clone(),
        };
        (claims != *before).then_some(claims)
    }
}

/// A user's profile; none if the user never made a call.
pub async fn find(app: &App, user: UserId) -> Result<Option<Profile>> {
    let item = table::get(app, &keys::profile(user), Consistency::Strong).await?;
    item.as_ref().map(decode).transpose()
}

/// The public profiles of many users; users without a profile are missing from the result.
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

/// Which of many users never made a call.
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
const ISSUED_AT: &str = "i";

/// Writes a profile unless a newer token has written it concurrently. Returns the profile as it is afterwards.
async fn save(app: &App, user: UserId, claims: &Claims, issued_at: Option<Timestamp>) -> Result<Profile> {
    let claims = serde_json::to_string(claims).map_err(Error::internal)?;
    let set = format!("SET {CLAIMS} = :claims, {CREATED_AT} = if_not_exists({CREATED_AT}, :now)");
    let update = match issued_at {
        Some(issued_at) => Update::new(keys::profile(user), format!("{set}, {ISSUED_AT} = :issued"))
            .only_if(format!(
                "attribute_not_exists({ISSUED_AT}) OR {ISSUED_AT} <= :issued"
            ))
            .value(":issued", number(issued_at.milliseconds())),
        None => Update::new(keys::profile(user), set).only_if(format!("attribute_not_exists({ISSUED_AT})")),
    };
    let update = update
        .value(":claims", text(claims))
        .value(":now", number(app.now().milliseconds()));
    match update.send(app).await? {
        Written::Done(item) | Written::Refused(item) => decode(&item),
    }
}

fn decode(item: &Item) -> Result<Profile> {
    Ok(Profile {
        claims: serde_json::from_str(item.get_text(CLAIMS)?).map_err(Error::internal)?,
        issued_at: item.find_time(ISSUED_AT)?,
        created_at: item.get_time(CREATED_AT)?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn token(name: Option<&str>) -> Claims {
        Claims {
            name: name.map(str::to_owned),
            ..Claims::default()
        }
    }

    proptest! {
        /// In whatever order and however often a user's devices call, each token changes the profile at most once, and
        /// the newest token wins.
        #[test]
        fn devices_never_change_a_name_back_and_forth(
            names in proptest::collection::btree_map(0_i64..6, proptest::option::of("[abc]"), 1..6),
            order in proptest::collection::vec(any::<proptest::sample::Index>(), 50),
        ) {
            let tokens: Vec<(i64, Claims)> = names
                .iter()
                .map(|(moment, name)| (*moment, token(name.as_deref())))
                .collect();
            let mut profile = Profile {
                claims: Claims::default(),
                issued_at: None,
                created_at: Timestamp::default(),
            };
            let mut changes = 0;
            let at_last = (0..=tokens.len()).flat_map(|_| &tokens);
            for (moment, claims) in order.iter().map(|index| index.get(&tokens)).chain(at_last) {
                let issued_at = Some(Timestamp::from_milliseconds(*moment));
                if let Some(claims) = profile.refreshed(claims, issued_at) {
                    profile = Profile { claims, issued_at, ..profile };
                    changes += 1;
                }
            }
            prop_assert!(changes <= tokens.len());
            if let Some((_, newest)) = tokens.last().filter(|(_, newest)| newest.name.is_some()) {
                prop_assert_eq!(&profile.claims.name, &newest.name);
            }
        }
    }

    #[test]
    fn what_a_token_leaves_out_stays_and_what_an_older_one_says_is_passed_over() {
        let at = |moment: i64| Some(Timestamp::from_milliseconds(moment));
        let profile = Profile {
            claims: token(Some("Ada")),
            issued_at: at(5),
            created_at: Timestamp::default(),
        };
        assert_eq!(profile.refreshed(&token(None), at(9)), None);
        assert_eq!(profile.refreshed(&token(Some("Eda")), at(4)), None);
        assert_eq!(profile.refreshed(&token(Some("Eda")), None), None);
        assert_eq!(
            profile.refreshed(&token(Some("Eda")), at(6)),
            Some(token(Some("Eda")))
        );
    }
}
