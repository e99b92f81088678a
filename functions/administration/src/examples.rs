//! The examples in the API documents.

use serde_json::{Value, json};
pub(crate) use shared::examples::*;

pub(crate) fn message() -> Value {
    json!({
        "id": MESSAGE,
        "conversation_id": CONVERSATION,
        "seq": 1,
        "sender_id": ADA,
        "receiver_id": BOB,
        "content": "Hello, Bob!",
        "message_type": "text",
        "status": "sent",
        "moderation_status": "approved",
        "delivered_at": null,
        "read_at": null,
        "attachments": [],
        "metadata": {},
        "credits_cost": 0,
        "credits_transaction_id": null,
        "is_deleted": false,
        "deleted_at": null,
        "created_at": "2026-01-15T10:30:00.000Z",
        "updated_at": "2026-01-15T10:30:00.000Z"
    })
}

pub(crate) fn audit_entry() -> Value {
    json!({
        "id": "019bc150-9f2a-7d11-9c3e-4b5a69788796",
        "at": "2026-01-15T10:31:00.000Z",
        "actor": { "id": MODERATOR, "email": "mo@example.org", "roles": ["moderator"] },
        "action": "messages.moderate",
        "target": { "type": "message", "id": MESSAGE },
        "before": { "moderation_status": "approved" },
        "after": { "moderation_status": "blocked" },
        "metadata": { "conversation_id": CONVERSATION, "seq": 1, "sender_id": ADA, "reason": "An insult" },
        "severity": "warning",
        "previous_hash": "0000000000000000000000000000000000000000000000000000000000000000",
        "hash": "7d2f0b8c5a4e6913d0c7b8a9f1e2d3c4b5a6978877665544332211009f8e7d6c"
    })
}

pub(crate) fn file() -> Value {
    json!({
        "file_id": FILE,
        "filename": "harbour.jpg",
        "content_type": "image/jpeg",
        "size_bytes": 482_113,
        "status": "complete",
        "created_at": "2026-01-15T10:30:00.000Z"
    })
}
