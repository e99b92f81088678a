//! What a health route answers.

use schemars::JsonSchema;
use serde::Serialize;

/// The health of a part of the system.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct Health {
    /// Always `ok`.
    pub status: &'static str,
    /// The part of the system.
    pub service: &'static str,
}

impl Health {
    /// The part answers.
    pub const fn ok(service: &'static str) -> Self {
        Self {
            status: "ok",
            service,
        }
    }
}
