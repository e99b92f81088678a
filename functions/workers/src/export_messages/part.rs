//! A part of an export while it is written: the same messages as JSON Lines and as CSV, each a gzip file of its own.
//!
//! The CSV has the scalar fields of a message, with a header, as RFC 4180 has it. Its texts are as they were written:
//! one that begins with `=` is not changed, because a file for programs must not differ from what people wrote. Whoever
//! opens it with a spreadsheet imports the column `content` as text.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};
use shared::domain::audit::hex;
use shared::domain::message_v2::MessageV2;
use shared::{Error, Result};

/// The columns, which are fields of [`MessageV2`].
pub(super) const COLUMNS: [&str; 17] = [
    "id",
    "conversation_id",
    "seq",
    "sender_id",
    "receiver_id",
    "content",
    "message_type",
    "status",
    "moderation_status",
    "delivered_at",
    "read_at",
    "credits_cost",
    "credits_transaction_id",
    "is_deleted",
    "deleted_at",
    "created_at",
    "updated_at",
];

/// A part that is being written.
pub(super) struct Draft {
    rows: u64,
    bytes: usize,
    jsonl: GzEncoder<Vec<u8>>,
    csv: csv::Writer<GzEncoder<Vec<u8>>>,
}

/// A part that is written.
pub(super) struct Finished {
    pub(super) rows: u64,
    pub(super) jsonl: Vec<u8>,
    pub(super) csv: Vec<u8>,
}

impl Draft {
    pub(super) fn new() -> Result<Self> {
        let gzip = || GzEncoder::new(Vec::new(), Compression::default());
        let mut csv = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(gzip());
        csv.write_record(COLUMNS).map_err(Error::internal)?;
        Ok(Self {
            rows: 0,
            bytes: 0,
            jsonl: gzip(),
            csv,
        })
    }

    /// How many messages it holds.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// How much text it holds, before it is compressed.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds a message.
    pub(super) fn add(&mut self, message: &MessageV2) -> Result<()> {
        let value = serde_json::to_value(message).map_err(Error::internal)?;
        let mut line = value.to_string();
        line.push('\n');
        self.jsonl.write_all(line.as_bytes()).map_err(Error::internal)?;
        let field = |name: &str| match value.get(name) {
            None | Some(serde_json::Value::Null) => String::new(),
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        self.csv
            .write_record(COLUMNS.map(field))
            .map_err(Error::internal)?;
        self.rows += 1;
        self.bytes += line.len();
        Ok(())
    }

    pub(super) fn finish(self) -> Result<Finished> {
        let csv = self
            .csv
            .into_inner()
            .map_err(|error| Error::internal(error.to_string()))?;
        Ok(Finished {
            rows: self.rows,
            jsonl: self.jsonl.finish().map_err(Error::internal)?,
            csv: csv.finish().map_err(Error::internal)?,
        })
    }
}

/// The SHA-256 of bytes, in hexadecimal.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}
