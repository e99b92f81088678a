//! The examples in the API documents, all between Ada and Bob.

use serde_json::{Value, json};

pub(crate) const ADA: &str = "11111111-1111-4111-8111-111111111111";
pub(crate) const BOB: &str = "22222222-2222-4222-8222-222222222222";
pub(crate) const MESSAGE: &str = "6f1d2c3b-4a59-5e68-8f77-869584736251";

pub(crate) fn message() -> Value {
    json!({
        "id": MESSAGE,
        "conversation_id": "0b8f1c1e-5d3a-5f62-9a57-3f0c5a8e7d11",
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
        "credits_cost": 1,
        "credits_transaction_id": "0198f0c4-1a2b-7c3d-8e4f-5a6b7c8d9e0f",
        "is_deleted": false,
        "deleted_at": null,
        "created_at": "2026-01-15T10:30:00.000Z",
        "updated_at": "2026-01-15T10:30:00.000Z"
    })
}
