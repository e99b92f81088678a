//! What people read in the document beside what the types say.

use shared::config::Limits;
use shared::http::{Entry, Route};
use shared::store::rates::Bucket;

use super::errors;

/// How the token is checked.
pub(super) const BEARER: &str = "\
A JSON Web Token in `Authorization: Bearer <token>`. `sub` (a UUID) says who is calling and `exp` until when; \
both are required, and `iat` should be there. `name`, `username`, `email`, `avatar_url`, `roles`, `permissions` and \
`business_unit` describe the person. Tokens are HS256, or RS256/ES256 where a key set is configured; `none` is \
refused, and half a minute of clock skew is forgiven. Times may have fractions. An optional claim of another type, or \
that is too long or holds control characters, counts as absent: names have at most 100 characters, `avatar_url` 2,048 \
(http or https), `business_unit` 64. The first call of a `sub` creates its profile; later calls refresh it by the \
claims that their token has, unless it was issued (`iat`) before the one that the profile is of.";

/// The description of an operation.
pub(super) fn operation(entry: &Entry, path: &str, has_answer: bool) -> String {
    let route = &entry.route;
    let described = Some(route.description).filter(|text| !text.is_empty());
    let mut paragraphs: Vec<String> = described.map(str::to_owned).into_iter().collect();
    paragraphs.push(who(entry));
    if let Some(counts) = counts(route.buckets).filter(|_| !entry.is_public) {
        paragraphs.push(counts);
    }
    if path != route.path {
        paragraphs.push(format!("The same as `{} {}`.", route.method.as_str(), route.path));
    }
    if has_answer && Route::is_enveloped(path) {
        paragraphs.push("The answer comes in the envelope `{success, data, error}`.".to_owned());
    }
    paragraphs.join("\n\n")
}

fn who(entry: &Entry) -> String {
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

/// Which limits a request counts towards.
fn counts(buckets: &[Bucket]) -> Option<String> {
    let limits = Limits::default();
    let limit = |bucket: &Bucket| match bucket {
        Bucket::Requests => format!("{} requests per minute", limits.requests_per_minute),
        Bucket::Sends => format!("{} sends per minute", limits.sends_per_minute),
        Bucket::Connects => format!("{} connection attempts per minute", limits.connects_per_minute),
        Bucket::Frames => format!("{} frames per second", limits.frames_per_second),
        Bucket::Resumes => format!("{} resumes per minute", limits.resumes_per_minute),
        Bucket::Resuming => "one resume at a time".to_owned(),
        Bucket::Refusals => "refused frames".to_owned(),
        Bucket::Uploads => format!("{} uploads per minute", limits.uploads_per_minute),
    };
    let limits: Vec<String> = buckets.iter().map(limit).collect();
    (!limits.is_empty()).then(|| format!("Rate limits: {}.", limits.join(", ")))
}

/// What a status of success means.
pub(super) fn success(entry: &Entry, status: u16) -> String {
    let text = match status {
        201 => "Created.",
        202 => "Accepted; a worker will do it.",
        204 => "Done; no body.",
        _ if entry.route.also == Some(status) && entry.route.success == 201 => "It exists already.",
        _ => "Success.",
    };
    text.to_owned()
}

/// The description of the whole.
pub(super) fn front_page() -> String {
    let limits = Limits::default();
    format!(
        "Tidings carries messages between people. What you send is stored once, in the log of its conversation, \
and pushed to every device of every member. This page covers HTTP; what comes over the WebSocket is in \
[`/asyncapi.json`](/asyncapi.json).

## First steps

1. Get a token from your issuer and look at yourself: `GET /api/v1/users/me`.
2. Open a conversation: `POST /api/conversations/dm/{{other_user_id}}`.
3. Say something: `POST /api/conversations/{{conversation_id}}/messages` with `{{\"content\": \"Hello!\"}}`.
4. Hear the answer: over the WebSocket, or with `GET /api/events?wait=25`.

## Families

The path decides one thing only: how a success is wrapped.

| Paths | A success is |
|---|---|
| `/api/v1/…` | `{{\"success\": true, \"data\": …, \"error\": null}}` |
| everything else | the bare data |

Every `/api/conversations…` route also answers under `/api/v1/conversations…`: one implementation, with the envelope. \
A trailing slash means nothing. Unknown fields in a request are ignored; unknown values of an enumeration are refused.

## Errors

Errors have one shape everywhere, the schema `Error`, so one parser will do. Branch on `error.code`; show \
`error.message`; quote `error.request_id`, which is also the header `X-Request-Id`.

{errors}
A path that nobody serves is 404, a method that the path does not have is 405. `HEAD` answers on health routes and \
documents. An id in a path that is no UUID names \
nothing: 404. What you may not know of is 404 too, never 403.

## Ids, times, texts

Ids are UUIDs in hyphenated form. Times are RFC 3339 in UTC with milliseconds: `{moment}`. Texts come back as they \
were sent, nothing is escaped or trimmed; lengths count Unicode characters, and control characters other than line \
ends and tabs are refused.

## Order

`seq` numbers everything that happens in a conversation, from 1, without gaps and without repeats. Order by `seq`, not \
by `created_at`. A hole in what you received means that something is missing: fetch it from \
`GET /api/conversations/{{conversation_id}}/events`.

## Pages

Lists take `page` and a page size of 1 to 100, and always also `cursor`. A list answers with `next_cursor`: hand it \
back to go on, until it is null. Cursors keep their place while the list grows, page numbers do not. Cursors are \
opaque and signed; do not read them or keep them for another list. Page numbers reach 10,000 items deep, cursors \
reach the end. No answer has more than 5 MB: a page of very large items holds fewer of them than was asked for, and \
`has_next` and `next_cursor` say that there is more (`has_more` and `next` for events). The next page number would \
pass over what was left out; `next_cursor` does not.

## Rate limits

{sends} sends, {uploads} uploads and {requests} requests per minute and user, {connects} connection attempts per \
minute and user, {frames} frames per second and connection: sliding windows, each on its own. `X-RateLimit-Limit`, \
`X-RateLimit-Remaining` and `X-RateLimit-Reset` (seconds since 1970) describe the strictest of them; a refusal is \
429 with `Retry-After`. An installation may set other numbers, or none.

## Sending once

Give every send a `client_message_id` of your own (1 to 128 visible ASCII characters; the header `Idempotency-Key` \
says the same). Sent again under the same id, a message is not sent again: the first one comes back, as it is now, \
with `Idempotency-Replayed: true`. The same id with other content is 422 `IDEMPOTENCY_KEY_REUSED`; contents are \
compared as values, so the order of an object's members means nothing. Whatever else makes something takes the header \
too: groups, files, notifications, exports, grants. Where a key could promise nothing, it is refused with 422.

## Versions

What hands out an `ETag` evaluates `If-Match` and `If-None-Match` on every method before it does anything (RFC 9110 \
§13): 412, or 304 for a GET, which then marks nothing as read. There is no `Last-Modified`, so the conditions on dates \
are ignored.

## Headers

Every answer carries `X-Request-Id`, `Strict-Transport-Security`, `X-Content-Type-Options: nosniff`, \
`X-Frame-Options: DENY` and a `Content-Security-Policy`. Data is never cached: `Cache-Control: no-store`.
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
