//! Where tests and the desk step between a function and a service: faults and cost.

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

/// One call of a function to a service. An SDK retry is a call of its own, with the same [`id`](Self::id).
#[derive(Debug, Clone)]
pub struct Call {
    /// The same for every attempt of the SDK at one call; empty if the caller is no SDK.
    pub id: String,
    /// Who calls: the name that the HTTP client was made with.
    pub function: String,
    /// Which service is called.
    pub service: Service,
    /// The operation as IAM and the SDKs name it, e.g. `TransactWriteItems` or `PostToConnection`.
    pub operation: String,
    /// Path and query of the request: bucket and key, or the connection.
    pub path: String,
    /// The body of the request: JSON for `DynamoDB` and SQS, else what is stored or posted.
    pub request: Bytes,
}

/// What an interceptor decides about a call.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// Nothing is changed.
    Proceed,
    /// The function gets this error in place of the service's answer.
    Answer(AwsError),
    /// The function sees its connection break.
    Drop,
    /// The function sees its connection time out, at once.
    TimeOut,
    /// The function dies: its invocation ends here, without an answer. Unwinds the task that calls, which the
    /// desk's invoker takes for a crash; a process of its own lives on and sees its connection break.
    Die,
}

impl Verdict {
    /// `DynamoDB` refuses because a partition is too busy; SDKs retry this.
    pub fn throughput_exceeded() -> Self {
        Self::Answer(AwsError::new(
            400,
            "ProvisionedThroughputExceededException",
            "The level of configured provisioned throughput for the table was exceeded.",
        ))
    }

    /// `DynamoDB` cancels a transaction of `item_count` items: each of them is in another transaction.
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

    /// `DynamoDB` fails without saying whether anything was written; SDKs retry this.
    pub fn internal_error() -> Self {
        Self::Answer(AwsError::new(500, "InternalServerError", "Internal server error"))
    }

    /// SQS refuses because the queue is too busy; SDKs retry this.
    pub fn queue_throttled() -> Self {
        Self::Answer(AwsError::new(
            403,
            "RequestThrottled",
            "The request was denied because of request throttling.",
        ))
    }
}

/// An error as AWS words it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsError {
    /// The HTTP status.
    pub status: u16,
    /// The code without a namespace, e.g. `ConditionalCheckFailedException`.
    pub kind: String,
    /// What a person reads.
    pub message: String,
    /// One code per item of a cancelled transaction; empty for every other error.
    pub cancellation_reasons: Vec<String>,
}

impl AwsError {
    /// Makes an error without cancellation reasons.
    pub fn new(status: u16, kind: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            status,
            kind: kind.into(),
            message: message.into(),
            cancellation_reasons: Vec::new(),
        }
    }
}

/// Sees every call of every function, and may change its outcome.
pub trait Interceptor: Send + Sync {
    /// Decides before the service is reached; it isn't reached unless the verdict is `Proceed`.
    fn before<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Verdict>;

    /// Decides after the service answered with `status`: whatever the caller is told, it has happened.
    fn after<'a>(&'a self, call: &'a Call, status: u16) -> BoxFuture<'a, Verdict>;

    /// Reads an answer before `after` decides. Answers of `DynamoDB` hold `ConsumedCapacity` by
    /// table and index, asked for or not; answers of S3 are streams and come empty.
    fn observe(&self, _call: &Call, _status: u16, _response: &[u8]) {}
}
