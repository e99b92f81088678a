//! The examples in the API documents, all about one photograph.

use serde_json::{Value, json};
pub(crate) use shared::examples::*;

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
