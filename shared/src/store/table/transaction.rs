//! Transactions: writes that take effect together or not at all.

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    CancellationReason, Delete, Put, ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem, Update as Change,
};

use super::{Condition, Update, key_attributes, meter_write};
use crate::App;
use crate::clients::{CONFLICT, failed};
use crate::error::{Error, Result};
use crate::store::item::Item;
use crate::store::keys::Key;

/// The cancellation reason of a failed condition.
const REFUSED: &str = "ConditionalCheckFailed";

/// A conflict that outlasted the SDK's retries.
struct Conflict(Error);

/// The result of a transaction.
#[derive(Debug)]
pub(in crate::store) enum Transacted {
    /// All writes took effect.
    Done,
    /// No write took effect. For each part, in the order in which they were added: the existing item if its condition
    /// failed, empty if there is none.
    Refused(Vec<Option<Item>>),
}

/// Writes that take effect together or not at all, at twice the price.
#[derive(Debug, Default)]
pub(in crate::store) struct Transaction(Vec<Part>);

#[derive(Debug)]
enum Part {
    Put(Item, Condition),
    Update(Update),
    Delete(Key, Condition),
}

impl Transaction {
    /// The number of writes so far.
    pub(in crate::store) fn len(&self) -> usize {
        self.0.len()
    }

    /// Puts an item, if the condition holds.
    pub(in crate::store) fn put(mut self, item: Item, condition: Condition) -> Self {
        self.0.push(Part::Put(item, condition));
        self
    }

    /// Updates an item, if the update's condition holds.
    pub(in crate::store) fn update(mut self, update: Update) -> Self {
        self.0.push(Part::Update(update));
        self
    }

    /// Deletes an item, if the condition holds.
    pub(in crate::store) fn delete(mut self, key: Key, condition: Condition) -> Self {
        self.0.push(Part::Delete(key, condition));
        self
    }

    /// Sends the transaction. Conflicts with other transactions are retried by the SDK, see [`crate::clients`]; it
    /// fails if they persist.
    pub(in crate::store) async fn send(self, app: &App) -> Result<Transacted> {
        self.attempt(app).await?.map_err(|conflict| conflict.0)
    }

    /// Sends a transaction on a contended item; returns none if conflicts outlast the SDK's retries. The caller reads
    /// again, waits and tries a new transaction with a later time: no attempt may take longer than
    /// [`crate::CALL_TIMEOUT`].
    pub(in crate::store) async fn contend(self, app: &App) -> Result<Option<Transacted>> {
        Ok(self.attempt(app).await?.ok())
    }

    async fn attempt(self, app: &App) -> Result<Result<Transacted, Conflict>> {
        let count = self.0.len();
        let parts: Vec<TransactWriteItem> = self
            .0
            .into_iter()
            .map(|part| part.of_table(&app.config().table))
            .collect::<Result<_>>()?;
        app.meter.call();
        let result = app
            .outside
            .clients
            .dynamodb
            .transact_write_items()
            .set_transact_items(Some(parts))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        let error = match result {
            Ok(output) => {
                for capacity in output.consumed_capacity() {
                    meter_write(app, Some(capacity));
                }
                return Ok(Ok(Transacted::Done));
            }
            Err(error) => error,
        };
        let reasons = match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(canceled)) => {
                canceled.cancellation_reasons()
            }
            _ => &[],
        };
        let is_invalid = |reason: &&CancellationReason| reason.code() == Some("ValidationError");
        if let Some(reason) = reasons.iter().find(is_invalid) {
            let why = reason.message().unwrap_or_default();
            return Err(Error::internal(format!(
                "a part of a transaction is not valid: {why}"
            )));
        }
        if !reasons.iter().any(|reason| reason.code() == Some(REFUSED)) {
            let is_conflict = reasons.iter().any(|reason| reason.code() == Some(CONFLICT));
            let error = failed(error);
            return if is_conflict {
                Ok(Err(Conflict(error)))
            } else {
                Err(error)
            };
        }
        // A refused transaction is billed like a successful one.
        (0..count).for_each(|_| app.meter.write(2.0));
        Ok(Ok(Transacted::Refused(reasons.iter().map(refusal).collect())))
    }
}

fn refusal(reason: &CancellationReason) -> Option<Item> {
    (reason.code() == Some(REFUSED)).then(|| Item(reason.item().cloned().unwrap_or_default()))
}

impl Part {
    fn of_table(self, table: &str) -> Result<TransactWriteItem> {
        let show = ReturnValuesOnConditionCheckFailure::AllOld;
        let part = TransactWriteItem::builder();
        let part = match self {
            Self::Put(item, condition) => {
                let put = Put::builder()
                    .table_name(table)
                    .set_item(Some(item.0))
                    .set_condition_expression(condition.expression.clone())
                    .set_expression_attribute_values(condition.values())
                    .return_values_on_condition_check_failure(show);
                part.put(put.build().map_err(Error::internal)?)
            }
            Self::Update(update) => {
                let change = Change::builder()
                    .table_name(table)
                    .set_key(Some(key_attributes(&update.key)))
                    .update_expression(update.expression)
                    .set_condition_expression(update.condition.expression.clone())
                    .set_expression_attribute_names((!update.names.is_empty()).then_some(update.names))
                    .set_expression_attribute_values(update.condition.values())
                    .return_values_on_condition_check_failure(show);
                part.update(change.build().map_err(Error::internal)?)
            }
            Self::Delete(key, condition) => {
                let delete = Delete::builder()
                    .table_name(table)
                    .set_key(Some(key_attributes(&key)))
                    .set_condition_expression(condition.expression.clone())
                    .set_expression_attribute_values(condition.values())
                    .return_values_on_condition_check_failure(show);
                part.delete(delete.build().map_err(Error::internal)?)
            }
        };
        Ok(part.build())
    }
}
