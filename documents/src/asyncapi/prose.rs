//! What people read in the document of the WebSocket beside what the types say.

use serde_json::{Value, json};
use shared::config::Limits;
use shared::domain::frame::{ErrorFrame, FRAME_LIMIT_BYTES};
use shared::store::rates::MOST_REFUSALS;

/// The four ways to say who one is.
pub(super) const CREDENTIALS: &str = "\
The handshake wants one credential, in one of four ways:\n\n\
1. `?ticket=<ticket>`: a ticket from `POST /api/v1/auth/ws-ticket`; good for one connection within 30 seconds. The best \
way for browsers.\n\
2. `Authorization: Bearer <JWT>`: for clients that can set headers.\n\
3. `Sec-WebSocket-Protocol: bearer, <JWT>`: for browsers without a ticket: `new WebSocket(url, ['bearer', token])`.\n\
4. `?token=<JWT>`: where nothing else works; mind that URLs end up in logs.\n\n\
A bad credential is refused in the handshake with 401, too many attempts with 429.";

/// The description of the whole.
pub(super) fn front_page() -> String {
    let limits = Limits::default();
    format!(
        "Frames between a client and Tidings, as JSON text over one WebSocket. The HTTP API, with all that can be \
fetched and sent, is in [`/openapi.json`](/openapi.json).

This document describes the **server**: operations with `action: receive` are frames that a client sends, operations \
with `action: send` are frames that a client gets. A client does the opposite.

## A client's life

1. Connect with a credential; several connections per person are fine, and each gets everything.
2. Send `resume` with the last token you kept, from `GET /api/events` or the `resumed` before. The missed frames come \
in order, then `resumed` with the next token. While it says `has_more`, send `resume` again with that token.
3. Take frames as they come. They arrive at least once: `id` and `seq` make a repeat visible. Order by `seq`.
4. A hole in the `seq` of a conversation means that something is missing: fetch it from \
`GET /api/conversations/{{conversation_id}}/events`.
5. Send `ping` every few minutes, and connect again when the connection ends: at the latest after two hours, or with \
the token.

## Rules

Every frame is a JSON object with `type`; a frame that names something has `namespace`. Unknown fields are ignored, in \
both directions: there will be more of them. A client may send {frames} frames per second and {resumes} `resume`s per \
minute over a connection, and connect {connects} times per minute. A connection that is refused with 4008 {refusals} \
times within a minute is closed. No frame is over {kilobytes} KB: a larger one comes `truncated`, and the client fetches the rest. Messages \
are sent over HTTP, not here: an answer of 2xx there means that they are stored and on their way.

An error is a frame of type `error`. After code 4001 the server ends the connection.",
        frames = limits.frames_per_second,
        resumes = limits.resumes_per_minute,
        refusals = MOST_REFUSALS,
        connects = limits.connects_per_minute,
        kilobytes = FRAME_LIMIT_BYTES / 1024,
    )
}

/// What the handshake takes.
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

/// The four ways as a program reads them.
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

/// What becomes of a client's frame.
pub(super) fn of_client(key: &str) -> &'static str {
    match key {
        "typing" => {
            "The other members get a `typing` frame. It is stored nowhere. At most one `true` per three seconds goes \
             out for one person in one conversation, and one `false` for each `true` that went out. Send `true` again \
             while somebody goes on typing: it holds for eight seconds."
        }
        "mark_read" => {
            "Everything up to and including the message counts as read; the mark never moves back. All members get \
             `message_read`, this connection included; in groups of more than 100 members the reader's own connections."
        }
        "resume" => {
            "The first of the missed frames come in order, 200 or 256 KB of them at the most, then `resumed`; while that \
             says `has_more`, send `resume` again with its `next`. One at a time per connection: another one \
             meanwhile is refused with 4008. A token older than 30 days, or with more than 10,000 \
             events since, cannot be answered in full: then nothing but `resumed` comes, with `recovered: false`."
        }
        _ => "Handled by the server.",
    }
}

/// When a frame of the server comes.
pub(super) fn of_server(name: &str) -> &'static str {
    match name {
        "conversation_created" => "Goes to every connection of every member, the one who opened it included.",
        "new_message" => {
            "Goes to every connection of every member, the sender's included, so that all devices agree. \
             `unread_count` is the receiver's own; the frame with the largest `seq` says how things stand."
        }
        "message_deleted" => "The message keeps its place in the log; its content is gone.",
        "message_moderated" => {
            "Goes to every connection of every member. `message` is as it is now: without content while it is \
             blocked, with it again once it is approved."
        }
        "message_read" => {
            "Goes to every connection of every member; in groups of more than 100 members to the reader's own alone. \
             `unread_count` is there on the reader's own connections only."
        }
        "inbox_new_message" => {
            "Goes to every connection of the recipient. `unread_count` counts the mails that are unread and not archived, \
             as in every frame of `inbox`. A mail that does not fit into a frame comes as `truncated`."
        }
        "inbox_message_read" => "Goes to the reader's own connections; the sender does not hear of it.",
        "message_updated" => {
            "Goes to the connections of whoever changed their flags. Forget it if you know a higher `version`."
        }
        "inbox_message_deleted" => {
            "The mail has left your box. The other side keeps theirs, and is not told."
        }
        "messages_bulk_updated" => "One frame for all. `changes` holds for each of the mails.",
        "new_notification" => {
            "Goes to every connection of whom it is for. `unread_count` counts all notifications that are unread, as \
             in every frame of `notifications`."
        }
        "notification_read" | "notification_deleted" => "Goes to your own connections.",
        "notifications_bulk_read" => {
            "One frame for all. With `all` every notification is read that there was, and no id is named."
        }
        "typing" => {
            "Goes to the other members. A start is over after `expires_in_ms`, unless another one comes: the `false` may \
             never come."
        }
        "resumed" => {
            "The end of what `resume` asked for. Keep `next` for the next time, which is at once while there `has_more`."
        }
        "pong" => "The answer to `ping`.",
        "truncated" => {
            "`type` says which frame it stands for. The ids are there and the content is not: fetch it over HTTP."
        }
        _ => "Sent by the server.",
    }
}

/// The description of error frames.
pub(super) fn errors(frames: &[ErrorFrame]) -> String {
    let row = |frame: &ErrorFrame| {
        let advice = match frame.code {
            4001 => "The token has expired; the connection ends now. Connect again with a new one.",
            4003 => "Mend the frame: it is no JSON, misses a field or has an unknown `type`.",
            4004 => "There is no such conversation or message, or you are no member.",
            4008 => "Slow down: the frame was not looked at. Whoever goes on is disconnected.",
            4013 => "Nothing was done, or nothing is known to have been done. Try again a little later.",
            _ => "See the message.",
        };
        format!("| {} | `{}` | {advice} |\n", frame.code, frame.name)
    };
    let rows: String = frames.iter().map(row).collect();
    format!(
        "The last frame of this connection came to nothing.\n\n| Code | Name | What to do |\n|---|---|---|\n{rows}"
    )
}
