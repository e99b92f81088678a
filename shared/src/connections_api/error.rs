//! Errors as frames.

use crate::domain::frame::ErrorFrame;
use crate::error::Error;

/// The only mapping from errors to error frames (contract §3). The match is exhaustive, so a new error needs a row.
pub fn error_frame(error: &Error) -> ErrorFrame {
    let (code, name) = match error {
        Error::Unauthenticated(_) => (4001, "AUTHENTICATION_FAILED"),
        Error::Malformed(_)
        | Error::Invalid { .. }
        | Error::InvalidCursor
        | Error::PageTooDeep
        | Error::MethodNotAllowed { .. }
        | Error::PayloadTooLarge { .. }
        | Error::UnsupportedMediaType(_)
        | Error::IdempotencyKeyReused
        | Error::InsufficientCredits { .. }
        | Error::Conflict(_)
        | Error::NotModified { .. }
        | Error::PreconditionFailed => (4003, "INVALID_FORMAT"),
        Error::NotFound(_) | Error::Forbidden(_) => (4004, "CONVERSATION_NOT_FOUND"),
        Error::RateLimited { .. } => (4008, "RATE_LIMITED"),
        Error::AuditUnavailable(_) | Error::Unavailable(_) | Error::Internal(_) => (4013, "UNAVAILABLE"),
    };
    ErrorFrame {
        code,
        name: name.to_owned(),
        message: error.to_string(),
    }
}
