//! Mail: subjects and bodies, in boxes with own flags (S0, contract §4).

use shared::lambda::Function;

/// Every function of this domain.
pub fn functions() -> Vec<Function> {
    vec![]
}
