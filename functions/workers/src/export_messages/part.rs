//! A part of an export while it is written: the same messages as JSON Lines and as CSV, each a gzip file.
//!
//! The CSV has the scalar fields of a message, with a header (RFC 4180). Spreadsheets run cells with certain beginnings
//! as formulas, so such cells get an apostrophe in front. An optional byte order mark makes spreadsheets read the file
//! as UTF-8. JSON Lines hold every text unchanged.
//! Source: OWASP, *CSV Injection*.

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

/// Beginnings of cells that a spreadsheet may run as a formula, including the full-width forms of East Asian keyboards.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// A text as a cell that no spreadsheet runs.
fn cell(text: &str) -> String {
    if text.starts_with(FORMULA) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// A value as a line of JSON. U+2028 and U+2029 are legal in JSON, but some programs treat them as line breaks.
fn line(value: &serde_json::Value) -> String {
    let text = value.to_string();
    text.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029") + "\n"
}

/// The byte order mark, in UTF-8.
const BOM: &[u8] = "\u{feff}".as_bytes();

/// A part that is being written.
pub(super) struct PartWriter {
    rows: u64,
    bytes: usize,
    jsonl: GzEncoder<Vec<u8>>,
    csv: csv::Writer<GzEncoder<Vec<u8>>>,
}

/// A finished part.
pub(super) struct Finished {
    pub(super) rows: u64,
    pub(super) jsonl: Vec<u8>,
    pub(super) csv: Vec<u8>,
}

impl PartWriter {
    /// An empty part, whose CSV begins with a byte order mark if `with_bom`.
    pub(super) fn new(with_bom: bool) -> Result<Self> {
        let gzip = || GzEncoder::new(Vec::new(), Compression::default());
        let mut rows = gzip();
        if with_bom {
            rows.write_all(BOM).map_err(Error::internal)?;
        }
        let mut csv = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(rows);
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

    /// The size of its text, before compression.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds a message.
    pub(super) fn add(&mut self, message: &MessageV2) -> Result<()> {
        let value = serde_json::to_value(message).map_err(Error::internal)?;
        let line = line(&value);
        self.jsonl.write_all(line.as_bytes()).map_err(Error::internal)?;
        let field = |name: &str| match value.get(name) {
            None | Some(serde_json::Value::Null) => String::new(),
            Some(serde_json::Value::String(text)) => cell(text),
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cell_that_would_run_as_a_formula_gets_an_apostrophe() {
        for text in [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\tx",
            "\rx",
            "\n=1",
            "＝1",
            "=HYPERLINK(\"a\",\"b\")",
        ] {
            assert_eq!(cell(text), format!("'{text}"));
        }
        for text in ["", "a=1", " =1", "'=1", "é"] {
            assert_eq!(cell(text), text);
        }
    }

    #[test]
    fn a_line_of_json_holds_no_other_end_of_a_line() {
        let value = json!({ "a\u{2028}": "b\u{2028}c\u{2029}\n" });
        let line = line(&value);
        assert_eq!(line, "{\"a\\u2028\":\"b\\u2028c\\u2029\\n\"}\n");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap(), value);
    }
}
