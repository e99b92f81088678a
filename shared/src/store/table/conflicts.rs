//! A write that meets a transaction at its item is refused, though nothing speaks against it: the SDK is told to
//! try it again, so that there is one layer of retries and no more. A conflict says that an item is in demand, not
//! that the table is overloaded, and takes nothing from the [budget](crate::retries) of retries.
//! Source: AWS, *Transaction conflict handling in DynamoDB*.

use super::transaction::CONFLICT;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};

/// The reasons for which a transaction is cancelled because the table is overloaded.
const THROTTLED: [&str; 2] = ["ThrottlingError", "ProvisionedThroughputExceeded"];

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
            // A condition that does not hold is an answer, whatever else was in the way.
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
