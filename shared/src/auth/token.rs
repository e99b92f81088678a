//! Bearer tokens: JWT, verified with a shared secret or published keys (RFC 7519, RFC 8725).
//!
//! Each key is bound to one algorithm, so a public key can never be used as a shared secret. `none` is not supported.
//! Every refusal is an [`Error::Unauthenticated`], which looks the same to all clients; the reason is only logged, and
//! never quotes the token.

use jsonwebtoken::errors::{Error as JwtError, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::Serialize;
use serde_json::{Map, Value};

use super::caller::LEEWAY;
use super::keys::Keys;
use super::{Caller, claims, keys};
use crate::App;
use crate::config::Jwt;
use crate::domain::ids::UserId;
use crate::domain::time::Timestamp;
use crate::domain::user::Claims;
use crate::error::{Error, Result};

/// The claims of a token that is [issued](issue) here.
#[derive(Clone, Debug, Serialize)]
pub struct TokenClaims {
    /// The user.
    pub sub: UserId,
    /// Expiry, in seconds since 1970.
    pub exp: i64,
    /// When it was issued, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iat: Option<i64>,
    /// Not valid before, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    /// The issuer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// The audience.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aud: Option<Value>,
    /// The user's claims.
    #[serde(flatten)]
    pub claims: Claims,
}

/// The caller of a token.
///
/// # Errors
/// [`Error::Unauthenticated`] if the token is not valid, [`Error::Unavailable`] if the keys cannot be fetched.
pub async fn verify(app: &App, token: &str) -> Result<Caller> {
    let keys = app.remembered::<Keys>();
    let verified = &keys.verified;
    if let Some(caller) = verified.find(token, app.now()) {
        return Ok(caller);
    }
    let header = jsonwebtoken::decode_header(token)
        .map_err(|_| Error::unauthenticated("it is not a JWT signed with a known algorithm"))?;
    let jwt = &app.config().jwt;
    let (claims, key_ends_at) = match header.alg {
        Algorithm::HS256 => (by_secret(token, jwt)?, None),
        Algorithm::RS256 | Algorithm::ES256 => {
            let (key, ends_at) = keys::published(app, header.alg, header.kid.as_deref()).await?;
            let claims = by_key(token, &key, header.alg, jwt).map_err(|error| refusal(&error))?;
            (claims, Some(ends_at))
        }
        _ => return Err(Error::unauthenticated("its algorithm is not accepted")),
    };
    let caller = claims::read(claims, app.now())?;
    let ends_at = caller.expires_at.plus(LEEWAY);
    let good_until = key_ends_at.map_or(ends_at, |key_ends_at| ends_at.min(key_ends_at));
    verified.note(token, &caller, good_until);
    Ok(caller)
}

/// The claims of a token verified with the shared secret or the previous one.
fn by_secret(token: &str, jwt: &Jwt) -> Result<Map<String, Value>> {
    let secret = jwt.secret.as_ref();
    let secret = secret.ok_or_else(|| Error::unauthenticated("no shared secret is set"))?;
    let mut refused = Error::unauthenticated("no shared secret is set");
    for secret in secret.all() {
        let key = DecodingKey::from_secret(secret.as_bytes());
        match by_key(token, &key, Algorithm::HS256, jwt) {
            Ok(claims) => return Ok(claims),
            Err(error) => {
                refused = refusal(&error);
                // Whatever else is wrong with it, it is by this one.
                if !matches!(error.kind(), ErrorKind::InvalidSignature) {
                    break;
                }
            }
        }
    }
    Err(refused)
}

/// The claims of a token whose signature, issuer and audience are valid. Times are checked against the app's clock when
/// the claims are [read](claims::read).
fn by_key(
    token: &str,
    key: &DecodingKey,
    algorithm: Algorithm,
    jwt: &Jwt,
) -> std::result::Result<Map<String, Value>, JwtError> {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
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
    Ok(jsonwebtoken::decode(token, key, &validation)?.claims)
}

/// Why a token is refused. The library's own messages may quote the token, so they are not used.
fn refusal(error: &JwtError) -> Error {
    Error::unauthenticated(match error.kind() {
        ErrorKind::InvalidSignature => "its signature does not match the key",
        ErrorKind::InvalidIssuer => "its issuer is another than JWT_ISSUER",
        ErrorKind::InvalidAudience => "it is for another audience than JWT_AUDIENCE",
        ErrorKind::MissingRequiredClaim(claim) if claim == "iss" => "it has no issuer",
        ErrorKind::MissingRequiredClaim(claim) if claim == "aud" => "it names no audience",
        _ => "it is no JWT with an object of claims",
    })
}

/// Whether a connection's token is still valid.
pub fn still_holds(app: &App, expires_at: Timestamp) -> bool {
    app.now() < expires_at.plus(LEEWAY)
}

/// Issues a token with the shared secret: for the desk and for tests. Nothing that is deployed issues tokens.
pub fn issue(secret: &str, claims: &TokenClaims) -> Result<String> {
    jsonwebtoken::encode(
        &Header::new(Algorithm::HS256),
        claims,
        &EncodingKey::from_secret(secret.as_bytes()),
    )
    .map_err(Error::internal)
}
