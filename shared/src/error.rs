//! Errors.
//!
//! `Display` is the text for the client and mentions no tables, queues or other people. The `source` is for the log.
//! The HTTP status of an error is decided in [`crate::http::reply`] alone, its WebSocket error frame in
//! [`crate::connections_api`].

use std::borrow::Cow;
use std::time::Duration;

use crate::domain::precondition::Unmet;
use crate::domain::text::Invalid;

/// Shorthand for a result with this crate's error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any cause, for the log.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// An error, by what a client can do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The body is not a JSON object.
    #[error("{0}")]
    Malformed(Cow<'static, str>),
    /// A field of the body or the query has a wrong type or is out of range.
    #[error("{field} {}", invalid.reason)]
    Invalid {
        /// The invalid field.
        field: Cow<'static, str>,
        /// What is wrong with it.
        invalid: Invalid,
    },
    /// A cursor or sync token that this system did not issue for this list.
    #[error("the cursor is not valid; start again without it")]
    InvalidCursor,
    /// A page number that skips more than 10,000 items.
    #[error("the page is more than 10000 items deep; use next_cursor of an earlier page")]
    PageTooDeep,
    /// No valid token. The response is always the same; the reason is only logged.
    #[error("a valid bearer token is needed")]
    Unauthenticated(#[source] Cause),
    /// A permission is missing, and the existence of the resource is no secret.
    #[error("{0}")]
    Forbidden(&'static str),
    /// The resource does not exist, or the caller may not know that it does.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// The sender's balance is too low.
    #[error("not enough credits; this costs {cost} and the balance is {balance}")]
    InsufficientCredits {
        /// The price.
        cost: u64,
        /// The balance.
        balance: u64,
    },
    /// The request contradicts the current state.
    #[error("{0}")]
    Conflict(&'static str),
    /// The version does not satisfy `If-Match` or `If-None-Match`.
    #[error("the resource has changed; get it again and repeat the request")]
    PreconditionFailed,
    /// The caller has the current version (RFC 9110 §13.1.2): 304, which is no failure.
    #[error("the resource has not changed")]
    NotModified {
        /// The current `ETag`.
        etag: String,
    },
    /// The path exists, but not with this method.
    #[error("this path only supports {allow}")]
    MethodNotAllowed {
        /// The methods that it answers.
        allow: String,
    },
    /// A JSON body that is too large.
    #[error("the body is larger than {limit_bytes} bytes")]
    PayloadTooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// A body that is declared as something other than JSON, or as encoded.
    #[error("{0}")]
    UnsupportedMediaType(&'static str),
    /// An idempotency key, `client_message_id` or `client_reference` that was used with other content.
    #[error("this key was used with other content; use a new one")]
    IdempotencyKeyReused,
    /// A rate limit is exceeded.
    #[error("too many requests; try again in {} s", retry_after_seconds(*retry_after))]
    RateLimited {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The audit log lost its end, so nothing can be recorded; actions that must be recorded are refused.
    #[error(
        "the audit log is damaged, so actions that must be recorded are refused; an operator must restore it"
    )]
    AuditUnavailable(#[source] Cause),
    /// Throttled or contended beyond the retry budget: trying again later helps.
    #[error("the service is busy; try again")]
    Unavailable(#[source] Cause),
    /// A defect or a broken dependency.
    #[error("an internal error occurred")]
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
    /// An invalid field.
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

    /// No valid credential. `cause` says why, without quoting the credential.
    pub fn unauthenticated(cause: &'static str) -> Self {
        Self::Unauthenticated(cause.into())
    }

    /// A state that only a defect can cause.
    pub fn internal(cause: impl Into<Cause>) -> Self {
        Self::Internal(cause.into())
    }

    /// A temporary failure.
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
