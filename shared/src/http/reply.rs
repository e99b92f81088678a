//! Responses: the mapping from errors to HTTP, the headers of every response, the envelope.

use std::borrow::Cow;
use std::future::{Future, ready};
use std::pin::Pin;

use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName,
    HeaderValue, RETRY_AFTER, SET_COOKIE, STRICT_TRANSPORT_SECURITY, WWW_AUTHENTICATE,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};

use super::request::Request;
use super::route::Route;
use crate::App;
use crate::domain::precondition::etag;
use crate::error::{Error, Result, retry_after_seconds};
use crate::store::rates::Standing;

/// The reply of a handler.
#[derive(Debug)]
pub struct Reply<T> {
    status: Option<u16>,
    headers: Vec<(&'static str, String)>,
    body: Body<T>,
}

#[derive(Debug)]
enum Body<T> {
    Json(T),
    Empty,
    File(File),
}

/// A static file, for the documentation pages.
#[derive(Clone, Debug)]
pub struct File {
    /// Its media type.
    pub content_type: &'static str,
    /// Its bytes.
    pub bytes: Cow<'static, [u8]>,
    /// Whether the bytes are compressed by gzip.
    pub is_gzip: bool,
    /// The page's content security policy.
    pub content_security_policy: &'static str,
}

impl<T> Reply<T> {
    /// A reply without a body.
    pub fn empty() -> Self {
        Self {
            status: None,
            headers: Vec::new(),
            body: Body::Empty,
        }
    }

    /// A file.
    pub fn file(file: File) -> Self {
        Self {
            status: None,
            headers: Vec::new(),
            body: Body::File(file),
        }
    }

    /// Sets another status than the route's.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl<T> Reply<T> {
    /// Sets the `ETag`. A client may cache the response, but must revalidate it.
    #[must_use]
    pub fn version(self, version: u64) -> Self {
        self.header("etag", etag(version))
            .header("cache-control", VERSIONED_CACHING)
    }

    /// Sets `Idempotency-Replayed` if this repeats the response to an earlier request with the same idempotency key.
    #[must_use]
    pub fn replayed(self, is_replayed: bool) -> Self {
        if is_replayed {
            self.header("idempotency-replayed", "true")
        } else {
            self
        }
    }
}

impl<T> From<T> for Reply<T> {
    fn from(body: T) -> Self {
        Self {
            status: None,
            headers: Vec::new(),
            body: Body::Json(body),
        }
    }
}

/// A response, which `lambda_http` converts to API Gateway's payload format 2.0.
#[derive(Debug)]
pub struct Response {
    http: lambda_http::Response<lambda_http::Body>,
}

impl lambda_http::IntoResponse for Response {
    fn into_response(
        mut self,
    ) -> Pin<Box<dyn Future<Output = lambda_http::Response<lambda_http::Body>> + Send>> {
        // lambda_http 1.3 writes only the first of several equal headers, so they are joined (RFC 9110 §5.3). Cookies,
        // which cannot be joined, have their own list. Nearly all responses have each header once.
        let headers = self.http.headers_mut();
        if headers.len() > headers.keys_len() {
            join_equal(headers);
        }
        Box::pin(ready(self.http))
    }
}

/// The caching of versioned resources (contract §1 *Headers*): only by the client, which must revalidate.
const VERSIONED_CACHING: &str = "private, no-cache";

/// Joins the values of equal headers, except cookies.
fn join_equal(headers: &mut HeaderMap) {
    let names: Vec<HeaderName> = headers
        .keys()
        .filter(|name| *name != SET_COOKIE)
        .cloned()
        .collect();
    for name in names {
        let values: Vec<&[u8]> = headers.get_all(&name).iter().map(HeaderValue::as_bytes).collect();
        if values.len() > 1
            && let Ok(joined) = HeaderValue::from_bytes(&values.join(b", ".as_slice()))
        {
            headers.insert(name, joined);
        }
    }
}

/// API responses are no pages, so nothing may be loaded.
const NOTHING_TO_LOAD: &str = "default-src 'none'";

impl Response {
    /// The response for a reply. The status is the route's unless the reply sets another.
    pub fn of_reply<T: Serialize>(app: &App, request: &Request, reply: &Reply<T>, success: u16) -> Self {
        Self::try_of_reply(request, reply, success)
            .unwrap_or_else(|error| Self::of_error(app, request, &error))
    }

    fn try_of_reply<T: Serialize>(request: &Request, reply: &Reply<T>, success: u16) -> Result<Self> {
        let status = reply.status.unwrap_or(success);
        let mut response = match &reply.body {
            Body::Empty => Self::bare(request, status),
            Body::File(file) => Self::of_file(request, status, file),
            Body::Json(body) => {
                let text = body_text(body, Route::is_enveloped(request.route_path()))?;
                Self::bare(request, status).json(text)
            }
        };
        let headers = response.http.headers_mut();
        // Headers of the reply replace the default ones; several equal ones are all kept.
        for (name, _) in &reply.headers {
            headers.remove(*name);
        }
        for (name, value) in &reply.headers {
            let value = HeaderValue::from_str(value).map_err(Error::internal)?;
            headers.append(HeaderName::from_static(name), value);
        }
        Ok(response)
    }

    /// The response for an error, in the common error format (contract §1).
    pub fn of_error(app: &App, request: &Request, error: &Error) -> Self {
        let (status, code) = status_and_code(error);
        if let Error::NotModified { etag } = error {
            // The headers that a 200 would have, and no body (RFC 9110 §15.4.5).
            let mut response = Self::bare(request, status);
            response.set(ETAG, etag);
            response.set(CACHE_CONTROL, VERSIONED_CACHING);
            return response;
        }
        let message = error.to_string();
        let timestamp = app.now();
        let details = match error {
            Error::Invalid { field, invalid } => {
                json!({ "field": field, "issue": invalid.issue, "value": null })
            }
            _ => Value::Null,
        };
        let body = json!({
            "success": false,
            "data": null,
            "error": {
                "code": code,
                "message": message,
                "details": details,
                "timestamp": timestamp,
                "request_id": request.id,
            },
            "detail": message,
            "status_code": status,
            "timestamp": timestamp,
        });
        let mut response = Self::bare(request, status).json(body.to_string());
        match error {
            Error::RateLimited { retry_after } => {
                response.set(RETRY_AFTER, &retry_after_seconds(*retry_after).to_string());
            }
            Error::Unavailable(_) => response.set(RETRY_AFTER, "1"),
            Error::MethodNotAllowed { allow } => response.set(ALLOW, allow),
            Error::Unauthenticated(_) => response.set(WWW_AUTHENTICATE, "Bearer"),
            _ => {}
        }
        response
    }

    /// Adds the rate limit headers.
    #[must_use]
    pub fn standing(mut self, standing: Option<&Standing>) -> Self {
        if let Some(standing) = standing {
            // Rounded up, so that the limit is free at that second.
            let reset = (standing.reset.milliseconds() + 999).div_euclid(1000);
            let numbers = [
                ("x-ratelimit-limit", standing.limit.to_string()),
                ("x-ratelimit-remaining", standing.remaining.to_string()),
                ("x-ratelimit-reset", reset.to_string()),
            ];
            for (name, number) in numbers {
                self.set(HeaderName::from_static(name), &number);
            }
        }
        self
    }

    /// The status.
    pub fn status(&self) -> u16 {
        self.http.status().as_u16()
    }

    fn bare(request: &Request, status: u16) -> Self {
        let mut http = lambda_http::Response::new(lambda_http::Body::Empty);
        // An invalid status is a defect of a route.
        *http.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = Self { http };
        for (name, value) in [
            (CACHE_CONTROL, "no-store"),
            (CONTENT_SECURITY_POLICY, NOTHING_TO_LOAD),
            (STRICT_TRANSPORT_SECURITY, "max-age=63072000; includeSubDomains"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (X_FRAME_OPTIONS, "DENY"),
            (HeaderName::from_static("x-request-id"), &request.id),
        ] {
            response.set(name, value);
        }
        response
    }

    /// Sets a header to a value that we generate. API Gateway's request id is not ours: it is left out if it is no
    /// valid header value.
    fn set(&mut self, name: HeaderName, value: &str) {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.http.headers_mut().insert(name, value);
        }
    }

    fn json(mut self, text: String) -> Self {
        self.set(CONTENT_TYPE, "application/json");
        *self.http.body_mut() = text.into();
        self
    }

    fn of_file(request: &Request, status: u16, file: &File) -> Self {
        let mut response = Self::bare(request, status);
        response.set(CONTENT_TYPE, file.content_type);
        response.set(CONTENT_SECURITY_POLICY, file.content_security_policy);
        if file.is_gzip {
            response.set(CONTENT_ENCODING, "gzip");
        }
        *response.http.body_mut() = match std::str::from_utf8(&file.bytes) {
            Ok(text) if !file.is_gzip => text.into(),
            // Binary, which is encoded as base64.
            _ => file.bytes.as_ref().into(),
        };
        response
    }
}

fn body_text<T: Serialize>(body: &T, is_enveloped: bool) -> Result<String> {
    let text = serde_json::to_string(body).map_err(Error::internal)?;
    Ok(if is_enveloped {
        format!(r#"{{"success":true,"data":{text},"error":null}}"#)
    } else {
        text
    })
}

/// The only mapping from errors to HTTP (contract §1). The match is exhaustive, so a new error needs a row.
pub fn status_and_code(error: &Error) -> (u16, &'static str) {
    match error {
        Error::NotModified { .. } => (304, "NOT_MODIFIED"),
        Error::Malformed(_) => (400, "MALFORMED_REQUEST"),
        Error::InvalidCursor => (400, "INVALID_CURSOR"),
        Error::PageTooDeep => (400, "PAGE_TOO_DEEP"),
        Error::Unauthenticated(_) => (401, "UNAUTHENTICATED"),
        Error::InsufficientCredits { .. } => (402, "INSUFFICIENT_CREDITS"),
        Error::Forbidden(_) => (403, "FORBIDDEN"),
        Error::NotFound(_) => (404, "NOT_FOUND"),
        Error::MethodNotAllowed { .. } => (405, "METHOD_NOT_ALLOWED"),
        Error::Conflict(_) => (409, "CONFLICT"),
        Error::PreconditionFailed => (412, "PRECONDITION_FAILED"),
        Error::PayloadTooLarge { .. } => (413, "PAYLOAD_TOO_LARGE"),
        Error::UnsupportedMediaType(_) => (415, "UNSUPPORTED_MEDIA_TYPE"),
        Error::Invalid { .. } => (422, "VALIDATION_ERROR"),
        Error::IdempotencyKeyReused => (422, "IDEMPOTENCY_KEY_REUSED"),
        Error::RateLimited { .. } => (429, "RATE_LIMITED"),
        Error::AuditUnavailable(_) => (503, "AUDIT_UNAVAILABLE"),
        Error::Unavailable(_) => (503, "UNAVAILABLE"),
        Error::Internal(_) => (500, "INTERNAL"),
    }
}
