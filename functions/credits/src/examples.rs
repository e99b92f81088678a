//! The examples in the API documents.

use serde_json::{Value, json};
pub(crate) use shared::examples::*;

pub(crate) fn debit() -> Value {
    json!({
        "id": TRANSACTION,
        "type": "debit",
        "amount": -1,
        "balance_after": 99,
        "message_id": MESSAGE,
        "reason": "message sent",
        "created_at": "2026-01-15T10:30:00.000Z"
    })
}
