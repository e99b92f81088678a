//! Interception of calls from functions to services, for fault injection and cost measurement.

use bytes::Bytes;
use futures::future::BoxFuture;

/// A service that functions call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    /// The table.
    DynamoDb,
    /// The queues.
    Sqs,
    /// The buckets.
    S3,
    /// The `@connections` API of the WebSocket API.
    Connections,
}

/// One call of a function to a service. An SDK retry is a separate call with the same [`id`](Self::id).
#[derive(Debug, Clone)]
pub struct Call {
    /// The same for all attempts of the SDK at one call; empty if the caller is not an SDK.
    pub id: String,
    /// The calling function: the name with which its HTTP client was created.
    pub function: String,
    /// Which service is called.
    pub service: Service,
    /// The operation as IAM and the SDKs name it, e.g. `TransactWriteItems` or `PostToConnection`.
    pub operation: String,
    /// Path and query of the request: bucket and key, or the connection.
    pub path: String,
    /// The body of the request: JSON for `DynamoDB` and SQS, otherwise what is stored or posted.
    pub request: Bytes,
}

/// The decision of an interceptor.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// The call proceeds.
    Proceed,
    /// The function gets this error instead of the service's response.
    Answer(AwsError),
    /// The function's connection breaks.
    Drop,
    /// The function's connection times out, immediately.
    TimeOut,
    /// The function dies: its invocation ends without a response. This unwinds the calling task, which the desk's
    /// invoker treats as a crash; a separate process survives and sees its connection break.
    Die,
}

impl Verdict {
    /// DynamoDB throttles because a partition is overloaded; SDKs retry this.
    pub fn throughput_exceeded() -> Self {
        Self::Answer(AwsError::new(
            400,
            "ProvisionedThroughputExceededException",
            "The level of configured provisioned throughput for the table was exceeded.",
        ))
    }

    /// DynamoDB cancels a transaction of `item_count` items because of conflicts with other transactions.
    pub fn transaction_conflict(item_count: usize) -> Self {
        let reasons = vec!["TransactionConflict".to_owned(); item_count];
        let message = format!(
            "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
            reasons.join(", ")
        );
        Self::Answer(AwsError {
            cancellation_reasons: reasons,
            ..AwsError::new(400, "TransactionCanceledException", message)
        })
    }

    /// DynamoDB fails without saying whether anything was written; SDKs retry this.
    pub fn internal_error() -> Self {
        Self::Answer(AwsError::new(500, "InternalServerError", "Internal server error"))
    }

    /// SQS throttles because the queue is overloaded; SDKs retry this.
    pub fn queue_throttled() -> Self {
        Self::Answer(AwsError::new(
            403,
            "RequestThrottled",
            "The request was denied because of request throttling.",
        ))
    }
}

/// An error in the format of AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsError {
    /// The HTTP status.
    pub status: u16,
    /// The code without a namespace, e.g. `ConditionalCheckFailedException`.
    pub kind: String,
    /// The message.
    pub message: String,
    /// One code per item of a cancelled transaction; empty for every other error.
    pub cancellation_reasons: Vec<String>,
}

impl AwsError {
    /// An error without cancellation reasons.
    pub fn new(status: u16, kind: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            status,
            kind: kind.into(),
            message: message.into(),
            cancellation_reasons: Vec::new(),
        }
    }
}

/// Intercepts every call of every function, and may change its result.
pub trait Interceptor: Send + Sync {
    /// Decides before the service is called; it is only called if the verdict is `Proceed`.
    fn before<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Verdict>;

    /// Decides after the service responded with `status`: whatever the caller is told, the call took effect.
    fn after<'a>(&'a self, call: &'a Call, status: u16) -> BoxFuture<'a, Verdict>;

    /// Reads a response before `after` decides. Responses of `DynamoDB` hold `ConsumedCapacity` by table and index,
    /// requested or not; responses of S3 are streams and are passed as empty.
    fn observe(&self, _call: &Call, _status: u16, _response: &[u8]) {}
}
