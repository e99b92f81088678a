//! The caller: who a verified token speaks for. Nothing else makes one.

use serde::{Deserialize, Serialize};

use crate::domain::ids::UserId;
use crate::domain::time::Timestamp;
use crate::domain::user::{Card, Claims};

/// Who is calling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The `sub` of the token.
    pub user: UserId,
    /// What the token says about them.
    pub claims: Claims,
    /// When the token ends; a connection that it opened ends with it.
    pub expires_at: Timestamp,
}

impl Caller {
    /// What others see of the caller.
    pub fn card(&self) -> Card {
        Card::of(self.user, &self.claims)
    }
}
