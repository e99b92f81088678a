//! Admission: a request passes the rate rate_limits of its user, and the user's profile is created or refreshed alongside.

use std::sync::OnceLock;

use super::profiles;
use super::rates::{self, RateLimit, RateSubject, Standing};
use crate::App;
use crate::auth::Caller;
use crate::domain::ids::UserId;
use crate::domain::user::Card;
use crate::error::Result;

/// The rate_limits that a send goes through.
pub const SEND: &[RateLimit] = &[RateLimit::Requests, RateLimit::Sends];

/// Proof that a send of a user has passed the rate_limits of requests and of sends, with what others see of that user. Only
/// [`send`] makes one, and what stores a message or a mail demands it, so that no route can forget to ask.
///
/// ```
/// use shared::store::{admission::Admitted, log, members::Sender};
/// use shared::{App, Result};
///
/// async fn says(app: &App, admitted: &Admitted, sender: &Sender, draft: &log::MessageDraft) -> Result<()> {
///     log::append(app, admitted, sender, draft, None, async |_| Ok(())).await?;
///     Ok(())
/// }
/// ```
///
/// Without one, the same does not compile:
///
/// ```compile_fail,E0061
/// use shared::store::{log, members::Sender};
/// use shared::{App, Result};
///
/// async fn says(app: &App, sender: &Sender, draft: &log::MessageDraft) -> Result<()> {
///     log::append(app, sender, draft, None, async |_| Ok(())).await?;
///     Ok(())
/// }
/// ```
///
/// Nor does it with one of the caller's own making:
///
/// ```compile_fail,E0451
/// use shared::store::admission::Admitted;
///
/// fn forged(user: shared::domain::ids::UserId, card: shared::domain::user::Card) -> Admitted {
///     Admitted { user, card }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Admitted {
    user: UserId,
    card: Card,
}

impl Admitted {
    /// Who sends.
    pub fn user(&self) -> UserId {
        self.user
    }

    /// What others see of the sender: their profile, and not the token of this very request, which may be older.
    pub fn card(&self) -> &Card {
        &self.card
    }
}

/// Passes a send through its rate_limits. It must be awaited before anything is written. `standing` is set to where the user
/// stands afterwards, admitted or not.
///
/// # Errors
/// [`Error::RateLimited`](crate::Error::RateLimited) where a bucket is full.
pub async fn send(app: &App, caller: Caller, standing: &OnceLock<Standing>) -> Result<Admitted> {
    let card = pass(app, &caller, SEND, standing).await?;
    Ok(Admitted {
        user: caller.user,
        card,
    })
}

/// Passes a request that sends nothing through rate_limits, as [`send`] does.
///
/// # Errors
/// [`Error::RateLimited`](crate::Error::RateLimited) where a bucket is full.
pub async fn request(
    app: &App,
    caller: &Caller,
    rate_limits: &[RateLimit],
    standing: &OnceLock<Standing>,
) -> Result<()> {
    pass(app, caller, rate_limits, standing).await.map(|_| ())
}

async fn pass(
    app: &App,
    caller: &Caller,
    rate_limits: &[RateLimit],
    standing: &OnceLock<Standing>,
) -> Result<Card> {
    let subject = RateSubject::User(caller.user);
    let (passage, card) = tokio::try_join!(
        rates::pass(app, &subject, rate_limits),
        profiles::refresh(app, caller.user, &caller.claims, caller.issued_at)
    )?;
    if let Some(found) = passage.standing {
        // Set once per request; a second value cannot come.
        standing.get_or_init(|| found);
    }
    passage.admitted().map(|()| card)
}
