//! Calling a function: the seam between the gateways and whatever runs the functions.

use std::sync::Arc;
use std::time::Duration;

pub use futures::future::BoxFuture;

/// The largest event or answer of a synchronous invocation, in bytes.
///
/// From "Lambda quotas": 6 MB each for request and response. The limit of an answer is 100 bytes higher, which the
/// desk does not give.
pub const PAYLOAD_LIMIT_BYTES: usize = 6 * 1024 * 1024;

/// Runs functions, in this process or in others.
pub trait Invoker: Send + Sync {
    /// Invokes the function of that logical id with an event and returns its answer, both as JSON.
    fn invoke<'a>(&'a self, function: &'a str, event: Vec<u8>)
    -> BoxFuture<'a, Result<Vec<u8>, InvokeError>>;
}

/// Why an invocation has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    /// The function failed; holds its error message, or the error object `{"errorMessage", "errorType"}` as JSON.
    #[error("the function failed: {0}")]
    Crashed(String),
    /// The function ran longer than its own timeout allows, or the gateway stopped waiting.
    #[error("the function took too long")]
    TimedOut,
    /// No concurrency was left for the function.
    #[error("the function is throttled")]
    Throttled,
    /// The event is over the limit of a synchronous invocation, so that the function was not called. An answer over the
    /// limit is a failure of the function: [`InvokeError::answer_too_large`].
    #[error("the event is too large")]
    TooLarge,
}

impl InvokeError {
    /// The failure of a function whose answer is over the limit, in the words of Lambda. API Gateway answers such a
    /// failure as any other, with a 5xx: the client did nothing wrong.
    pub fn answer_too_large() -> Self {
        let error = serde_json::json!({
            "errorType": "Function.ResponseSizeTooLarge",
            "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
        });
        Self::Crashed(error.to_string())
    }

    /// Returns true if the function failed with exactly this message.
    pub(crate) fn has_message(&self, message: &str) -> bool {
        let Self::Crashed(text) = self else { return false };
        text == message
            || serde_json::from_str::<serde_json::Value>(text).is_ok_and(|error| {
                error.get("errorMessage").and_then(|value| value.as_str()) == Some(message)
            })
    }
}

/// What became of an invocation that a gateway waited for.
pub(crate) enum Outcome {
    /// The function answered.
    Answer(Vec<u8>),
    /// The function, or the runner of functions, failed.
    Failed(InvokeError),
    /// The gateway stopped waiting; the function runs on, as it does on AWS.
    Abandoned,
}

/// Invokes a function and waits for it no longer than the integration timeout.
///
/// The invocation has its own task: a client that hangs up, or a gateway that gives up, does not stop a function.
pub(crate) async fn invoke(
    invoker: &Arc<dyn Invoker>,
    function: &str,
    event: Vec<u8>,
    patience: Duration,
) -> Outcome {
    if event.len() > PAYLOAD_LIMIT_BYTES {
        return Outcome::Failed(InvokeError::TooLarge);
    }
    let (invoker, name) = (Arc::clone(invoker), function.to_owned());
    let task = tokio::spawn(async move { invoker.invoke(&name, event).await });
    let outcome = match tokio::time::timeout(patience, task).await {
        Err(_) => Outcome::Abandoned,
        Ok(Err(error)) => Outcome::Failed(InvokeError::Crashed(error.to_string())),
        Ok(Ok(Err(error))) => Outcome::Failed(error),
        Ok(Ok(Ok(answer))) if answer.len() > PAYLOAD_LIMIT_BYTES => {
            Outcome::Failed(InvokeError::answer_too_large())
        }
        Ok(Ok(Ok(answer))) => Outcome::Answer(answer),
    };
    match &outcome {
        Outcome::Answer(_) => {}
        Outcome::Failed(error) => tracing::warn!(function, %error, "a function failed"),
        Outcome::Abandoned => tracing::warn!(function, "a function outlasted the integration timeout"),
    }
    outcome
}
