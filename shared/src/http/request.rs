//! A request, as API Gateway's payload format 2.0 brings it.
//! Source: AWS, *Create AWS Lambda proxy integrations for HTTP APIs in API Gateway*.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use crate::error::{Error, Result};

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method, in capitals.
    pub method: String,
    /// The path as the client wrote it.
    pub path: String,
    /// The route that matched: method and path with its parameters in braces, or `$default`.
    pub route_key: String,
    /// The parameters of the path, decoded.
    pub path_parameters: Vec<(String, String)>,
    /// The parameters of the query, decoded, in order, the last of equal names last.
    pub query: Vec<(String, String)>,
    /// The id that the answer carries as `X-Request-Id` and the log as `request_id`.
    pub id: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    /// Reads an event.
    pub fn from_event(event: &[u8]) -> Result<Self> {
        let event: Event = serde_json::from_slice(event).map_err(Error::internal)?;
        let body = event.body.unwrap_or_default();
        let body = if event.is_base64_encoded {
            STANDARD.decode(body).map_err(Error::internal)?
        } else {
            body.into_bytes()
        };
        let context = event.request_context;
        let query = event.raw_query_string.unwrap_or_default();
        Ok(Self {
            method: context.http.method,
            path: event.raw_path.or(context.http.path).unwrap_or_default(),
            route_key: event.route_key.or(context.route_key).unwrap_or_default(),
            path_parameters: event.path_parameters.unwrap_or_default().0,
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            id: context.request_id.unwrap_or_default(),
            headers: event.headers.unwrap_or_default().0,
            body,
        })
    }

    /// A header. One with more than ASCII in it is there too, for whoever reads it to refuse.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let (_, value) = headers.find(|(header, _)| header.eq_ignore_ascii_case(name))?;
        Some(value)
    }

    /// The body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The token of an `Authorization: Bearer` header (RFC 6750 §2.1; the scheme's case does not matter).
    pub fn bearer(&self) -> Result<&str> {
        let header = self.header("authorization").ok_or(Error::Unauthenticated)?;
        let (scheme, token) = header.split_once(' ').ok_or(Error::Unauthenticated)?;
        if scheme.eq_ignore_ascii_case("bearer") {
            Ok(token.trim())
        } else {
            Err(Error::Unauthenticated)
        }
    }
}

/// What of an event is read. The crate of all events reads everything, which costs a request a twentieth of its CPU.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    route_key: Option<String>,
    raw_path: Option<String>,
    raw_query_string: Option<String>,
    headers: Option<Pairs>,
    path_parameters: Option<Pairs>,
    request_context: Context,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    route_key: Option<String>,
    request_id: Option<String>,
    http: Http,
}

#[derive(Deserialize)]
struct Http {
    method: String,
    path: Option<String>,
}

/// The names and values of an object, in order.
#[derive(Default)]
struct Pairs(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Pairs;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object of texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Names)
    }
}
