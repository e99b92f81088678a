//! The prose of the OpenAPI document.

use shared::config::Limits;
use shared::http::{AnyEndpoint, Route};
use shared::store::rates::RateLimit;

use super::errors;

/// How the token is verified.
pub(super) const BEARER: &str = "\
A JSON Web Token, as `Authorization: Bearer <token>`. Required claims are `sub` (a UUID, the user) and `exp`; `iat` is \
recommended. `name`, `username`, `email`, `avatar_url`, `roles`, `permissions` and `business_unit` describe the user. \
Supported algorithms are HS256, or RS256 and ES256 if a key set is configured. Clocks may differ by 30 seconds, and \
times may have fractions. Optional claims that have another type, are too long or contain control characters are \
ignored: names have at most 100 characters, `avatar_url` 2,048 (http or https), `business_unit` 64. The first call of \
a user creates their profile; later calls update it, unless their token was issued (`iat`) before the one that the \
profile is of.";

/// The description of an operation.
pub(super) fn operation(entry: &AnyEndpoint, path: &str, has_answer: bool) -> String {
    let route = &entry.route;
    let described = Some(route.description).filter(|text| !text.is_empty());
    let mut paragraphs: Vec<String> = described.map(str::to_owned).into_iter().collect();
    paragraphs.push(who(entry));
    if let Some(counts) = counts(route.rate_limits).filter(|_| !entry.is_public) {
        paragraphs.push(counts);
    }
    if path != route.path {
        paragraphs.push(format!("An alias of `{} {}`.", route.method.as_str(), route.path));
    }
    if has_answer && Route::is_enveloped(path) {
        paragraphs.push("The response is wrapped as `{success, data, error}`.".to_owned());
    }
    paragraphs.join("\n\n")
}

fn who(entry: &AnyEndpoint) -> String {
    if entry.is_public {
        "No token is needed.".to_owned()
    } else if let Some(permission) = entry.route.needs {
        format!("Requires the permission `{}` (403).", permission.as_str())
    } else if entry.route.is_for_members {
        "Only for members of the conversation; for everybody else it does not exist (404).".to_owned()
    } else {
        "For every user.".to_owned()
    }
}

/// The rate limits of a request.
fn counts(rate_limits: &[RateLimit]) -> Option<String> {
    let limits = Limits::default();
    let limit = |bucket: &RateLimit| match bucket {
        RateLimit::Requests => format!("{} requests per minute", limits.requests_per_minute),
        RateLimit::Sends => format!("{} sends per minute", limits.sends_per_minute),
        RateLimit::Connects => format!("{} connection attempts per minute", limits.connects_per_minute),
        RateLimit::Frames => format!("{} frames per second", limits.frames_per_second),
        RateLimit::Resumes => format!("{} resumes per minute", limits.resumes_per_minute),
        RateLimit::Resuming => "one resume at a time".to_owned(),
        RateLimit::Refusals => "refused frames".to_owned(),
        RateLimit::Uploads => format!("{} uploads per minute", limits.uploads_per_minute),
    };
    let limits: Vec<String> = rate_limits.iter().map(limit).collect();
    (!limits.is_empty()).then(|| format!("Rate limits: {}.", limits.join(", ")))
}

/// The meaning of a success status.
pub(super) fn success(entry: &AnyEndpoint, status: u16) -> String {
    let text = match status {
        201 => "Created.",
        202 => "Accepted; a worker will do it.",
        204 => "Done; no body.",
        _ if entry.route.also == Some(status) && entry.route.success == 201 => "It exists already.",
        _ => "Success.",
    };
    text.to_owned()
}

/// The introduction.
pub(super) fn front_page() -> String {
    let limits = Limits::default();
    format!(
        "Tidings is a messaging API. Every message is stored once, in the event log of its conversation, and pushed to \
all devices of all members. This document describes the HTTP API; the frames of the WebSocket API are described in \
[`/asyncapi.json`](/asyncapi.json).

## Getting started

1. Get a token from your identity provider and check it: `GET /api/v1/users/me`.
2. Open a conversation: `POST /api/conversations/dm/{{other_user_id}}`.
3. Send a message: `POST /api/conversations/{{conversation_id}}/messages` with `{{\"content\": \"Hello!\"}}`.
4. Receive the reply: over the WebSocket, or with `GET /api/events?wait=25`.

## Response formats

| Paths | A successful response |
|---|---|
| `/api/v1/…` | `{{\"success\": true, \"data\": …, \"error\": null}}` |
| all others | the data itself |

Every `/api/conversations…` route is also available as `/api/v1/conversations…`, with the envelope. Trailing slashes \
are ignored. Unknown fields in requests are ignored; unknown values of an enumeration are rejected.

## Errors

All errors have the same format, the schema `Error`. Use `error.code` in programs, show `error.message` to users, and \
quote `error.request_id` (also in the header `X-Request-Id`) when you report a problem.

{errors}
Unknown paths are 404; known paths with another method are 405. Health routes and documents also answer `HEAD`. An id \
in a path that is not a UUID is 404. Resources that you may not see are 404 as well, not 403.

## Ids, times, texts

Ids are UUIDs in hyphenated form. Times are RFC 3339 in UTC with milliseconds: `{moment}`. Texts are returned as they \
were sent, without escaping or trimming. Lengths are counted in Unicode characters. Control characters other than line \
breaks and tabs are rejected.

## Order of events

`seq` numbers all events of a conversation, starting at 1, without gaps or duplicates. Sort by `seq`, not by \
`created_at`. If you notice a gap, events are missing: get them with \
`GET /api/conversations/{{conversation_id}}/events`.

## Pagination

Lists take either `page` or `cursor`, and a page size of 1 to 100. If there are more items, the response contains a \
`next_cursor`: pass it as `cursor` to get the next page. Unlike page numbers, cursors stay correct when items are \
added, and have no depth limit (page numbers end after 10,000 items). Cursors are opaque and only valid for the same \
list.

A response has at most 5 MB. A page of very large items has fewer of them than requested; `has_next` and `next_cursor` \
(for events `has_more` and `next`) tell that there are more. Continue with `next_cursor`: the next page number would \
skip the items that were left out.

## Rate limits

Per user and minute: {sends} sends, {uploads} uploads, {requests} requests, {connects} connection attempts. Per \
connection: {frames} frames per second. Each limit is a sliding window. `X-RateLimit-Limit`, `X-RateLimit-Remaining` \
and `X-RateLimit-Reset` (seconds since 1970) describe the limit that is closest to being reached. If a limit is \
exceeded, the response is 429 with `Retry-After`. An installation may have other limits, or none. Routes \
without a token have limits for everybody together, beyond which the response is 429 `{{\"message\": …}}`.

## Idempotency

Send every message with a `client_message_id` of your choice (1 to 128 visible ASCII characters), or with the header \
`Idempotency-Key`. If you repeat a request with the same id, nothing is sent twice: the response is the first message \
in its current state, with the header `Idempotency-Replayed: true`. The same id with other content is 422 \
`IDEMPOTENCY_KEY_REUSED`. Contents are compared as JSON values: the order of an object's members does not matter.

All other routes that create something take the header too: groups, files, notifications, exports, grants. Routes that \
cannot honour a key refuse it with 422.

## Versions

Routes that return an `ETag` evaluate `If-Match` and `If-None-Match` with every method before they do anything \
(RFC 9110 §13): the response is 412, or 304 for GET, which then marks nothing as read. There is no `Last-Modified`; \
conditions on dates are ignored.

## Headers

All responses have `X-Request-Id`, `Strict-Transport-Security`, `X-Content-Type-Options: nosniff`, \
`X-Frame-Options: DENY` and a `Content-Security-Policy`. Data is not cached: `Cache-Control: no-store`. Documents are \
compressed for clients that accept gzip, and may be cached for five minutes.
",
        errors = errors::table(),
        moment = errors::MOMENT,
        sends = limits.sends_per_minute,
        uploads = limits.uploads_per_minute,
        requests = limits.requests_per_minute,
        connects = limits.connects_per_minute,
        frames = limits.frames_per_second,
    )
}
