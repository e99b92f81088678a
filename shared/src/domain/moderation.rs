//! What moderators say of a message.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::time::Timestamp;

/// The moderation status of a message (S2-F04).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModerationStatus {
    /// Waiting for a decision.
    Pending,
    /// Approved; the status of every new message.
    #[default]
    Approved,
    /// Marked for review, but still visible.
    Flagged,
    /// The content is hidden from everybody but moderators.
    Blocked,
}

impl ModerationStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Approved, Self::Flagged, Self::Blocked];

    /// The name that clients use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Flagged => "flagged",
            Self::Blocked => "blocked",
        }
    }

    /// Whether there must be a reason for it.
    pub const fn needs_reason(self) -> bool {
        matches!(self, Self::Flagged | Self::Blocked)
    }
}

/// What was said of a message last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moderation {
    /// The status.
    pub status: ModerationStatus,
    /// When it was given.
    pub at: Timestamp,
    /// The log entry that says so.
    pub seq: u64,
}
