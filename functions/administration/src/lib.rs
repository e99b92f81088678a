//! Administration: moderation, search, export, figures and the audit log (S2, contract §4).

use shared::lambda::Function;

/// Every function of this domain.
pub fn functions() -> Vec<Function> {
    vec![]
}
