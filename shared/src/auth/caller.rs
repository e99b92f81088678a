//! The caller: who a verified token speaks for. Nothing else makes one.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::ids::UserId;
use crate::domain::time::Timestamp;
use crate::domain::user::Claims;

/// How far the clocks of issuer and verifier may be apart (contract §1).
pub const LEEWAY: Duration = Duration::from_secs(30);

/// Who is calling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The `sub` of the token.
    pub user: UserId,
    /// What the token says about them: for their rights. What others see of them is in their profile.
    pub claims: Claims,
    /// When the token ends; a connection that it opened ends with it.
    pub expires_at: Timestamp,
    /// When the token was issued, as far as it says: of two tokens, the newer one knows better.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_at: Option<Timestamp>,
}
