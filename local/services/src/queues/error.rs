//! The errors of SQS.

use crate::interceptor::AwsError;

/// Why a request was refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// There is no queue of that name.
    #[error("The specified queue does not exist: {0}.")]
    NoSuchQueue(String),
    /// A parameter is out of its range.
    #[error("{0}")]
    InvalidParameter(String),
    /// A parameter is missing, or the request is no JSON.
    #[error("{0}")]
    Malformed(String),
    /// The receipt handle is invalid.
    #[error("The input receipt handle is invalid.")]
    InvalidReceiptHandle,
    /// The message does not exist or is not in flight under that handle.
    #[error("The message referred to isn't in flight.")]
    NotInFlight,
    /// The body has characters that XML does not allow.
    #[error(
        "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"
    )]
    InvalidContents,
    /// A batch without entries.
    #[error("There should be at least one entry in the request.")]
    EmptyBatch,
    /// A batch of more than 10 entries.
    #[error("Maximum number of entries per request are 10. You have sent {0}.")]
    TooManyEntries(usize),
    /// Two entries of a batch have one id.
    #[error("Id {0} repeated.")]
    IdsNotDistinct(String),
    /// An id of a batch entry is empty, too long or holds other than letters, digits, `-` and `_`.
    #[error(
        "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long."
    )]
    InvalidEntryId,
    /// The bodies of a batch are too long together.
    #[error("Batch requests cannot be longer than 1048576 bytes. You have sent {0} bytes.")]
    BatchTooLong(usize),
    /// The desk's SQS doesn't know the operation.
    #[error("The desk's SQS has no operation {0}.")]
    UnknownOperation(String),
    /// The queue database failed.
    #[error("the queue database failed: {0}")]
    Storage(#[from] rusqlite::Error),
}

impl QueueError {
    /// The code in the JSON body, and the one that older clients use.
    fn codes(&self) -> (&'static str, &'static str) {
        match self {
            Self::NoSuchQueue(_) => ("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"),
            Self::InvalidParameter(_) => ("InvalidParameterValue", "InvalidParameterValue"),
            Self::Malformed(_) => ("MissingParameter", "MissingParameter"),
            Self::InvalidReceiptHandle => ("ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid"),
            Self::NotInFlight => ("MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight"),
            Self::InvalidContents => ("InvalidMessageContents", "InvalidMessageContents"),
            Self::EmptyBatch => ("EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest"),
            Self::TooManyEntries(_) => (
                "TooManyEntriesInBatchRequest",
                "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
            ),
            Self::IdsNotDistinct(_) => (
                "BatchEntryIdsNotDistinct",
                "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
            ),
            Self::InvalidEntryId => (
                "InvalidBatchEntryId",
                "AWS.SimpleQueueService.InvalidBatchEntryId",
            ),
            Self::BatchTooLong(_) => (
                "BatchRequestTooLong",
                "AWS.SimpleQueueService.BatchRequestTooLong",
            ),
            Self::UnknownOperation(_) => (
                "UnsupportedOperation",
                "AWS.SimpleQueueService.UnsupportedOperation",
            ),
            Self::Storage(_) => ("InternalError", "InternalError"),
        }
    }

    fn is_of_sender(&self) -> bool {
        !matches!(self, Self::Storage(_))
    }

    /// The value of `x-amzn-query-error`: code and fault.
    pub(super) fn query_error(&self) -> String {
        let fault = if self.is_of_sender() { "Sender" } else { "Receiver" };
        format!("{};{fault}", self.codes().1)
    }

    /// The error as an AWS client gets it.
    pub(super) fn to_aws(&self) -> AwsError {
        AwsError::new(
            if self.is_of_sender() { 400 } else { 500 },
            self.codes().0,
            self.to_string(),
        )
    }

    /// The error as one entry of a batch result.
    pub(super) fn to_entry(&self, id: &str) -> serde_json::Value {
        serde_json::json!({
            "Id": id,
            "Code": self.codes().0,
            "Message": self.to_string(),
            "SenderFault": self.is_of_sender(),
        })
    }
}
