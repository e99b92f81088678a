//! Retries of transaction conflicts. A write to an item that a transaction is changing is refused, although no
//! condition failed. The SDK is told to retry it, so that there is only one layer of retries. A conflict means that an
//! item is contended, not that the table is overloaded, so it costs nothing of the retry [budget](super::retries).
//! Source: AWS, *Transaction conflict handling in DynamoDB*.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};

/// The cancellation reason of a conflict with another transaction.
pub(crate) const CONFLICT: &str = "TransactionConflict";
/// The reasons of a cancelled transaction that mean that the table is overloaded.
const THROTTLED: [&str; 2] = ["ThrottlingError", "ProvisionedThroughputExceeded"];

/// Tells the SDK which refusals of a write are temporary.
#[derive(Debug)]
pub(crate) struct Conflicts;

impl ClassifyRetry for Conflicts {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(Err(error)) = context.output_or_error() else {
            return RetryAction::NoActionIndicated;
        };
        let Some(error) = error.as_operation_error() else {
            return RetryAction::NoActionIndicated;
        };
        let met = if let Some(error) = error.downcast_ref::<PutItemError>() {
            matches!(error, PutItemError::TransactionConflictException(_))
        } else if let Some(error) = error.downcast_ref::<UpdateItemError>() {
            matches!(error, UpdateItemError::TransactionConflictException(_))
        } else if let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) =
            error.downcast_ref()
        {
            let codes = || {
                let reasons = canceled.cancellation_reasons().iter();
                reasons
                    .filter_map(|reason| reason.code())
                    .filter(|code| *code != "None")
            };
            // A failed condition is a result, whatever else happened.
            if !codes().all(|code| code == CONFLICT || THROTTLED.contains(&code)) {
                return RetryAction::NoActionIndicated;
            }
            if codes().any(|code| THROTTLED.contains(&code)) {
                return RetryAction::throttling_error();
            }
            codes().next().is_some()
        } else {
            false
        };
        if met {
            RetryAction::server_error()
        } else {
            RetryAction::NoActionIndicated
        }
    }

    fn name(&self) -> &'static str {
        "Transaction conflicts"
    }
}
