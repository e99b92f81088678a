//! The caller: the user of a verified token. Only token verification creates one.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::ids::UserId;
use crate::domain::time::Timestamp;
use crate::domain::user::Claims;

/// The allowed clock skew between issuer and verifier (contract §1).
pub const LEEWAY: Duration = Duration::from_secs(30);

/// The authenticated user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The `sub` of the token.
    pub user: UserId,
    /// The claims of the token, for permissions. What other users see is in the profile.
    pub claims: Claims,
    /// When the token expires; connections opened with it end then too.
    pub expires_at: Timestamp,
    /// When the token was issued, if it says so: claims of a newer token take precedence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_at: Option<Timestamp>,
}
