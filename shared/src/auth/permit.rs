//! Permits: proof that a caller's token allows something beyond their own conversations.

use super::Caller;
use crate::domain::user::Permission;
use crate::error::{Error, Result};

/// Proof that a caller holds a permission. Store functions that see or change what is not the caller's own demand
/// one, so that no route can forget to ask.
#[derive(Clone, Debug)]
pub struct Permit {
    caller: Caller,
    permission: Permission,
}

impl Permit {
    /// The proof, from what the verified token says.
    ///
    /// # Errors
    /// [`Error::Forbidden`]: that there is such a thing is no secret, only who may do it.
    pub fn of(caller: &Caller, permission: Permission) -> Result<Self> {
        if caller.claims.allow(permission) {
            Ok(Self {
                caller: caller.clone(),
                permission,
            })
        } else {
            Err(Error::Forbidden("the token does not allow this"))
        }
    }

    /// Who holds it.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// What it allows.
    pub fn permission(&self) -> Permission {
        self.permission
    }
}
