//! The live page at `/`, for trying Tidings. Only on the desk: it hands out tokens to whoever requests it by a loopback
//! name.

use std::sync::Arc;

use bytes::Bytes;
use http::{Response, header};
use local_gateway::http::Extra;
use serde_json::json;
use shared::clock::Clock;

use crate::demo;

const PAGE: &str = include_str!("../page/index.html");
/// Where the page's script finds its users and the WebSocket address.
const SLOT: &str = "__DESK__";

/// The page when only an issuer signs tokens.
const NO_TOKENS: &str = "This desk takes the tokens of the issuer at JWT_JWKS_URL, so the live page has none to hand out. \
    Set JWT_SECRET_KEY as well to use it.\n";

/// Serves the page, with tokens issued on request.
pub fn page(ws_url: String, secret: Option<String>, clock: Clock) -> Extra {
    Arc::new(move |_| {
        let response = match &secret {
            Some(secret) => render(&ws_url, secret, &clock),
            None => no_tokens(),
        };
        Box::pin(async move { response })
    })
}

fn no_tokens() -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(NO_TOKENS.as_bytes()));
    *response.status_mut() = http::StatusCode::NOT_FOUND;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    headers.insert(
        header::CACHE_CONTROL,
        header::HeaderValue::from_static("no-store"),
    );
    response
}

fn render(ws_url: &str, secret: &str, clock: &Clock) -> Response<Bytes> {
    let user = |user: demo::DemoUser| {
        let token = demo::token(secret, user.id, user.claims(), clock.now(), demo::TOKEN_LIFETIME)?;
        Ok(json!({ "id": user.id, "name": user.name, "username": user.username, "token": token }))
    };
    let users = demo::USERS
        .into_iter()
        .map(user)
        .collect::<shared::Result<Vec<_>>>();
    let (status, body) = match users {
        // `<` must not end the script element that holds the data.
        Ok(users) => (
            200,
            PAGE.replace(
                SLOT,
                &json!({ "ws_url": ws_url, "users": users })
                    .to_string()
                    .replace('<', "\\u003c"),
            ),
        ),
        Err(error) => (500, error.to_string()),
    };
    let policy = format!(
        "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; \
         connect-src 'self' {ws_url}; base-uri 'none'; frame-ancestors 'none'"
    );
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("text/html; charset=utf-8"),
    );
    headers.insert(
        header::CACHE_CONTROL,
        header::HeaderValue::from_static("no-store"),
    );
    if let Ok(policy) = header::HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}
