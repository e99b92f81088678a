//! Errors in the documents: one schema, one response per status, an example per code, all from real errors.

use std::time::Duration;

use serde_json::{Map, Value, json};
use shared::error::Error;
use shared::http::limit;
use shared::http::reply::status_and_code;

use super::schemas::Schemas;

/// The time of the examples.
pub(crate) const MOMENT: &str = "2026-01-15T10:30:00.000Z";
/// The failed request of the examples.
pub(crate) const REQUEST_ID: &str = "Zm9vYmFyAMFEJyQ=";

/// One of each.
pub(crate) fn samples() -> Vec<Error> {
    vec![
        Error::Malformed("the body must be a JSON object".into()),
        Error::InvalidCursor,
        Error::PageTooDeep,
        Error::unauthenticated("a sample"),
        Error::InsufficientCredits { cost: 1, balance: 0 },
        Error::Forbidden("only the sender may delete a message"),
        Error::NotFound("conversation"),
        Error::MethodNotAllowed {
            allow: "GET, POST".to_owned(),
        },
        Error::Conflict("nothing has been uploaded yet"),
        Error::PreconditionFailed,
        Error::PayloadTooLarge {
            limit_bytes: limit::USUAL_BYTES,
        },
        Error::UnsupportedMediaType("the body must be application/json"),
        Error::invalid(
            "content",
            "too_long",
            "is 2001 characters long; at most 2000 are allowed",
        ),
        Error::IdempotencyKeyReused,
        Error::RateLimited {
            retry_after: Duration::from_secs(12),
        },
        Error::AuditUnavailable("a sample".into()),
        Error::unavailable("a sample"),
        Error::internal("a sample"),
    ]
}

/// What a client should do about an error. The match is exhaustive, so a new error must be explained; it must also be
/// added to the [`samples`].
fn meaning(error: &Error) -> &'static str {
    match error {
        Error::Malformed(_) => "The body is not a JSON object.",
        Error::InvalidCursor => {
            "The cursor or sync token is not valid for this list. Start again without it."
        }
        Error::PageTooDeep => "The page is more than 10,000 items deep. Use `next_cursor`.",
        Error::Unauthenticated(_) => "The token is missing, malformed, expired or revoked.",
        Error::InsufficientCredits { .. } => "The balance is too low. Nothing was sent.",
        Error::Forbidden(_) => "The caller lacks a permission.",
        Error::NotFound(_) => "The resource does not exist, or the caller may not see it.",
        Error::MethodNotAllowed { .. } => {
            "The path does not support this method; `Allow` lists those it supports."
        }
        Error::Conflict(_) => "The request contradicts the current state; the message says how.",
        Error::PreconditionFailed => {
            "The version is not one of `If-Match`, or is one of `If-None-Match`. Get the resource again and repeat the \
             request."
        }
        Error::NotModified { .. } => "The client has the current version.",
        Error::PayloadTooLarge { .. } => {
            "The JSON body is larger than 256 KiB, or than the largest valid body of the route if that is more."
        }
        Error::UnsupportedMediaType(_) => {
            "The `Content-Type` is not JSON, or the body has a `Content-Encoding`."
        }
        Error::Invalid { .. } => "A field or parameter is invalid: see `details`.",
        Error::IdempotencyKeyReused => "The key was used for a request with other content already.",
        Error::RateLimited { .. } => "A rate limit is exceeded. Wait for `Retry-After` seconds.",
        Error::AuditUnavailable(_) => {
            "The audit log is damaged, so actions that must be recorded are refused. Do not try again; tell an operator."
        }
        Error::Internal(_) => "An internal error. Quote `request_id` when you report it.",
        Error::Unavailable(_) => {
            "The service is temporarily unavailable. Try again after `Retry-After` seconds."
        }
    }
}

/// The table of all codes, for the introduction.
pub(crate) fn table() -> String {
    let mut samples = samples();
    samples.sort_by_key(|error| status_and_code(error).0);
    let row = |error: &Error| {
        let (status, code) = status_and_code(error);
        format!("| {status} | `{code}` | {} |\n", meaning(error))
    };
    let rows: String = samples.iter().map(row).collect();
    format!("| Status | Code | Meaning |\n|---|---|---|\n{rows}")
}

/// Adds the schemas of an error.
pub(crate) fn schemas(schemas: &mut Schemas) {
    let moment = json!({ "type": "string", "format": "date-time", "description": "When the error happened, in UTC with milliseconds." });
    let mut codes: Vec<&str> = samples().iter().map(|error| status_and_code(error).1).collect();
    codes.sort_unstable();
    let problem = json!({
        "title": "ErrorInfo",
        "type": "object",
        "description": "What went wrong.",
        "required": ["code", "message", "details", "timestamp", "request_id"],
        "properties": {
            "code": { "title": "ErrorCode", "type": "string", "enum": codes, "description": "A stable code for programs." },
            "message": { "type": "string", "description": "A message for people." },
            "details": {
                "description": "The invalid field; null if no field is to blame.",
                "oneOf": [{ "$ref": "#/components/schemas/ValidationError" }, { "type": "null" }]
            },
            "timestamp": moment.clone(),
            "request_id": { "type": "string", "description": "The value of the header `X-Request-Id`." }
        }
    });
    schemas.add(
        "Error",
        json!({
            "type": "object",
            "description": "The format of all errors.",
            "required": ["success", "data", "error", "detail", "status_code", "timestamp"],
            "properties": {
                "success": { "type": "boolean", "const": false, "description": "Always false." },
                "data": { "type": "null", "description": "Always null." },
                "error": problem,
                "detail": { "type": "string", "description": "The same as `error.message`." },
                "status_code": {
                    "type": "integer", "minimum": 400, "maximum": 599, "description": "The HTTP status."
                },
                "timestamp": moment
            }
        }),
    );
    schemas.add("ValidationError", json!({
        "type": "object",
        "description": "An invalid field.",
        "required": ["field", "issue", "value"],
        "properties": {
            "field": {
                "type": "string",
                "description": "The path of the field, such as `member_ids.0`."
            },
            "issue": {
                "type": "string",
                "description": "The kind of problem, such as `missing`, `too_long`, `out_of_range`, `wrong_type` or `wrong_format`."
            },
            "value": { "type": "null", "description": "Always null; submitted values are not repeated." }
        }
    }));
}

/// The name of a status' response among the components.
pub(crate) fn name(status: u16) -> &'static str {
    match status {
        400 => "BadRequest",
        401 => "Unauthenticated",
        402 => "PaymentRequired",
        403 => "Forbidden",
        404 => "NotFound",
        409 => "Conflict",
        412 => "PreconditionFailed",
        413 => "PayloadTooLarge",
        415 => "UnsupportedMediaType",
        422 => "Unprocessable",
        429 => "TooManyRequests",
        503 => "Unavailable",
        _ => "Internal",
    }
}

/// The responses of these statuses, by name.
pub(crate) fn responses(statuses: impl IntoIterator<Item = u16>) -> Value {
    let responses: Map<String, Value> = statuses
        .into_iter()
        .map(|status| (name(status).to_owned(), response(status)))
        .collect();
    Value::Object(responses)
}

fn response(status: u16) -> Value {
    let samples = samples();
    let samples: Vec<&Error> = samples
        .iter()
        .filter(|error| status_and_code(error).0 == status)
        .collect();
    let examples: Map<String, Value> = samples
        .iter()
        .map(|error| {
            let code = status_and_code(error).1;
            (
                code.to_ascii_lowercase(),
                json!({ "summary": code, "value": body(error) }),
            )
        })
        .collect();
    let lines: Vec<String> = samples
        .iter()
        .map(|error| format!("`{}`: {}", status_and_code(error).1, meaning(error)))
        .collect();
    let mut headers = Map::from_iter([header("X-Request-Id", "RequestId")]);
    if matches!(status, 429 | 503) {
        headers.extend([header("Retry-After", "RetryAfter")]);
    }
    if status == 401 {
        headers.extend([header("WWW-Authenticate", "WwwAuthenticate")]);
    }
    if status == 429 {
        headers.extend(rate_limit_headers());
    }
    json!({
        "description": lines.join("\n\n"),
        "headers": headers,
        "content": { "application/json": {
            "schema": { "$ref": "#/components/schemas/Error" },
            "examples": examples
        } }
    })
}

/// A header by reference.
pub(crate) fn header(name: &str, component: &str) -> (String, Value) {
    (
        name.to_owned(),
        json!({ "$ref": format!("#/components/headers/{component}") }),
    )
}

/// The rate limit headers.
pub(crate) fn rate_limit_headers() -> [(String, Value); 3] {
    [
        header("X-RateLimit-Limit", "RateLimitLimit"),
        header("X-RateLimit-Remaining", "RateLimitRemaining"),
        header("X-RateLimit-Reset", "RateLimitReset"),
    ]
}

/// An error as it is sent.
fn body(error: &Error) -> Value {
    let (status, code) = status_and_code(error);
    let details = match error {
        Error::Invalid { field, invalid } => json!({ "field": field, "issue": invalid.issue, "value": null }),
        _ => Value::Null,
    };
    json!({
        "success": false,
        "data": null,
        "error": {
            "code": code,
            "message": error.to_string(),
            "details": details,
            "timestamp": MOMENT,
            "request_id": REQUEST_ID
        },
        "detail": error.to_string(),
        "status_code": status,
        "timestamp": MOMENT
    })
}
