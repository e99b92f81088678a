//! Permits: proof that a caller's token allows something beyond their own conversations.

use std::marker::PhantomData;
use std::ops::Deref;

use super::Caller;
use crate::domain::permission::Right;
use crate::error::{Error, Result};

/// Proof that a caller holds the permission `R`. Functions of the store that see or change what is not the caller's own
/// demand the one for what they do, so that a route that asks for another does not compile. It can be used wherever its
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
    /// The proof, from what the verified token says.
    ///
    /// # Errors
    /// [`Error::Forbidden`]: that there is such a thing is no secret, only who may do it.
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

    /// Who holds it.
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
