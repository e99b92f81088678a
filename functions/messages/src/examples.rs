//! The examples in the API documents, all between Ada and Bob.

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
        "credits_cost": 1,
        "credits_transaction_id": TRANSACTION,
        "is_deleted": false,
        "deleted_at": null,
        "created_at": "2026-01-15T10:30:00.000Z",
        "updated_at": "2026-01-15T10:30:00.000Z"
    })
}
