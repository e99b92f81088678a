//! Batch reads and writes.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{
    DeleteRequest, KeysAndAttributes, PutRequest, ReturnConsumedCapacity, WriteRequest,
};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};

use super::{Backoff, Consistency, meter_read, meter_write};
use crate::App;
use crate::clients::failed;
use crate::error::{Error, Result};
use crate::store::item::{Item, key_attributes};
use crate::store::keys::{self, Key};

/// The most keys of one batch read, and the most items of one batch write (AWS: 100 and 25).
const BATCH_READ: usize = 100;
const BATCH_WRITE: usize = 25;
/// How many batches are sent concurrently.
const PARALLEL: usize = 8;
/// How often unprocessed items of a batch are requested again.
const BATCH_ATTEMPTS: u32 = 8;

/// Reads many items; missing ones are not in the result. Duplicate keys are read once.
pub(in crate::store) async fn get_many(
    app: &App,
    keys: Vec<Key>,
    consistency: Consistency,
) -> Result<HashMap<Key, Item>> {
    let mut keys = keys;
    keys.sort();
    keys.dedup();
    let batches: Vec<Vec<Key>> = keys.chunks(BATCH_READ).map(<[Key]>::to_vec).collect();
    let found: Vec<Vec<Item>> = stream::iter(batches)
        .map(|batch| get_batch(app, batch, consistency))
        .buffer_unordered(PARALLEL)
        .try_collect()
        .await?;
    found
        .into_iter()
        .flatten()
        .map(|item| Ok((key_of(&item)?, item)))
        .collect()
}

async fn get_batch(app: &App, batch: Vec<Key>, consistency: Consistency) -> Result<Vec<Item>> {
    let table = &app.config().table;
    let mut wanted: Vec<_> = batch.iter().map(key_attributes).collect();
    let mut found = Vec::with_capacity(wanted.len());
    let mut backoff = Backoff::new(BATCH_ATTEMPTS);
    while !wanted.is_empty() {
        let request = KeysAndAttributes::builder()
            .set_keys(Some(wanted))
            .consistent_read(consistency == Consistency::Strong)
            .build()
            .map_err(Error::internal)?;
        app.meter.call();
        let output = app
            .outside
            .clients
            .dynamodb
            .batch_get_item()
            .request_items(table, request)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(failed)?;
        output
            .consumed_capacity()
            .iter()
            .for_each(|capacity| meter_read(app, Some(capacity)));
        found.extend(
            output
                .responses
                .unwrap_or_default()
                .remove(table)
                .unwrap_or_default()
                .into_iter()
                .map(Item),
        );
        // DynamoDB returns keys that it had no capacity for, and they are requested again.
        let left = output.unprocessed_keys.unwrap_or_default().remove(table);
        wanted = left.map(|left| left.keys).unwrap_or_default();
        if !wanted.is_empty() {
            backoff.wait("reading a batch").await?;
        }
    }
    Ok(found)
}

/// Writes many items without conditions: for items that nobody can see yet.
pub(in crate::store) async fn put_many(app: &App, items: Vec<Item>) -> Result<()> {
    let put = |item: Item| {
        let put = PutRequest::builder()
            .set_item(Some(item.0))
            .build()
            .map_err(Error::internal)?;
        Ok(WriteRequest::builder().put_request(put).build())
    };
    write_many(app, items.into_iter().map(put).collect::<Result<_>>()?).await
}

/// Deletes many items without conditions: those that nobody has seen.
pub(in crate::store) async fn remove_many(app: &App, keys: Vec<Key>) -> Result<()> {
    let remove = |key: &Key| {
        let delete = DeleteRequest::builder().set_key(Some(key_attributes(key)));
        let delete = delete.build().map_err(Error::internal)?;
        Ok(WriteRequest::builder().delete_request(delete).build())
    };
    write_many(app, keys.iter().map(remove).collect::<Result<_>>()?).await
}

async fn write_many(app: &App, requests: Vec<WriteRequest>) -> Result<()> {
    let batches: Vec<Vec<WriteRequest>> = requests.chunks(BATCH_WRITE).map(<[_]>::to_vec).collect();
    stream::iter(batches)
        .map(|batch| write_batch(app, batch))
        .buffer_unordered(PARALLEL)
        .try_collect()
        .await
}

async fn write_batch(app: &App, batch: Vec<WriteRequest>) -> Result<()> {
    let table = &app.config().table;
    let mut requests = batch;
    let mut backoff = Backoff::new(BATCH_ATTEMPTS);
    while !requests.is_empty() {
        app.meter.call();
        let output = app
            .outside
            .clients
            .dynamodb
            .batch_write_item()
            .request_items(table, requests)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(failed)?;
        output
            .consumed_capacity()
            .iter()
            .for_each(|capacity| meter_write(app, Some(capacity)));
        requests = output
            .unprocessed_items
            .unwrap_or_default()
            .remove(table)
            .unwrap_or_default();
        if !requests.is_empty() {
            backoff.wait("writing a batch").await?;
        }
    }
    Ok(())
}

/// The key of an item that was read.
pub(in crate::store) fn key_of(item: &Item) -> Result<Key> {
    Ok(Key {
        partition: item.get_text(keys::PARTITION)?.to_owned(),
        sort: item.sort()?.to_owned(),
    })
}
