//! Calls to DynamoDB: metered, with classified errors.

mod batch;
mod query;
mod transaction;

pub(super) use batch::{get_many, key_of, put_many, remove_many};
pub(super) use query::Query;
pub(super) use transaction::{Transacted, Transaction};

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{
    AttributeValue, ConsumedCapacity, ReturnConsumedCapacity, ReturnValue,
    ReturnValuesOnConditionCheckFailure,
};

use super::item::{Item, key_attributes};
use super::keys::{self, Key};
use crate::App;
use crate::clients::failed;
use crate::error::{Error, Result};

/// The consistency of a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consistency {
    /// Includes every earlier write: one read unit per 4 KB.
    Strong,
    /// May be slightly outdated, at half the price. For reads whose staleness a later condition detects.
    Eventual,
}

/// The result of a conditional write.
#[derive(Debug)]
pub enum Written {
    /// It took effect. Holds the item afterwards, if requested.
    Done(Item),
    /// The condition failed. Holds the existing item, empty if there is none.
    Refused(Item),
}

/// Reads one item.
pub(super) async fn get(app: &App, key: &Key, consistency: Consistency) -> Result<Option<Item>> {
    app.meter.call();
    let output = app
        .outside
        .clients
        .dynamodb
        .get_item()
        .table_name(&app.config().table)
        .set_key(Some(key_attributes(key)))
        .consistent_read(consistency == Consistency::Strong)
        .return_consumed_capacity(ReturnConsumedCapacity::Total)
        .send()
        .await
        .map_err(failed)?;
    meter_read(app, output.consumed_capacity());
    Ok(output.item.map(Item))
}

/// A condition on the existing item, with the values of its expression.
#[derive(Debug, Default)]
pub(super) struct Condition {
    expression: Option<String>,
    values: HashMap<String, AttributeValue>,
}

impl Condition {
    /// The item must not exist.
    pub(super) fn absent() -> Self {
        Self::holds(format!("attribute_not_exists({})", keys::PARTITION))
    }

    /// An expression must hold.
    pub(super) fn holds(expression: impl Into<String>) -> Self {
        Self {
            expression: Some(expression.into()),
            values: HashMap::new(),
        }
    }

    /// Sets a value of the expression.
    pub(super) fn value(mut self, name: &str, value: AttributeValue) -> Self {
        self.values.insert(name.to_owned(), value);
        self
    }

    fn values(self) -> Option<HashMap<String, AttributeValue>> {
        (!self.values.is_empty()).then_some(self.values)
    }
}

/// Writes an item if the condition holds.
pub(super) async fn put(app: &App, item: Item, condition: Condition) -> Result<Written> {
    app.meter.call();
    let result = app
        .outside
        .clients
        .dynamodb
        .put_item()
        .table_name(&app.config().table)
        .set_item(Some(item.0))
        .set_condition_expression(condition.expression.clone())
        .set_expression_attribute_values(condition.values())
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .return_consumed_capacity(ReturnConsumedCapacity::Total)
        .send()
        .await;
    match result {
        Ok(output) => {
            meter_write(app, output.consumed_capacity());
            Ok(Written::Done(Item::default()))
        }
        Err(error) => match error.as_service_error() {
            Some(aws_sdk_dynamodb::operation::put_item::PutItemError::ConditionalCheckFailedException(
                refusal,
            )) => {
                // A refused write is billed like a successful one.
                app.meter.write(1.0);
                Ok(Written::Refused(Item(
                    refusal.item().cloned().unwrap_or_default(),
                )))
            }
            _ => Err(failed(error)),
        },
    }
}

/// An update of an item.
#[derive(Debug)]
pub(super) struct Update {
    key: Key,
    expression: String,
    names: HashMap<String, String>,
    condition: Condition,
}

impl Update {
    /// An update expression; its values are set together with those of the condition.
    pub(super) fn new(key: Key, expression: impl Into<String>) -> Self {
        Self {
            key,
            expression: expression.into(),
            names: HashMap::new(),
            condition: Condition::default(),
        }
    }

    /// Adds a condition.
    pub(super) fn only_if(mut self, expression: impl Into<String>) -> Self {
        self.condition.expression = Some(expression.into());
        self
    }

    /// Sets a name of the expressions.
    pub(super) fn name(mut self, placeholder: &str, name: impl Into<String>) -> Self {
        self.names.insert(placeholder.to_owned(), name.into());
        self
    }

    /// Sets a value of the expressions.
    pub(super) fn value(mut self, name: &str, value: AttributeValue) -> Self {
        self.condition = self.condition.value(name, value);
        self
    }

    /// Sends the update. Returns the item afterwards, or the existing item if the condition failed.
    pub(super) async fn send(self, app: &App) -> Result<Written> {
        app.meter.call();
        let result = app
            .outside
            .clients
            .dynamodb
            .update_item()
            .table_name(&app.config().table)
            .set_key(Some(key_attributes(&self.key)))
            .update_expression(self.expression)
            .set_condition_expression(self.condition.expression.clone())
            .set_expression_attribute_names((!self.names.is_empty()).then_some(self.names))
            .set_expression_attribute_values(self.condition.values())
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match result {
            Ok(output) => {
                meter_write(app, output.consumed_capacity());
                Ok(Written::Done(Item(output.attributes.unwrap_or_default())))
            }
            Err(error) => match error.as_service_error() {
                Some(aws_sdk_dynamodb::operation::update_item::UpdateItemError::ConditionalCheckFailedException(
                    refusal,
                )) => {
                    app.meter.write(1.0);
                    Ok(Written::Refused(Item(refusal.item().cloned().unwrap_or_default())))
                }
                _ => Err(failed(error)),
            },
        }
    }
}

/// Deletes an item and returns it; none if it did not exist.
pub(super) async fn take(app: &App, key: &Key) -> Result<Option<Item>> {
    app.meter.call();
    let output = app
        .outside
        .clients
        .dynamodb
        .delete_item()
        .table_name(&app.config().table)
        .set_key(Some(key_attributes(key)))
        .return_values(ReturnValue::AllOld)
        .return_consumed_capacity(ReturnConsumedCapacity::Total)
        .send()
        .await
        .map_err(failed)?;
    meter_write(app, output.consumed_capacity());
    Ok(output.attributes.map(Item))
}

/// Checks that the table is reachable, by reading an item that does not exist.
pub async fn ready(app: &App) -> Result<()> {
    get(app, &keys::rate("ready"), Consistency::Eventual)
        .await
        .map(|_| ())
}

fn meter_read(app: &App, capacity: Option<&ConsumedCapacity>) {
    app.meter.read(
        capacity
            .and_then(ConsumedCapacity::capacity_units)
            .unwrap_or_default(),
    );
}

fn meter_write(app: &App, capacity: Option<&ConsumedCapacity>) {
    app.meter.write(
        capacity
            .and_then(ConsumedCapacity::capacity_units)
            .unwrap_or_default(),
    );
}

/// Waits between attempts: full jitter over a doubling range, a bounded number of times.
#[derive(Debug)]
pub(crate) struct Backoff {
    tries: u32,
    limit: u32,
}

impl Backoff {
    const FIRST_MILLISECONDS: u64 = 4;
    const LONGEST_MILLISECONDS: u64 = 250;

    /// At most `limit` waits.
    pub(crate) fn new(limit: u32) -> Self {
        Self { tries: 0, limit }
    }

    /// Waits, or fails if the limit is reached.
    pub(crate) async fn wait(&mut self, doing: &str) -> Result<()> {
        if self.tries >= self.limit {
            return Err(Error::unavailable(format!(
                "gave up {doing} after {} tries",
                self.tries
            )));
        }
        let longest = (Self::FIRST_MILLISECONDS << self.tries.min(10)).min(Self::LONGEST_MILLISECONDS);
        self.tries += 1;
        tokio::time::sleep(std::time::Duration::from_micros(fastrand::u64(
            0..=longest * 1000,
        )))
        .await;
        Ok(())
    }
}
