//! Admission: checks a user's rate limits, and creates or refreshes the user's profile concurrently.

use std::sync::OnceLock;

use super::profiles;
use super::rates::{self, RateLimit, RateSubject, Standing};
use crate::App;
use crate::auth::Caller;
use crate::domain::ids::UserId;
use crate::domain::user::Card;
use crate::error::Result;

/// The rate limits of a send.
pub const SEND: &[RateLimit] = &[RateLimit::Requests, RateLimit::Sends];

/// Proof that a user's send passed the rate limits of requests and of sends, with the user's public profile. Only
/// [`send`] creates one, and storing a message or a mail requires it, so no route can forget the check.
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
/// The value can be read:
///
/// ```
/// use shared::store::admission::Admitted;
///
/// fn user(admitted: &Admitted) -> shared::domain::ids::UserId {
///     admitted.user()
/// }
/// ```
///
/// and only this module can create it:
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

    /// The sender's public profile, which may be newer than the token of this request.
    pub fn card(&self) -> &Card {
        &self.card
    }
}

/// Checks the rate limits of a send. Must be awaited before anything is written. `standing` is set to the user's rate
/// limit state, admitted or not.
///
/// # Errors
/// [`Error::RateLimited`](crate::Error::RateLimited) if a limit is exceeded.
pub async fn send(app: &App, caller: Caller, standing: &OnceLock<Standing>) -> Result<Admitted> {
    let card = pass(app, &caller, SEND, standing).await?;
    Ok(Admitted {
        user: caller.user,
        card,
    })
}

/// Checks the rate limits of a request that sends nothing, like [`send`].
///
/// # Errors
/// [`Error::RateLimited`](crate::Error::RateLimited) if a limit is exceeded.
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
        // Set once per request.
        standing.get_or_init(|| found);
    }
    passage.admitted().map(|()| card)
}
