//! Person-to-person messages: the direct conversation as S2 sees it (contract §4).

use shared::lambda::Function;

/// Every function of this domain.
pub fn functions() -> Vec<Function> {
    vec![]
}
