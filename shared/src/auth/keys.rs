//! Published keys of the issuer (RFC 7517): fetched on demand, cached, and refreshed periodically.
//!
//! One request fetches at a time. The others continue with the cached keys; only a token with an unknown key waits for
//! the fetch.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_http_client::{Connector, tls};
use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;

use super::verified::Verified;
use crate::App;
use crate::domain::time::Timestamp;
use crate::error::{Error, Result};

/// How long fetched keys are used before they are fetched again.
const LIFETIME: Duration = Duration::from_mins(10);
/// The minimum time between fetches for an unknown key id or after a failure: a key rotation is noticed quickly, forged
/// key ids cannot cause a flood of fetches, and an unreachable issuer does not delay every request.
const REFETCH_AFTER: Duration = Duration::from_secs(30);
/// The timeout of a fetch.
const PATIENCE: Duration = Duration::from_secs(3);
/// The maximum size of a key set.
const LARGEST_BYTES: usize = 256 * 1024;

/// The verification keys that this process knows.
#[derive(Debug, Default)]
pub(super) struct Keys {
    published: Mutex<Option<Arc<Published>>>,
    /// Held while fetching.
    fetching: tokio::sync::Mutex<()>,
    /// How many fetches were tried, successful or not.
    fetches: AtomicU64,
    pub(super) verified: Verified,
}

/// A key set.
#[derive(Clone, Debug)]
struct Published {
    keys: JwkSet,
    fetched_at: Timestamp,
    /// When the last fetch was tried, successful or not.
    tried_at: Timestamp,
}

impl Published {
    /// Whether to fetch again, for a request that found `key` in the set.
    fn is_due(&self, now: Timestamp, key: Option<&Jwk>) -> bool {
        let is_wanted = key.is_none() || now.since(self.fetched_at) >= LIFETIME;
        is_wanted && now.since(self.tried_at) >= REFETCH_AFTER
    }
}

impl Keys {
    fn known(&self) -> Option<Arc<Published>> {
        let published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        published.clone()
    }

    fn remember(&self, published: Published) -> Arc<Published> {
        let published = Arc::new(published);
        let mut known = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some(Arc::clone(&published));
        published
    }
}

/// The published key of a token, and until when it may be used without another look. Without a key id, the set must
/// have exactly one fitting key.
///
/// # Errors
/// [`Error::Unauthenticated`] if there is no such key, [`Error::Unavailable`] if no set was ever fetched and the issuer
/// does not answer.
pub(super) async fn published(
    app: &App,
    algorithm: Algorithm,
    id: Option<&str>,
) -> Result<(DecodingKey, Timestamp)> {
    let keys = app.remembered::<Keys>();
    let url = app.config().jwt.jwks_url.as_deref();
    let url = url.ok_or_else(|| Error::unauthenticated("no published keys are set"))?;
    let find = |published: &Published| fitting(&published.keys, algorithm, id);
    let mut published = keys.known();
    let mut key = published.as_deref().and_then(find);
    let is_due = |published: Option<&Published>, key: Option<&Jwk>| {
        published.is_none_or(|published| published.is_due(app.now(), key))
    };
    if is_due(published.as_deref(), key.as_ref()) {
        let fetches = keys.fetches.load(Ordering::Relaxed);
        let turn = match keys.fetching.try_lock() {
            Ok(turn) => Some(turn),
            Err(_) if key.is_some() => None,
            Err(_) => Some(keys.fetching.lock().await),
        };
        if turn.is_some() {
            // If another request fetched in the meantime, its result, success or failure, applies to those who waited.
            published = keys.known();
            key = published.as_deref().and_then(find);
            let is_news = keys.fetches.load(Ordering::Relaxed) != fetches;
            if !is_news && is_due(published.as_deref(), key.as_ref()) {
                published = Some(renew(app, url, published.as_deref(), key.is_some()).await?);
                key = published.as_deref().and_then(find);
            }
        }
    }
    let published =
        published.ok_or_else(|| Error::unavailable("the key set did not respond a moment ago"))?;
    key.and_then(|key| DecodingKey::from_jwk(&key).ok())
        .map(|key| (key, published.fetched_at.plus(LIFETIME)))
        .ok_or_else(|| Error::unauthenticated("no published key, or more than one, matches it"))
}

/// Fetches the keys. If the issuer does not answer, known keys stay valid for a while.
async fn renew(
    app: &App,
    url: &str,
    before: Option<&Published>,
    is_key_known: bool,
) -> Result<Arc<Published>> {
    let tried_at = app.now();
    let fetched = fetch(url).await;
    let keys = app.remembered::<Keys>();
    keys.fetches.fetch_add(1, Ordering::Relaxed);
    match (fetched, before) {
        (Ok(set), _) => {
            let published = keys.remember(Published {
                keys: set,
                fetched_at: tried_at,
                tried_at,
            });
            keys.verified.clear();
            Ok(published)
        }
        (Err(error), Some(before)) => {
            let published = keys.remember(Published {
                tried_at,
                ..before.clone()
            });
            if is_key_known { Ok(published) } else { Err(error) }
        }
        (Err(error), None) => Err(error),
    }
}

/// The one key of a set that can have made the signature.
fn fitting(keys: &JwkSet, algorithm: Algorithm, id: Option<&str>) -> Option<Jwk> {
    let names = |key: &&Jwk| id.is_none() || key.common.key_id.as_deref() == id;
    let mut fitting = keys
        .keys
        .iter()
        .filter(|key| verifies(key, algorithm))
        .filter(names);
    let first = fitting.next()?;
    fitting.next().is_none().then(|| first.clone())
}

/// Whether a key may verify signatures by an algorithm.
fn verifies(key: &Jwk, algorithm: Algorithm) -> bool {
    let is_of_kind = match (&key.algorithm, algorithm) {
        (AlgorithmParameters::RSA(_), Algorithm::RS256) => true,
        (AlgorithmParameters::EllipticCurve(key), Algorithm::ES256) => key.curve == EllipticCurve::P256,
        _ => false,
    };
    let common = &key.common;
    // RFC 7517 §4.2, §4.3 and §4.4: each is optional, but binding if present.
    let is_for_signatures = common
        .public_key_use
        .as_ref()
        .is_none_or(|declared| *declared == PublicKeyUse::Signature);
    let is_for_verifying = common
        .key_operations
        .as_ref()
        .is_none_or(|declared| declared.contains(&KeyOperations::Verify));
    let is_for_algorithm = common
        .key_algorithm
        .is_none_or(|declared| declared.to_string() == format!("{algorithm:?}"));
    is_of_kind && is_for_signatures && is_for_verifying && is_for_algorithm
}

/// Fetches the published keys with the HTTP client of the AWS SDK, so that there is only one HTTP stack.
async fn fetch(url: &str) -> Result<JwkSet> {
    let connector = Connector::builder()
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
        .build();
    let mut request = HttpRequest::empty();
    request.set_uri(url).map_err(Error::internal)?;
    let answer = tokio::time::timeout(PATIENCE, async {
        let response = connector.call(request).await.map_err(Error::unavailable)?;
        if !response.status().is_success() {
            return Err(Error::unavailable(format!(
                "the key set answers {}",
                response.status()
            )));
        }
        aws_smithy_types::byte_stream::ByteStream::new(response.into_body())
            .collect()
            .await
            .map_err(Error::unavailable)
    });
    let body = answer
        .await
        .map_err(|_| Error::unavailable("the key set does not respond"))??
        .into_bytes();
    if body.len() > LARGEST_BYTES {
        return Err(Error::unavailable("the key set is too large"));
    }
    let set: KeySet = serde_json::from_slice(&body).map_err(Error::unavailable)?;
    // Keys of an unknown type are ignored (RFC 7517 §5).
    let known = |key| serde_json::from_value(key).ok();
    Ok(JwkSet {
        keys: set.keys.into_iter().filter_map(known).collect(),
    })
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<serde_json::Value>,
}
