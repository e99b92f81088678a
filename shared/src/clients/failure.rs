//! The classification of failed calls, one for all services.

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::error::Error;

/// Classifies a failed call: throttling, timeouts and broken connections are temporary, anything else is a defect.
#[expect(
    clippy::needless_pass_by_value,
    reason = "it stands in map_err, which gives the error away"
)]
pub(crate) fn failed<E, R>(error: SdkError<E, R>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    const PASSING: [&str; 13] = [
        "InternalError",
        "InternalServerError",
        "InternalFailure",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "ServiceUnavailable",
        "SlowDown",
        "ThrottlingException",
        "TransactionCanceledException",
        "TransactionConflictException",
        "TransactionInProgressException",
    ];
    let passes = match &error {
        SdkError::ServiceError(_) => error.code().is_some_and(|code| PASSING.contains(&code)),
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => true,
        _ => false,
    };
    let cause = described(&error);
    if passes {
        Error::unavailable(cause)
    } else {
        Error::internal(cause)
    }
}

/// The error with its causes. The SDK's own `Display` stops at "service error", and its `Debug` shows the response
/// body, which may hold user content.
fn described<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> String
where
    SdkError<E, R>: std::error::Error,
{
    let mut text = match (error.code(), error.message()) {
        (Some(code), Some(message)) => return format!("{code}: {message}"),
        (Some(code), None) => return code.to_owned(),
        (None, _) => error.to_string(),
    };
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
