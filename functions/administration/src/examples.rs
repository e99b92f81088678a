//! The examples in the API documents.

use serde_json::{Value, json};

pub(crate) const ADA: &str = "11111111-1111-4111-8111-111111111111";
pub(crate) const BOB: &str = "22222222-2222-4222-8222-222222222222";
pub(crate) const MODERATOR: &str = "33333333-3333-4333-8333-333333333333";
pub(crate) const CONVERSATION: &str = "0b8f1c1e-5d3a-5f62-9a57-3f0c5a8e7d11";
pub(crate) const MESSAGE: &str = "6f1d2c3b-4a59-5e68-8f77-869584736251";
pub(crate) const EXPORT: &str = "019bc151-2b40-7c3d-8e21-5a6b7c8d9e0f";

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

pub(crate) const FILE: &str = "019bc110-7a40-7c3e-9d52-6f1e8a0b4c27";

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
