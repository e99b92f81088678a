//! A request, as `lambda_http` decodes it from an event.

use lambda_http::RequestExt as _;
use lambda_http::request::RequestContext;

use crate::error::{Error, Result};

/// A request.
#[derive(Debug)]
pub struct Request {
    /// The method, in capitals.
    pub method: String,
    /// The path as the client wrote it, percent-decoded.
    pub path: String,
    /// The route that matched: method and path with its parameters in braces, or `$default`.
    pub route_key: String,
    /// The parameters of the path, decoded, by name.
    pub path_parameters: Vec<(String, String)>,
    /// The parameters of the query, decoded, in order, the last of equal names last.
    pub query: Vec<(String, String)>,
    /// The id that the answer carries as `X-Request-Id` and the log as `request_id`.
    pub id: String,
    http: lambda_http::Request,
}

impl From<lambda_http::Request> for Request {
    fn from(http: lambda_http::Request) -> Self {
        let (id, route_key) = match http.request_context_ref() {
            Some(RequestContext::ApiGatewayV2(context)) => {
                (context.request_id.clone(), context.route_key.clone())
            }
            _ => (None, None),
        };
        let parameters = http.path_parameters_ref();
        let mut path_parameters: Vec<(String, String)> = parameters
            .iter()
            .flat_map(|parameters| parameters.iter())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        // They have no order of their own; sorted, the same wrong parameter is always the one that is reported.
        path_parameters.sort();
        let query = http.uri().query().unwrap_or_default();
        Self {
            method: http.method().to_string(),
            path: http.raw_http_path().to_owned(),
            route_key: route_key.unwrap_or_default(),
            path_parameters,
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            id: id.unwrap_or_default(),
            http,
        }
    }
}

impl Request {
    /// A header; none if its value is not UTF-8. A value may hold other characters than ASCII; the reader must refuse
    /// them.
    pub fn header(&self, name: &str) -> Option<&str> {
        let value = self.http.headers().get(name)?;
        std::str::from_utf8(value.as_bytes()).ok()
    }

    /// Whether there is a header, whatever its value.
    pub fn has_header(&self, name: &str) -> bool {
        self.http.headers().contains_key(name)
    }

    /// The body.
    pub fn body(&self) -> &[u8] {
        self.http.body()
    }

    /// The path of the matched route, with its parameters in braces; the path itself if no route matched. Excludes what
    /// precedes it in the URL, such as the stage or the mapping of a custom domain.
    pub fn route_path(&self) -> &str {
        self.route_key
            .split_once(' ')
            .map_or(self.path.as_str(), |(_, path)| path)
    }

    /// The token of the header `Authorization: Bearer` (RFC 6750 §2.1; the scheme is case-insensitive).
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] if there is none.
    pub fn bearer(&self) -> Result<&str> {
        let header = self.header("authorization");
        let header = header.ok_or_else(|| Error::unauthenticated("there is no Authorization header"))?;
        match header.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
            _ => Err(Error::unauthenticated(
                "the Authorization header has no Bearer token",
            )),
        }
    }
}
