//! The prose of the AsyncAPI document.

use serde_json::{Value, json};
use shared::config::Limits;
use shared::domain::frame::{ErrorFrame, FRAME_LIMIT_BYTES};
use shared::store::rates::MOST_REFUSALS;

/// The four ways to authenticate.
pub(super) const CREDENTIALS: &str = "\
The handshake needs one credential, in one of four ways:\n\n\
1. `?ticket=<ticket>`: a ticket from `POST /api/v1/auth/ws-ticket`; good for one connection within 30 seconds. Recommended \
for browsers.\n\
2. `Authorization: Bearer <JWT>`: for clients that can set headers.\n\
3. `Sec-WebSocket-Protocol: bearer, <JWT>`: for browsers without a ticket: `new WebSocket(url, ['bearer', token])`.\n\
4. `?token=<JWT>`: if nothing else works; note that URLs end up in logs.\n\n\
The handshake is refused with 401 if the credential is invalid, and with 429 after too many attempts.";

/// The description of the whole.
pub(super) fn front_page() -> String {
    let limits = Limits::default();
    format!(
        "The WebSocket API of Tidings: JSON frames between a client and the server over one connection. The HTTP API is \
described in [`/openapi.json`](/openapi.json).

This document describes the **server**: operations with `action: receive` are frames that a client sends, operations \
with `action: send` are frames that a client receives.

## How a client works

1. Connect with a credential. A user may have several connections; each receives all frames.
2. Send `resume` with the last token you have, from `GET /api/events` or the previous `resumed`. The missed frames are \
sent in order, followed by `resumed` with the next token. While its `has_more` is true, send `resume` again with that \
token.
3. Process frames as they arrive. They are delivered at least once: recognize duplicates by `id` and `seq`, and sort \
by `seq`.
4. If you notice a gap in the `seq` of a conversation, get the missing events with \
`GET /api/conversations/{{conversation_id}}/events`.
5. Send `ping` every few minutes, and reconnect when the connection is closed: after two hours at the latest, or when \
the token expires.

## Rules

All frames are JSON objects with a `type`; frames about resources also have a `namespace`. Ignore unknown fields: more \
may be added. Limits per connection: {frames} frames per second and {resumes} `resume` frames per minute; per user: \
{connects} connection attempts per minute. A connection that is refused with 4008 {refusals} times within a minute is \
closed. Frames are at most {kilobytes} KB: a larger one is sent as `truncated`, and the client fetches the rest. \
Messages are sent over HTTP.

Errors are frames of type `error`. After code 4001 the server closes the connection.",
        frames = limits.frames_per_second,
        resumes = limits.resumes_per_minute,
        refusals = MOST_REFUSALS,
        connects = limits.connects_per_minute,
        kilobytes = FRAME_LIMIT_BYTES / 1024,
    )
}

/// The parameters of the handshake.
pub(super) fn handshake() -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description });
    json!({
        "bindingVersion": "0.1.0",
        "method": "GET",
        "query": { "type": "object", "properties": {
            "ticket": text("A ticket from `POST /api/v1/auth/ws-ticket`."),
            "token": text("A JSON Web Token.")
        } },
        "headers": { "type": "object", "properties": {
            "Authorization": text("`Bearer <JWT>`"),
            "Sec-WebSocket-Protocol": text("`bearer, <JWT>`; the server chooses `bearer`, as it was spelled.")
        } }
    })
}

/// The four ways in machine-readable form.
pub(super) fn security_schemes() -> Value {
    let in_query = |name: &str, description: &str| json!({ "type": "httpApiKey", "in": "query", "name": name, "description": description });
    json!({
        "ticket": in_query("ticket", "A ticket for one connection."),
        "token": in_query("token", "A JSON Web Token."),
        "header": {
            "type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "A JSON Web Token."
        },
        "protocol": {
            "type": "httpApiKey",
            "in": "header",
            "name": "Sec-WebSocket-Protocol",
            "description": "`bearer, <JWT>`"
        }
    })
}

/// The description of error frames.
pub(super) fn errors(frames: &[ErrorFrame]) -> String {
    let row = |frame: &ErrorFrame| {
        let advice = match frame.code {
            4001 => "The token has expired, and the connection is closed. Connect again with a new token.",
            4003 => "The frame is not valid: it is not JSON, lacks a field or has an unknown `type`.",
            4004 => "The conversation or message does not exist, or you are not a member.",
            4008 => {
                "A rate limit is exceeded, and the frame was ignored. If this happens too often, the connection is closed."
            }
            4013 => "The service is temporarily unavailable. Try again later.",
            _ => "See the message.",
        };
        format!("| {} | `{}` | {advice} |\n", frame.code, frame.name)
    };
    let rows: String = frames.iter().map(row).collect();
    format!("A frame that you sent was refused.\n\n| Code | Name | Meaning |\n|---|---|---|\n{rows}")
}
