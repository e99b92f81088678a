//! The examples in the API documents, all about one photograph.

use serde_json::{Value, json};

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
