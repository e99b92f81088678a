//! Permits: proof that a caller's token has a permission beyond the caller's own data.

use std::marker::PhantomData;
use std::ops::Deref;

use super::Caller;
use crate::domain::permission::Right;
use crate::error::{Error, Result};

/// Proof that a caller holds the permission `R`. Functions of the store that read or change other users' data require
/// the permit for what they do, so a route that checks another permission does not compile. It can be used wherever its
/// [`Caller`] can.
///
/// ```
/// use shared::auth::Permit;
/// use shared::domain::permission::ModerationAction;
/// use shared::domain::{ids::MessageId, moderation::ModerationStatus};
/// use shared::{App, Result, store::log};
///
/// async fn approves(app: &App, permit: &Permit<ModerationAction>, message: MessageId) -> Result<()> {
///     log::moderate(app, permit, message, ModerationStatus::Approved, None).await?;
///     Ok(())
/// }
/// ```
///
/// With another permission the same does not compile:
///
/// ```compile_fail,E0308
/// use shared::auth::Permit;
/// use shared::domain::permission::ModerationView;
/// use shared::domain::{ids::MessageId, moderation::ModerationStatus};
/// use shared::{App, Result, store::log};
///
/// async fn approves(app: &App, permit: &Permit<ModerationView>, message: MessageId) -> Result<()> {
///     log::moderate(app, permit, message, ModerationStatus::Approved, None).await?;
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Permit<R: Right> {
    caller: Caller,
    right: PhantomData<R>,
}

impl<R: Right> Permit<R> {
    /// Checks the permission in a verified token.
    ///
    /// # Errors
    /// [`Error::Forbidden`]: that the route exists is no secret.
    pub fn of(caller: Caller) -> Result<Self> {
        if caller.claims.allow(R::PERMISSION) {
            Ok(Self {
                caller,
                right: PhantomData,
            })
        } else {
            Err(Error::Forbidden("the token does not allow this"))
        }
    }

    /// The caller.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }
}

impl<R: Right> Deref for Permit<R> {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.caller
    }
}
