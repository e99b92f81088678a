//! What people read in the document beside what the types say.

mod administration;
mod boxes;
mod people;

use shared::config::Limits;
use shared::http::{Entry, Route};
use shared::store::rates::Bucket;

use super::errors;

/// How the token is checked.
pub(super) const BEARER: &str = "\
A JSON Web Token in `Authorization: Bearer <token>`. `sub` (a UUID) says who is calling and `exp` until when; \
both are required, and `iat` should be there. `name`, `username`, `email`, `avatar_url`, `roles`, `permissions` and \
`business_unit` describe the person. Tokens are HS256, or RS256/ES256 where a key set is configured; `none` is \
refused, and half a minute of clock skew is forgiven. The first call of a `sub` creates its profile; later calls \
refresh it.";

/// What the types of a route cannot say.
pub(super) struct Note {
    /// Sentences for its description.
    text: &'static str,
    /// Statuses with which it refuses beyond those that its types bring about.
    pub(super) refusals: &'static [u16],
}

/// The note on a route, if there is one.
pub(super) fn note(name: &str) -> Option<Note> {
    let (text, refusals): (_, &[u16]) = match name {
        "open_direct_conversation" => (
            "There is exactly one direct conversation per pair of people. Its id follows from the two, so both may \
             open it at the same moment and meet in the same one. Oneself is no partner (422), and an unknown \
             user is 404.",
            &[422],
        ),
        "create_conversation" => (
            "The caller becomes the group's admin. Naming somebody twice, or oneself, does no harm. All members \
             get a `conversation_created` frame.",
            &[],
        ),
        "list_conversations" => ("Ordered by last activity, newest first.", &[]),
        "list_messages" => (
            "Newest first, deleted messages as tombstones with `content: null`. `before_seq` and `after_seq` \
             look at one part of the log and exclude each other; `after_seq` turns the order round.",
            &[],
        ),
        "send_message" => (
            "The answer means that the message is stored **and** its delivery to every connection of every member \
             is queued. If no answer comes, send again with the same `client_message_id`: the message stays \
             one message.",
            &[],
        ),
        "delete_message" => (
            "Only the sender may delete a message; for another member that is 403. The message keeps its place in the \
             log without its content. Deleting it again is 204 again.",
            &[403],
        ),
        "mark_conversation_read" => (
            "Everything up to and including the message counts as read. The mark never moves back: an older \
             message changes nothing, and the answer says where the caller really stands.",
            &[],
        ),
        "list_conversation_events" => (
            "The conversation's log, each event as the frame that was pushed, in order of `seq`. To close a hole, ask \
             with the last `seq` before it, and go on from the last event's `seq` while `has_more`.",
            &[],
        ),
        "sync_events" => (
            "Everything that happened in any of the caller's conversations since a token. Call it once without \
             `after` to get a token for \"now\", then always with the last `next`. With `wait` the answer is held \
             back until something happens or the seconds are over. `recovered: false` means that the token is too \
             old for a complete answer: list the conversations afresh and go on from `next`.",
            &[],
        ),
        "create_file" => (
            "The answer is a form: post `upload.fields`, then the bytes as the field `file`, as `multipart/form-data` \
             to `upload.url`, without a token and before `expires_at`. The storage refuses another type, an empty \
             file and one that is larger than `size_bytes`. Then complete the file.",
            &[],
        ),
        "complete_file" => (
            "Has a look at what was uploaded. If its first bytes are not those of `content_type`, it is removed: 422. \
             Before anything was uploaded it is 409. From now on messages may bring the file along; a file that none \
             does is removed after a day. Completing it again changes nothing.",
            &[409, 422],
        ),
        "get_file" => (
            "For the owner, and for whoever takes part in a conversation in which a message brings the file along \
             that is not deleted. For everybody else it does not exist: 404. `url` works without a token, for a few \
             minutes, and always as a download.",
            &[],
        ),
        "create_ws_ticket" => (
            "A browser cannot set headers on a WebSocket handshake, and a token in a URL ends up in logs. A ticket \
             opens one connection and is worthless afterwards.",
            &[],
        ),
        "get_readiness" => (
            "Touches the table, the queues and the bucket; 503 if one does not answer.",
            &[],
        ),
        _ => {
            return boxes::note(name)
                .or_else(|| people::note(name))
                .or_else(|| administration::note(name));
        }
    };
    Some(Note { text, refusals })
}

/// The description of an operation.
pub(super) fn operation(entry: &Entry, path: &str, has_answer: bool) -> String {
    let route = &entry.route;
    let mut paragraphs: Vec<String> = note(route.name)
        .into_iter()
        .map(|note| note.text.to_owned())
        .collect();
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
    let who = if entry.is_public {
        "Anyone may call this; a token is not looked at."
    } else if let Some(permission) = entry.route.needs {
        return format!(
            "For callers whose token allows `{}`; others get 403.",
            permission.as_str()
        );
    } else if entry.route.path.contains("{conversation_id}") {
        "For members of the conversation. For everybody else it does not exist: 404."
    } else {
        "For everybody with a valid token."
    };
    who.to_owned()
}

/// Which limits a request counts towards.
fn counts(buckets: &[Bucket]) -> Option<String> {
    let limits = Limits::default();
    let limit = |bucket: &Bucket| match bucket {
        Bucket::Requests => format!("the {} requests per minute", limits.requests_per_minute),
        Bucket::Sends => format!("the {} sends per minute", limits.sends_per_minute),
        Bucket::Connects => format!(
            "the {} connection attempts per minute",
            limits.connects_per_minute
        ),
        Bucket::Frames => format!("the {} frames per second", limits.frames_per_second),
        Bucket::Resumes => format!("the {} resumes per minute", limits.resumes_per_minute),
        Bucket::Resuming => "the one resume at a time".to_owned(),
        Bucket::Refusals => "the refused frames".to_owned(),
        Bucket::Uploads => format!("the {} uploads per minute", limits.uploads_per_minute),
    };
    let limits: Vec<String> = buckets.iter().map(limit).collect();
    (!limits.is_empty()).then(|| format!("Counts towards {} of the caller.", limits.join(" and ")))
}

/// What a status of success means.
pub(super) fn success(entry: &Entry, status: u16) -> String {
    let text = match status {
        201 => "It was made.",
        202 => "It is queued.",
        204 => "Done. There is no body.",
        _ if entry.route.also == Some(status) && entry.route.success == 201 => "It was there already.",
        _ => "Done.",
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
A path that nobody serves is 404, a method that the path does not have is 405. An id in a path that is no UUID names \
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
reach the end.

## Rate limits

{sends} sends, {uploads} uploads and {requests} requests per minute and user, {connects} connection attempts per \
minute and user, {frames} frames per second and connection: sliding windows, each on its own. `X-RateLimit-Limit`, \
`X-RateLimit-Remaining` and `X-RateLimit-Reset` (seconds since 1970) describe the strictest of them; a refusal is \
429 with `Retry-After`. An installation may set other numbers, or none.

## Sending once

Give every send a `client_message_id` of your own (1 to 128 visible ASCII characters; the header `Idempotency-Key` \
says the same). Sent again under the same id, a message is not sent again: the first one comes back, as it is now, \
with `Idempotency-Replayed: true`. The same id with other content is 422 `IDEMPOTENCY_KEY_REUSED`.

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
