//! The examples in the API documents, all about one mail from Ada to Bob.

use serde_json::{Value, json};
pub(crate) use shared::examples::*;

/// The mail as Bob sees it.
pub(crate) fn mail() -> Value {
    json!({
        "id": MAIL,
        "sender": { "id": ADA, "name": "Ada Lovelace", "avatar_url": null },
        "recipient": { "id": BOB, "name": "Bob Noyce", "avatar_url": null },
        "subject": "The engine",
        "body": "It weaves algebraic patterns.",
        "moderation_status": "approved",
        "is_deleted": false,
        "is_read": false,
        "is_starred": false,
        "is_archived": false,
        "read_at": null,
        "created_at": "2026-01-15T10:30:00.000Z",
        "updated_at": "2026-01-15T10:30:00.000Z",
        "version": 1
    })
}

/// The mail as Ada, the sender, sees it.
pub(crate) fn sent() -> Value {
    but(mail(), json!({ "is_read": true }))
}

/// The mail after Bob has read it and starred it.
pub(crate) fn starred() -> Value {
    let changes = json!({
        "is_read": true,
        "read_at": "2026-01-15T10:31:00.000Z",
        "is_starred": true,
        "updated_at": "2026-01-15T10:32:00.000Z",
        "version": 3
    });
    but(mail(), changes)
}

/// An object with some fields replaced.
fn but(mut object: Value, changes: Value) -> Value {
    if let (Some(fields), Value::Object(changes)) = (object.as_object_mut(), changes) {
        fields.extend(changes);
    }
    object
}
