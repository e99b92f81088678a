//! Queries of one item collection.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};

use super::{Consistency, meter_read};
use crate::App;
use crate::clients::failed;
use crate::error::Result;
use crate::store::item::Item;
use crate::store::keys;

/// A query of one item collection.
#[derive(Debug)]
pub(in crate::store) struct Query {
    partition: String,
    from: String,
    to: String,
    index: bool,
    newest_first: bool,
    limit: Option<u32>,
    consistency: Consistency,
}

impl Query {
    /// Items of a partition with sort keys from `from` to `to`, both included.
    pub(in crate::store) fn between(
        partition: String,
        from: impl Into<String>,
        to: impl Into<String>,
    ) -> Self {
        Self {
            partition,
            from: from.into(),
            to: to.into(),
            index: false,
            newest_first: false,
            limit: None,
            consistency: Consistency::Strong,
        }
    }

    /// Queries the index [`keys::BY_USER`] instead of the table. An index is always eventually consistent.
    pub(in crate::store) fn by_user(mut self) -> Self {
        self.index = true;
        self.consistency = Consistency::Eventual;
        self
    }

    /// Largest sort key first.
    pub(in crate::store) fn newest_first(mut self, yes: bool) -> Self {
        self.newest_first = yes;
        self
    }

    /// At most `limit` items.
    pub(in crate::store) fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Sets the consistency.
    pub(in crate::store) fn consistency(mut self, consistency: Consistency) -> Self {
        self.consistency = consistency;
        self
    }

    /// All matching items, page by page (a page of DynamoDB ends after 1 MB).
    pub(in crate::store) async fn all(self, app: &App) -> Result<Vec<Item>> {
        let (partition, sort) = if self.index {
            (keys::BY_USER_PARTITION, keys::BY_USER_SORT)
        } else {
            (keys::PARTITION, keys::SORT)
        };
        let mut found: Vec<Item> = Vec::new();
        let mut start: Option<HashMap<String, AttributeValue>> = None;
        loop {
            let left = self
                .limit
                .map(|limit| limit.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX)));
            app.meter.call();
            let output = app
                .outside
                .clients
                .dynamodb
                .query()
                .table_name(&app.config().table)
                .set_index_name(self.index.then(|| keys::BY_USER.to_owned()))
                .key_condition_expression("#p = :p AND #s BETWEEN :from AND :to")
                .expression_attribute_names("#p", partition)
                .expression_attribute_names("#s", sort)
                .expression_attribute_values(":p", AttributeValue::S(self.partition.clone()))
                .expression_attribute_values(":from", AttributeValue::S(self.from.clone()))
                .expression_attribute_values(":to", AttributeValue::S(self.to.clone()))
                .scan_index_forward(!self.newest_first)
                .consistent_read(self.consistency == Consistency::Strong)
                .set_limit(left.map(|left| i32::try_from(left).unwrap_or(i32::MAX)))
                .set_exclusive_start_key(start)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(failed)?;
            meter_read(app, output.consumed_capacity());
            found.extend(output.items.unwrap_or_default().into_iter().map(Item));
            start = output.last_evaluated_key;
            let full = self.limit.is_some_and(|limit| found.len() >= limit as usize);
            if full || start.is_none() {
                return Ok(found);
            }
        }
    }
}
