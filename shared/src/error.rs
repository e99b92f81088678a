//! What can go wrong.
//!
//! `Display` is for the client and says nothing of tables, queues or other people. The `source` is for the
//! log. Which HTTP status an error becomes is decided once, in [`crate::http::reply`]; which WebSocket error
//! frame, in [`crate::socket`].

use std::borrow::Cow;
use std::time::Duration;

use crate::domain::precondition::Unmet;
use crate::domain::text::Invalid;

/// Shorthand for a result with this crate's error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any cause, for the log.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// What went wrong, as far as a client would act on it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The body is no JSON object.
    #[error("{0}")]
    Malformed(Cow<'static, str>),
    /// A field of the body or the query is of a wrong type or out of range.
    #[error("{field} {}", invalid.reason)]
    Invalid {
        /// The field to blame.
        field: Cow<'static, str>,
        /// What is wrong with it.
        invalid: Invalid,
    },
    /// A cursor or a sync token that was not given out by this system for this list.
    #[error("the cursor is not valid; start again without it")]
    InvalidCursor,
    /// A page number that skips more than 10,000 items.
    #[error("the page lies more than 10000 items deep; go on with next_cursor from a page before it")]
    PageTooDeep,
    /// No token, or one that is not good. The client always gets the same answer; why is for the log.
    #[error("a valid bearer token is needed")]
    Unauthenticated(#[source] Cause),
    /// A right is missing, and that the thing exists is no secret.
    #[error("{0}")]
    Forbidden(&'static str),
    /// There is no such thing, or the caller may not know of it.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// The sender's balance does not cover what it costs.
    #[error("not enough credits; this costs {cost} and the balance is {balance}")]
    InsufficientCredits {
        /// What it costs.
        cost: u64,
        /// What there is.
        balance: u64,
    },
    /// What is asked for contradicts what there is.
    #[error("{0}")]
    Conflict(&'static str),
    /// The thing has another version than `If-Match` names, or the one that `If-None-Match` does.
    #[error("it has changed meanwhile; get it again and repeat")]
    PreconditionFailed,
    /// The caller has the version that there is (RFC 9110 §13.1.2): 304, which is no failure.
    #[error("it has not changed")]
    NotModified {
        /// The tag of the version.
        etag: String,
    },
    /// The path exists, but not with this method.
    #[error("this path answers {allow} only")]
    MethodNotAllowed {
        /// The methods that it answers.
        allow: String,
    },
    /// A JSON body over the limit.
    #[error("the body is larger than {limit_bytes} bytes")]
    PayloadTooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// A body that is declared as something other than JSON, or as encoded.
    #[error("{0}")]
    UnsupportedMediaType(&'static str),
    /// An idempotency key, `client_message_id` or `client_reference` that stands for other content already.
    #[error("this key was used with other content; use a new one")]
    IdempotencyKeyReused,
    /// Too much, too fast.
    #[error("too many requests; try again in {} s", retry_after_seconds(*retry_after))]
    RateLimited {
        /// When the next one will pass.
        retry_after: Duration,
    },
    /// The audit log lost its end, so that nothing can be recorded; what cannot be recorded is not done.
    #[error(
        "the audit log is damaged, so nothing that must be recorded in it can be done; an operator has to restore it"
    )]
    AuditUnavailable(#[source] Cause),
    /// Throttled or contended beyond the retry budget: trying again later helps.
    #[error("the service is busy; try again")]
    Unavailable(#[source] Cause),
    /// A defect or a broken dependency.
    #[error("something went wrong on our side")]
    Internal(#[source] Cause),
}

impl From<Unmet> for Error {
    fn from(unmet: Unmet) -> Self {
        match unmet {
            Unmet::Failed => Self::PreconditionFailed,
            Unmet::NotModified { etag } => Self::NotModified { etag },
        }
    }
}

impl Error {
    /// A field is to blame.
    pub fn invalid(
        field: impl Into<Cow<'static, str>>,
        issue: impl Into<Cow<'static, str>>,
        reason: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::Invalid {
            field: field.into(),
            invalid: Invalid::new(issue, reason),
        }
    }

    /// No credential, or one that is not good. `cause` says why, in words that hold nothing of the credential.
    pub fn unauthenticated(cause: &'static str) -> Self {
        Self::Unauthenticated(cause.into())
    }

    /// Something that cannot be, unless there is a defect.
    pub fn internal(cause: impl Into<Cause>) -> Self {
        Self::Internal(cause.into())
    }

    /// Something that will pass.
    pub fn unavailable(cause: impl Into<Cause>) -> Self {
        Self::Unavailable(cause.into())
    }

    /// The error and its causes in one line, for the log.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}

/// Whole seconds to wait, rounded up, at least one (RFC 9110 §10.2.3).
pub fn retry_after_seconds(wait: Duration) -> u64 {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    seconds.max(1)
}
