//! The examples in the API documents, all from one conversation between Ada and Bob.

use serde_json::{Value, json};
pub(crate) use shared::examples::*;

pub(crate) fn message() -> Value {
    json!({
        "id": MESSAGE,
        "conversation_id": CONVERSATION,
        "seq": 1,
        "sender_id": ADA,
        "sender_username": "ada",
        "content": "Hello, Bob!",
        "content_type": "text",
        "client_message_id": CLIENT_MESSAGE_ID,
        "created_at": "2026-01-15T10:30:00.000Z",
        "updated_at": "2026-01-15T10:30:00.000Z",
        "is_deleted": false,
        "is_read": false,
        "read_by": [],
        "read_count": 0
    })
}

fn participant(user_id: &str, username: &str, display_name: &str) -> Value {
    json!({
        "user_id": user_id,
        "username": username,
        "display_name": display_name,
        "avatar_url": null,
        "role": "member",
        "joined_at": "2026-01-15T10:29:00.000Z",
        "is_active": true,
        "last_read_message_id": null
    })
}

pub(crate) fn conversation() -> Value {
    json!({
        "id": CONVERSATION,
        "is_group": false,
        "name": null,
        "description": null,
        "created_at": "2026-01-15T10:29:00.000Z",
        "updated_at": "2026-01-15T10:30:00.000Z",
        "last_message_at": "2026-01-15T10:30:00.000Z",
        "participants": [participant(ADA, "ada", "Ada Lovelace"), participant(BOB, "bob", "Bob Noyce")],
        "participant_count": 2,
        "last_message": message(),
        "unread_count": 0,
        "last_seq": 1
    })
}

pub(crate) fn new_message() -> Value {
    json!({
        "type": "new_message",
        "namespace": "conversations",
        "conversation_id": CONVERSATION,
        "seq": 1,
        "message": message()
    })
}
