//! Answers: the one table from errors to HTTP, the headers of every answer, the envelope.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::{Value, json};

use super::request::Request;
use super::route::Route;
use crate::App;
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

impl<T> From<T> for Reply<T> {
    fn from(body: T) -> Self {
        Self {
            status: None,
            headers: Vec::new(),
            body: Body::Json(body),
        }
    }
}

/// An answer as API Gateway's payload format 2.0 takes it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    /// The status.
    pub status_code: u16,
    headers: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    is_base64_encoded: bool,
}

/// Nothing that the API answers is a page.
const NOTHING_TO_LOAD: &str = "default-src 'none'";

impl Response {
    /// The answer of a reply, whose own status is the route's unless it says so.
    pub fn of_reply<T: Serialize>(app: &App, request: &Request, reply: &Reply<T>, success: u16) -> Self {
        let status = reply.status.unwrap_or(success);
        let mut response = match &reply.body {
            Body::Empty => Self::bare(request, status),
            Body::File(file) => Self::of_file(request, status, file),
            Body::Json(body) => match body_text(body, Route::is_enveloped(&request.path)) {
                Ok(text) => Self::bare(request, status).json(text),
                Err(error) => Self::of_error(app, request, &error),
            },
        };
        for (name, value) in &reply.headers {
            response.headers.insert(name, value.clone());
        }
        response
    }

    /// The answer of an error, in the one shape of all errors (contract §1).
    pub fn of_error(app: &App, request: &Request, error: &Error) -> Self {
        let (status, code) = status_and_code(error);
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
                response
                    .headers
                    .insert("retry-after", retry_after_seconds(*retry_after).to_string());
            }
            Error::Unavailable(_) => {
                response.headers.insert("retry-after", "1".to_owned());
            }
            Error::MethodNotAllowed { allow } => {
                response.headers.insert("allow", allow.clone());
            }
            Error::Unauthenticated => {
                response.headers.insert("www-authenticate", "Bearer".to_owned());
            }
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
            self.headers
                .insert("x-ratelimit-limit", standing.limit.to_string());
            self.headers
                .insert("x-ratelimit-remaining", standing.remaining.to_string());
            self.headers.insert("x-ratelimit-reset", reset.to_string());
        }
        self
    }

    fn bare(request: &Request, status_code: u16) -> Self {
        let headers = BTreeMap::from([
            ("cache-control", "no-store".to_owned()),
            ("content-security-policy", NOTHING_TO_LOAD.to_owned()),
            (
                "strict-transport-security",
                "max-age=63072000; includeSubDomains".to_owned(),
            ),
            ("x-content-type-options", "nosniff".to_owned()),
            ("x-frame-options", "DENY".to_owned()),
            ("x-request-id", request.id.clone()),
        ]);
        Self {
            status_code,
            headers,
            body: None,
            is_base64_encoded: false,
        }
    }

    fn json(mut self, text: String) -> Self {
        self.headers.insert("content-type", "application/json".to_owned());
        self.body = Some(text);
        self
    }

    fn of_file(request: &Request, status: u16, file: &File) -> Self {
        let mut response = Self::bare(request, status);
        response
            .headers
            .insert("content-type", file.content_type.to_owned());
        response
            .headers
            .insert("content-security-policy", file.content_security_policy.to_owned());
        response
            .headers
            .insert("cache-control", "public, max-age=300".to_owned());
        if file.is_gzip {
            response.headers.insert("content-encoding", "gzip".to_owned());
        }
        match std::str::from_utf8(file.bytes) {
            Ok(text) if !file.is_gzip => response.body = Some(text.to_owned()),
            _ => {
                response.body = Some(STANDARD.encode(file.bytes));
                response.is_base64_encoded = true;
            }
        }
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
        Error::Malformed(_) => (400, "MALFORMED_REQUEST"),
        Error::InvalidCursor => (400, "INVALID_CURSOR"),
        Error::PageTooDeep => (400, "PAGE_TOO_DEEP"),
        Error::Unauthenticated => (401, "UNAUTHENTICATED"),
        Error::InsufficientCredits { .. } => (402, "INSUFFICIENT_CREDITS"),
        Error::Forbidden(_) => (403, "FORBIDDEN"),
        Error::NotFound(_) => (404, "NOT_FOUND"),
        Error::MethodNotAllowed { .. } => (405, "METHOD_NOT_ALLOWED"),
        Error::Conflict(_) => (409, "CONFLICT"),
        Error::PreconditionFailed => (412, "PRECONDITION_FAILED"),
        Error::PayloadTooLarge { .. } => (413, "PAYLOAD_TOO_LARGE"),
        Error::UnsupportedMediaType => (415, "UNSUPPORTED_MEDIA_TYPE"),
        Error::Invalid { .. } => (422, "VALIDATION_ERROR"),
        Error::IdempotencyKeyReused => (422, "IDEMPOTENCY_KEY_REUSED"),
        Error::RateLimited { .. } => (429, "RATE_LIMITED"),
        Error::Unavailable(_) => (503, "UNAVAILABLE"),
        Error::Internal(_) => (500, "INTERNAL"),
    }
}
