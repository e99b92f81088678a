//! A request, as API Gateway's payload format 2.0 brings it.
//! Source: AWS, *Create AWS Lambda proxy integrations for HTTP APIs in API Gateway*.

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

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
    headers: http::HeaderMap,
    body: Vec<u8>,
}

impl Request {
    /// Reads an event.
    pub fn from_event(event: &[u8]) -> Result<Self> {
        let event: ApiGatewayV2httpRequest = serde_json::from_slice(event).map_err(Error::internal)?;
        let body = event.body.unwrap_or_default();
        let body = if event.is_base64_encoded {
            STANDARD.decode(body).map_err(Error::internal)?
        } else {
            body.into_bytes()
        };
        let query = event.raw_query_string.unwrap_or_default();
        Ok(Self {
            method: event.request_context.http.method.as_str().to_owned(),
            path: event
                .raw_path
                .or(event.request_context.http.path)
                .unwrap_or_default(),
            route_key: event
                .route_key
                .or(event.request_context.route_key)
                .unwrap_or_default(),
            path_parameters: event.path_parameters.into_iter().collect(),
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            id: event.request_context.request_id.unwrap_or_default(),
            headers: event.headers,
            body,
        })
    }

    /// A header. One with more than ASCII in it is there too, for whoever reads it to refuse.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .and_then(|value| std::str::from_utf8(value.as_bytes()).ok())
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
