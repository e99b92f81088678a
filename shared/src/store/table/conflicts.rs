//! A write that meets a transaction at its item is refused, though nothing speaks against it: the SDK is told to
//! try it again, as it does with what is throttled, so that there is one layer of retries and no more.
//! Source: AWS, *Transaction conflict handling in DynamoDB*.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};

/// The reasons for which a transaction is cancelled that pass by themselves.
const PASSING: [&str; 3] = [
    "TransactionConflict",
    "ThrottlingError",
    "ProvisionedThroughputExceeded",
];

/// Tells the SDK which refusals of a write pass by themselves.
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
        let passes = if let Some(error) = error.downcast_ref::<PutItemError>() {
            matches!(error, PutItemError::TransactionConflictException(_))
        } else if let Some(error) = error.downcast_ref::<UpdateItemError>() {
            matches!(error, UpdateItemError::TransactionConflictException(_))
        } else if let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) =
            error.downcast_ref()
        {
            // A condition that does not hold is an answer, whatever else was in the way.
            let codes = || {
                canceled
                    .cancellation_reasons()
                    .iter()
                    .filter_map(|reason| reason.code())
            };
            codes().any(|code| PASSING.contains(&code))
                && codes().all(|code| code == "None" || PASSING.contains(&code))
        } else {
            false
        };
        if passes {
            RetryAction::transient_error()
        } else {
            RetryAction::NoActionIndicated
        }
    }

    fn name(&self) -> &'static str {
        "Transaction conflicts"
    }
}
