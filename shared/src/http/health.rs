//! What a health route answers.

use schemars::JsonSchema;
use serde::Serialize;

/// That a part of the system answers.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct Health {
    /// Always `ok`: what is not, does not answer.
    pub status: &'static str,
    /// Which part.
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
