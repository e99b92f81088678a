//! The examples in the API documents, all about Bob's notifications.

use serde_json::{Value, json};
pub(crate) use shared::examples::*;

/// The notification about Ada's mail.
pub(crate) fn notification() -> Value {
    json!({
        "id": NOTIFICATION,
        "user_id": BOB,
        "message_id": MAIL,
        "type": "new_message",
        "content": "New message from Ada Lovelace: The engine",
        "is_read": false,
        "read_at": null,
        "created_at": "2026-01-15T10:30:00.000Z"
    })
}

/// The same notification, read.
pub(crate) fn read() -> Value {
    but(
        notification(),
        json!({ "is_read": true, "read_at": "2026-01-15T10:31:00.000Z" }),
    )
}

/// The text of a system notification.
pub(crate) const ALERT: &str = "The system rests tonight at 23:00 UTC.";

/// A notification from the system.
pub(crate) fn alert() -> Value {
    but(
        notification(),
        json!({ "message_id": null, "type": "maintenance", "content": ALERT }),
    )
}

/// An object with some fields replaced.
fn but(mut object: Value, changes: Value) -> Value {
    if let (Some(fields), Value::Object(changes)) = (object.as_object_mut(), changes) {
        fields.extend(changes);
    }
    object
}
