//! Answers: the one table from errors to HTTP, the headers of every answer, the envelope.

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

/// What a handler answers.
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

/// A file as it is, for the documentation pages.
#[derive(Clone, Debug)]
pub struct File {
    /// Its media type.
    pub content_type: &'static str,
    /// Its bytes.
    pub bytes: &'static [u8],
    /// Whether the bytes are compressed by gzip.
    pub is_gzip: bool,
    /// What the page may load.
    pub content_security_policy: &'static str,
}

impl<T> Reply<T> {
    /// Nothing but the status.
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

    /// Another status than the route's.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// A header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl<T> Reply<T> {
    /// The version of what is answered, as `ETag`. A client may keep it, and must ask whether it still holds.
    #[must_use]
    pub fn version(self, version: u64) -> Self {
        self.header("etag", etag(version))
            .header("cache-control", VERSIONED_CACHING)
    }

    /// Whether it is the answer to an earlier request under the same idempotency key, which a header says.
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

/// An answer on its way to `lambda_http`, which writes it as API Gateway's payload format 2.0 wants it.
#[derive(Debug)]
pub struct Response {
    http: lambda_http::Response<lambda_http::Body>,
}

impl lambda_http::IntoResponse for Response {
    fn into_response(
        mut self,
    ) -> Pin<Box<dyn Future<Output = lambda_http::Response<lambda_http::Body>> + Send>> {
        // lambda_http 1.3 writes the first of several equal headers alone: they are joined (RFC 9110 §5.3). Cookies,
        // which cannot be, have a list of their own. Nearly every answer has each of its headers once.
        let headers = self.http.headers_mut();
        if headers.len() > headers.keys_len() {
            join_equal(headers);
        }
        Box::pin(ready(self.http))
    }
}

/// How long what has a version may be kept (contract §1 *Headers*): by the client alone, which asks before it uses it.
const VERSIONED_CACHING: &str = "private, no-cache";

/// Joins the values of equal headers, but for cookies.
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

/// Nothing that the API answers is a page.
const NOTHING_TO_LOAD: &str = "default-src 'none'";

impl Response {
    /// The answer of a reply, whose own status is the route's unless it says so.
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
        // What a reply says takes the place of what every answer says, and of several equal ones all are said.
        for (name, _) in &reply.headers {
            headers.remove(*name);
        }
        for (name, value) in &reply.headers {
            let value = HeaderValue::from_str(value).map_err(Error::internal)?;
            headers.append(HeaderName::from_static(name), value);
        }
        Ok(response)
    }

    /// The answer of an error, in the one shape of all errors (contract §1).
    pub fn of_error(app: &App, request: &Request, error: &Error) -> Self {
        let (status, code) = status_and_code(error);
        if let Error::NotModified { etag } = error {
            // What a 200 would say of the version, and no body (RFC 9110 §15.4.5).
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

    /// Adds where the caller stands.
    #[must_use]
    pub fn standing(mut self, standing: Option<&Standing>) -> Self {
        if let Some(standing) = standing {
            // Rounded up: at the second that it names, the bucket is free.
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
        // What is no status is a defect of a route.
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

    /// Sets a header to a value of our own making. API Gateway's request id, which is none, is left out if it cannot
    /// stand in a header.
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
        response.set(CACHE_CONTROL, "public, max-age=300");
        if file.is_gzip {
            response.set(CONTENT_ENCODING, "gzip");
        }
        *response.http.body_mut() = match std::str::from_utf8(file.bytes) {
            Ok(text) if !file.is_gzip => text.into(),
            // Binary, which goes out as base64.
            _ => file.bytes.into(),
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

/// The one table from errors to HTTP (contract §1). A new error does not compile until it has a row.
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
