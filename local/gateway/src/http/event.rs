//! A request as the event that a function receives, in payload format 2.0.
//!
//! From "Create AWS Lambda proxy integrations for HTTP APIs". Two habits of AWS that its sample does not show:
//! `rawPath` arrives percent-decoded (and `rawQueryString` does not), and the `cookie` header moves to `cookies`.

use std::net::SocketAddr;

use ::http::{HeaderMap, Version, header, request::Parts};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::router::Found;
use crate::server::{self, ACCOUNT, API, Moment};

/// Where, when and as which number a request arrived.
pub(super) struct Arrival<'a> {
    pub(super) peer: SocketAddr,
    pub(super) id: &'a str,
    pub(super) now: Moment,
}

/// Writes the event for one request.
pub(super) fn request(parts: &Parts, body: &[u8], found: &Found<'_>, arrival: &Arrival<'_>) -> Value {
    let query = parts.uri.query().unwrap_or_default();
    let path = percent_decode_str(parts.uri.path()).decode_utf8_lossy();
    let cookies = cookies(&parts.headers);

    let mut event = Map::new();
    event.insert("version".into(), "2.0".into());
    event.insert("routeKey".into(), found.key.into());
    event.insert("rawPath".into(), path.as_ref().into());
    event.insert("rawQueryString".into(), query.into());
    if !cookies.is_empty() {
        event.insert("cookies".into(), cookies.into());
    }
    event.insert("headers".into(), headers(&parts.headers).into());
    if !query.is_empty() {
        event.insert("queryStringParameters".into(), query_parameters(query).into());
    }
    event.insert("requestContext".into(), context(parts, &path, found, arrival));
    if !found.parameters.is_empty() {
        let parameters: Map<_, _> = found
            .parameters
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().into()))
            .collect();
        event.insert("pathParameters".into(), parameters.into());
    }
    let text = std::str::from_utf8(body)
        .ok()
        .filter(|_| is_textual(&parts.headers));
    if !body.is_empty() {
        let body = text.map_or_else(|| STANDARD.encode(body), str::to_owned);
        event.insert("body".into(), body.into());
    }
    event.insert(
        "isBase64Encoded".into(),
        (!body.is_empty() && text.is_none()).into(),
    );
    event.into()
}

fn context(parts: &Parts, path: &str, found: &Found<'_>, arrival: &Arrival<'_>) -> Value {
    let domain = server::domain(&parts.headers);
    let prefix = domain.split('.').next().unwrap_or_default().to_owned();
    json!({
        "accountId": ACCOUNT,
        "apiId": API,
        "domainName": domain,
        "domainPrefix": prefix,
        "http": {
            "method": parts.method.as_str(),
            "path": path,
            "protocol": if parts.version == Version::HTTP_10 { "HTTP/1.0" } else { "HTTP/1.1" },
            "sourceIp": arrival.peer.ip().to_string(),
            "userAgent": server::text(&parts.headers, &header::USER_AGENT).unwrap_or_default(),
        },
        "requestId": arrival.id,
        "routeKey": found.key,
        "stage": "$default",
        "time": arrival.now.as_text(),
        "timeEpoch": arrival.now.epoch_milliseconds,
    })
}

/// Every header once, its values joined by commas; names are lower-case already.
fn headers(headers: &HeaderMap) -> Map<String, Value> {
    headers
        .keys()
        .filter(|name| *name != header::COOKIE)
        .map(|name| {
            let values: Vec<_> = headers
                .get_all(name)
                .iter()
                .map(|value| String::from_utf8_lossy(value.as_bytes()))
                .collect();
            (name.as_str().to_owned(), values.join(",").into())
        })
        .collect()
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .map(str::trim)
        .filter(|cookie| !cookie.is_empty())
        .map(str::to_owned)
        .collect()
}

fn query_parameters(query: &str) -> Map<String, Value> {
    let mut parameters = Map::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let joined = match parameters.get(name.as_ref()) {
            Some(Value::String(earlier)) => format!("{earlier},{value}"),
            _ => value.into_owned(),
        };
        parameters.insert(name.into_owned(), joined.into());
    }
    parameters
}

/// Returns true for the content types that API Gateway passes on as text; all others are base64.
fn is_textual(headers: &HeaderMap) -> bool {
    let Some(content_type) = server::text(headers, &header::CONTENT_TYPE) else {
        return true;
    };
    if headers.contains_key(header::CONTENT_ENCODING) {
        return false;
    }
    let essence = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    essence.starts_with("text/")
        || essence.ends_with("+json")
        || essence.ends_with("+xml")
        || matches!(
            essence.as_str(),
            "application/json" | "application/javascript" | "application/xml"
        )
}
