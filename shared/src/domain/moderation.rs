//! The moderation status of a message.

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

    /// Whether a reason is required.
    pub const fn needs_reason(self) -> bool {
        matches!(self, Self::Flagged | Self::Blocked)
    }
}

/// The last moderation of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moderation {
    /// The status.
    pub status: ModerationStatus,
    /// When it was set.
    pub at: Timestamp,
    /// The number of the moderation entry.
    pub seq: u64,
}
