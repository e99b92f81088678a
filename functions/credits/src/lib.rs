//! Credits: a balance and its ledger (S2, contract §4).

use shared::lambda::Function;

/// Every function of this domain.
pub fn functions() -> Vec<Function> {
    vec![]
}
