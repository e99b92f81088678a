//! The examples in the API documents.

use serde_json::{Value, json};

pub(crate) const ADA: &str = "11111111-1111-4111-8111-111111111111";
pub(crate) const TRANSACTION: &str = "0198f0c4-1a2b-7c3d-8e4f-5a6b7c8d9e0f";

pub(crate) fn debit() -> Value {
    json!({
        "id": TRANSACTION,
        "type": "debit",
        "amount": -1,
        "balance_after": 99,
        "message_id": "6f1d2c3b-4a59-5e68-8f77-869584736251",
        "reason": "message sent",
        "created_at": "2026-01-15T10:30:00.000Z"
    })
}
