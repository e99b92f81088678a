//! Files: their names, their types, and the detection of types by content.

mod looked;
mod media_type;
mod name;
mod sniff;

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

pub use looked::{Looked, Unread};
pub use media_type::MediaType;
pub use name::FileName;

use super::ids::FileId;
use super::text::Invalid;
use super::time::Timestamp;

/// The maximum size of a file (contract §4).
pub const SIZE_LIMIT_BYTES: u64 = 10 * 1024 * 1024;

/// How many of the first bytes are always read. They contain two frames of any MPEG audio, and the range in which a PDF
/// may begin.
pub const HEAD_BYTES: u64 = 4096;

/// The size of a file: 1 byte to [`SIZE_LIMIT_BYTES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileSize(u64);

impl FileSize {
    /// The size in bytes.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for FileSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        match u64::try_from(number) {
            Ok(size) if (1..=SIZE_LIMIT_BYTES).contains(&size) => Ok(Self(size)),
            _ => {
                let reason = format!("must lie between 1 and {SIZE_LIMIT_BYTES}");
                Err(serde::de::Error::custom(Invalid::new("out_of_range", reason)))
            }
        }
    }
}

impl JsonSchema for FileSize {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "FileSize".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": SIZE_LIMIT_BYTES })
    }
}

/// The status of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum FileStatus {
    /// Not uploaded or not checked yet.
    Pending,
    /// Uploaded, and of the declared type.
    Complete,
}

/// A file as its owner and its recipients see it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct File {
    /// The id.
    pub file_id: FileId,
    /// The file name, with the extension of its type.
    pub filename: FileName,
    /// The type.
    pub content_type: MediaType,
    /// The size in bytes; the maximum size while the upload is pending.
    pub size_bytes: u64,
    /// The current status.
    pub status: FileStatus,
    /// When the upload was started.
    pub created_at: Timestamp,
}
