//! Users: who the caller is.

pub mod get_me;

use shared::lambda::Function;

/// Every function of this domain.
pub fn functions() -> Vec<Function> {
    vec![get_me::function()]
}
