//! Bearer tokens: JWT by a shared secret or by published keys (RFC 7519, RFC 8725).
//!
//! Each key is good for one algorithm, so a public key can never be taken for a secret. `none` is no
//! algorithm. Every failure is the same [`Error::Unauthenticated`]: what was wrong is nobody's business.

use std::time::Duration;

use aws_smithy_http_client::{Connector, tls};
use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use super::Caller;
use super::verified::Verified;
use crate::App;
use crate::config::Jwt;
use crate::domain::ids::UserId;
use crate::domain::time::Timestamp;
use crate::domain::user::Claims;
use crate::error::{Error, Result};

/// How far the clocks of issuer and verifier may be apart (contract §1).
pub const LEEWAY: Duration = Duration::from_secs(30);
/// How long published keys are good before they are fetched again.
const KEYS_LIFETIME: Duration = Duration::from_mins(10);
/// How soon we may fetch again, for an unknown key id or because the issuer did not answer: rotation is seen at
/// once, a flood of forged ids is not, and an issuer that is away does not hold up every request.
const REFETCH_AFTER: Duration = Duration::from_secs(30);

/// What a token holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TokenClaims {
    /// The user.
    pub sub: UserId,
    /// The end, in seconds since 1970.
    pub exp: i64,
    /// The beginning, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iat: Option<i64>,
    /// Not good before, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    /// The issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// Whom the token is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aud: Option<serde_json::Value>,
    /// What it says about the user.
    #[serde(flatten)]
    pub claims: Claims,
}

/// The keys that tokens are verified with.
#[derive(Debug)]
pub(crate) struct Keys {
    published: tokio::sync::Mutex<Option<Published>>,
    jwks_url: Option<String>,
    verified: Verified,
}

#[derive(Clone, Debug)]
struct Published {
    keys: JwkSet,
    fetched_at: Timestamp,
    /// When the last fetch was tried, in vain or not.
    tried_at: Timestamp,
}

impl Keys {
    pub(crate) fn new(jwt: &Jwt) -> Self {
        Self {
            published: tokio::sync::Mutex::new(None),
            jwks_url: jwt.jwks_url.clone(),
            verified: Verified::default(),
        }
    }
}

/// The caller that a token speaks for.
pub async fn verify(app: &App, token: &str) -> Result<Caller> {
    let verified = &app.outside.keys.verified;
    if let Some(caller) = verified.find(token, app.now()) {
        return Ok(caller);
    }
    let header = jsonwebtoken::decode_header(token).map_err(|_| Error::Unauthenticated)?;
    let jwt = &app.config().jwt;
    let (key, key_ends_at) = match header.alg {
        Algorithm::HS256 => {
            let secret = jwt.secret.as_ref().ok_or(Error::Unauthenticated)?;
            (DecodingKey::from_secret(secret.as_bytes()), None)
        }
        Algorithm::RS256 | Algorithm::ES256 => {
            let (key, ends_at) = published_key(app, header.alg, header.kid.as_deref()).await?;
            (key, Some(ends_at))
        }
        _ => return Err(Error::Unauthenticated),
    };
    let claims = checked(token, &key, header.alg, jwt, app.now())?;
    let caller = Caller {
        user: claims.sub,
        expires_at: Timestamp::from_milliseconds(claims.exp.saturating_mul(1000)),
        claims: claims.claims,
    };
    let ends_at = caller.expires_at.plus(LEEWAY);
    let good_until = key_ends_at.map_or(ends_at, |key_ends_at| ends_at.min(key_ends_at));
    verified.note(token, &caller, good_until);
    Ok(caller)
}

/// The claims of a token whose signature, times, issuer and audience are good.
fn checked(
    token: &str,
    key: &DecodingKey,
    algorithm: Algorithm,
    jwt: &Jwt,
    now: Timestamp,
) -> Result<TokenClaims> {
    let mut validation = Validation::new(algorithm);
    validation.set_required_spec_claims(&["exp", "sub"]);
    // The times are compared below with the clock of the app.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    match &jwt.audience {
        Some(audience) => {
            validation.set_audience(&[audience]);
            validation.required_spec_claims.insert("aud".to_owned());
        }
        None => validation.validate_aud = false,
    }
    if let Some(issuer) = &jwt.issuer {
        validation.set_issuer(&[issuer]);
        validation.required_spec_claims.insert("iss".to_owned());
    }
    let claims = jsonwebtoken::decode::<TokenClaims>(token, key, &validation)
        .map_err(|_| Error::Unauthenticated)?
        .claims;
    let leeway = i64::try_from(LEEWAY.as_secs()).unwrap_or_default();
    let expired = claims.exp.saturating_add(leeway) <= now.seconds();
    let early = claims
        .nbf
        .is_some_and(|from| from.saturating_sub(leeway) > now.seconds());
    if expired || early {
        Err(Error::Unauthenticated)
    } else {
        Ok(claims)
    }
}

/// Whether a caller's token still holds, for a connection that it opened a while ago.
pub fn still_holds(app: &App, expires_at: Timestamp) -> bool {
    app.now() < expires_at.plus(LEEWAY)
}

/// The published key that a token names, and until when it is good without another look. Without a key id the set must
/// hold just one fitting key.
async fn published_key(
    app: &App,
    algorithm: Algorithm,
    id: Option<&str>,
) -> Result<(DecodingKey, Timestamp)> {
    let keys = &app.outside.keys;
    let url = keys.jwks_url.as_ref().ok_or(Error::Unauthenticated)?;
    let mut published = keys.published.lock().await;
    let known = published
        .as_ref()
        .and_then(|published| fitting(&published.keys, algorithm, id));
    let refetch = published.as_ref().is_none_or(|published| {
        let since = |moment| app.now().since(moment);
        let is_wanted = known.is_none() || since(published.fetched_at) >= KEYS_LIFETIME;
        is_wanted && since(published.tried_at) >= REFETCH_AFTER
    });
    let key = if refetch {
        let tried_at = app.now();
        match fetch(url).await {
            Ok(keys) => {
                let key = fitting(&keys, algorithm, id);
                app.outside.keys.verified.clear();
                *published = Some(Published {
                    keys,
                    fetched_at: tried_at,
                    tried_at,
                });
                key
            }
            // An issuer that does not answer for a while does not lock out those whose key is known.
            Err(error) => {
                if let Some(published) = &mut *published {
                    published.tried_at = tried_at;
                }
                Some(known.ok_or(error)?)
            }
        }
    } else {
        known
    };
    let key = key.and_then(|key| DecodingKey::from_jwk(&key).ok());
    key.zip(published.as_ref())
        .map(|(key, published)| (key, published.fetched_at.plus(KEYS_LIFETIME)))
        .ok_or(Error::Unauthenticated)
}

fn fitting(keys: &JwkSet, algorithm: Algorithm, id: Option<&str>) -> Option<Jwk> {
    let fits = |key: &&Jwk| {
        let of_kind = match (&key.algorithm, algorithm) {
            (AlgorithmParameters::RSA(_), Algorithm::RS256) => true,
            (AlgorithmParameters::EllipticCurve(key), Algorithm::ES256) => {
                key.curve == jsonwebtoken::jwk::EllipticCurve::P256
            }
            _ => false,
        };
        let declared = key
            .common
            .key_algorithm
            .is_none_or(|declared| declared.to_string() == format!("{algorithm:?}"));
        of_kind && declared && (id.is_none() || key.common.key_id.as_deref() == id)
    };
    let mut fitting = keys.keys.iter().filter(fits);
    let first = fitting.next()?;
    fitting.next().is_none().then(|| first.clone())
}

/// Fetches the published keys over the HTTP stack that the AWS clients use, so that there is only one.
async fn fetch(url: &str) -> Result<JwkSet> {
    const LARGEST_BYTES: usize = 256 * 1024;
    let connector = Connector::builder()
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
        .build();
    let mut request = HttpRequest::empty();
    request.set_uri(url).map_err(Error::internal)?;
    let answer = tokio::time::timeout(Duration::from_secs(3), async {
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
        .map_err(|_| Error::unavailable("the key set does not answer"))??
        .into_bytes();
    if body.len() > LARGEST_BYTES {
        return Err(Error::unavailable("the key set is too large"));
    }
    let set: KeySet = serde_json::from_slice(&body).map_err(Error::unavailable)?;
    // Keys of a kind that nobody here knows are passed over (RFC 7517 §5).
    let known = |key| serde_json::from_value(key).ok();
    Ok(JwkSet {
        keys: set.keys.into_iter().filter_map(known).collect(),
    })
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<serde_json::Value>,
}

/// Makes a token by the shared secret: for the desk and for tests. Nothing that is deployed issues tokens.
pub fn issue(secret: &str, claims: &TokenClaims) -> Result<String> {
    jsonwebtoken::encode(
        &Header::new(Algorithm::HS256),
        claims,
        &EncodingKey::from_secret(secret.as_bytes()),
    )
    .map_err(Error::internal)
}
