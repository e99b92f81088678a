//! Authentication: tokens by a shared secret and by published keys (RFC 8725), profiles, permissions.

mod forged;
mod issuer;
mod profiles;
mod published;
mod rotation;
mod times;

use std::time::Duration;

use harness::{Person, World};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use uuid::Uuid;

/// A custom token.
fn signed(header: &Header, claims: &Value, key: &EncodingKey) -> String {
    jsonwebtoken::encode(header, claims, key).unwrap()
}

/// Signed by the world's secret.
fn by_secret(world: &World, claims: &Value) -> String {
    signed(
        &Header::new(Algorithm::HS256),
        claims,
        &EncodingKey::from_secret(world.desk().secret().as_bytes()),
    )
}

/// Claims that are good for an hour.
fn claims(world: &World, user: Uuid) -> Value {
    let now = world.desk().clock().now();
    json!({ "sub": user, "iat": now.seconds(), "exp": now.plus(Duration::from_secs(3600)).seconds() })
}

/// The claims with one changed, or removed with null.
fn but(claims: &Value, name: &str, value: Value) -> Value {
    let mut claims = claims.clone();
    let fields = claims.as_object_mut().unwrap();
    if value.is_null() {
        fields.remove(name);
    } else {
        fields.insert(name.to_owned(), value);
    }
    claims
}

/// Whether a request with the token is accepted.
async fn status(world: &World, user: Uuid, token: &str) -> u16 {
    world
        .bearer(user, token.to_owned())
        .get("/api/v1/users/me")
        .await
        .status
}

/// The response to a refused token, without what differs between any two responses.
async fn refusal(person: &Person) -> Value {
    let answer = person.get("/api/v1/users/me").await;
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    let mut error = answer.is(401);
    for time_or_id in ["/timestamp", "/error/timestamp", "/error/request_id"] {
        *error.pointer_mut(time_or_id).unwrap() = Value::Null;
    }
    error
}
