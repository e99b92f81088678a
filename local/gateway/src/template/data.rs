//! Queues, tables and buckets.

use serde_json::{Map, Value, json};

use super::intrinsics::{Fault, blame, flag, list, number, text};
use super::resolve::Document;
use super::{BucketSpec, CorsSpec, QueueSpec, Redrive, TableSpec, TemplateError};

const QUEUE: &str = "AWS::SQS::Queue";

/// What of a table's properties `CreateTable` takes too; the rest is set in other ways or means nothing here.
const TABLE_FIELDS: [&str; 6] = [
    "AttributeDefinitions",
    "KeySchema",
    "BillingMode",
    "ProvisionedThroughput",
    "GlobalSecondaryIndexes",
    "LocalSecondaryIndexes",
];
const INDEX_FIELDS: [&str; 4] = ["IndexName", "KeySchema", "Projection", "ProvisionedThroughput"];

pub(super) fn queues(document: &Document<'_>) -> Result<Vec<QueueSpec>, TemplateError> {
    let resources = document.resources(QUEUE)?;
    resources
        .into_iter()
        .map(|(id, raw)| queue(document, id, raw).map_err(|fault| blame(id, fault)))
        .collect()
}

pub(super) fn tables(document: &Document<'_>) -> Result<Vec<TableSpec>, TemplateError> {
    let resources = document.resources("AWS::DynamoDB::Table")?;
    resources
        .into_iter()
        .map(|(id, raw)| table(document, id, raw).map_err(|fault| blame(id, fault)))
        .collect()
}

pub(super) fn buckets(document: &Document<'_>) -> Result<Vec<BucketSpec>, TemplateError> {
    let resources = document.resources("AWS::S3::Bucket")?;
    resources
        .into_iter()
        .map(|(id, raw)| bucket(document, id, raw).map_err(|fault| blame(id, fault)))
        .collect()
}

fn bucket(document: &Document<'_>, id: &str, raw: &Value) -> Result<BucketSpec, Fault> {
    let properties = document.resolve(raw)?;
    let rules = properties
        .pointer("/CorsConfiguration/CorsRules")
        .and_then(Value::as_array);
    let cors = rules.into_iter().flatten().map(|rule| {
        Ok(CorsSpec {
            allow_origins: list(rule, "AllowedOrigins")?,
            allow_methods: list(rule, "AllowedMethods")?,
            allow_headers: list(rule, "AllowedHeaders")?,
            expose_headers: list(rule, "ExposedHeaders")?,
            allow_credentials: true,
            max_age_seconds: number(rule, "MaxAge")?,
        })
    });
    Ok(BucketSpec {
        logical_id: id.to_owned(),
        name: document.deployed_name(id)?,
        cors: cors.collect::<Result<_, Fault>>()?,
        is_locked: flag(&properties, "ObjectLockEnabled")?,
    })
}

fn queue(document: &Document<'_>, id: &str, raw: &Value) -> Result<QueueSpec, Fault> {
    let properties = document.resolve(raw)?;
    let redrive = match (raw.get("RedrivePolicy"), properties.get("RedrivePolicy")) {
        (Some(raw), Some(resolved)) => {
            let target = raw
                .get("deadLetterTargetArn")
                .ok_or("RedrivePolicy has no deadLetterTargetArn")?;
            let queue = document.referenced(target, QUEUE)?;
            Some(Redrive {
                dead_letter_queue: queue.ok_or("deadLetterTargetArn names no queue of this template")?,
                max_receive_count: number(resolved, "maxReceiveCount")?
                    .ok_or("RedrivePolicy has no maxReceiveCount")?,
            })
        }
        _ => None,
    };
    Ok(QueueSpec {
        logical_id: id.to_owned(),
        name: document.deployed_name(id)?,
        visibility_timeout_seconds: number(&properties, "VisibilityTimeout")?.unwrap_or(30),
        delay_seconds: number(&properties, "DelaySeconds")?.unwrap_or(0),
        retention_seconds: number(&properties, "MessageRetentionPeriod")?.unwrap_or(4 * 24 * 60 * 60),
        fifo: flag(&properties, "FifoQueue")?,
        redrive,
    })
}

fn table(document: &Document<'_>, id: &str, raw: &Value) -> Result<TableSpec, Fault> {
    let properties = document.resolve(raw)?;
    let name = document.deployed_name(id)?;
    let mut request = Map::new();
    request.insert("TableName".into(), name.as_str().into());
    for field in TABLE_FIELDS {
        let Some(value) = properties.get(field) else {
            continue;
        };
        let value = match field {
            "GlobalSecondaryIndexes" | "LocalSecondaryIndexes" => indexes(value)?,
            "ProvisionedThroughput" => throughput(value)?,
            _ => value.clone(),
        };
        request.insert(field.to_owned(), value);
    }
    if !request.contains_key("KeySchema") {
        return Err("KeySchema is missing".to_owned());
    }
    if let Some(view) = properties.pointer("/StreamSpecification/StreamViewType") {
        let stream = json!({ "StreamEnabled": true, "StreamViewType": view });
        request.insert("StreamSpecification".into(), stream);
    }
    let ttl = properties.get("TimeToLiveSpecification").unwrap_or(&Value::Null);
    let ttl_attribute = if flag(ttl, "Enabled")? {
        Some(
            text(ttl, "AttributeName")
                .ok_or("TimeToLiveSpecification has no AttributeName")?
                .to_owned(),
        )
    } else {
        None
    };
    Ok(TableSpec {
        logical_id: id.to_owned(),
        name,
        create_table: request.into(),
        ttl_attribute,
    })
}

fn indexes(value: &Value) -> Result<Value, Fault> {
    let mut indexes = Vec::new();
    for index in value.as_array().ok_or("an index list is no list")? {
        let mut kept = Map::new();
        for field in INDEX_FIELDS {
            let Some(value) = index.get(field) else { continue };
            let value = if field == "ProvisionedThroughput" {
                throughput(value)?
            } else {
                value.clone()
            };
            kept.insert(field.to_owned(), value);
        }
        indexes.push(Value::Object(kept));
    }
    Ok(Value::Array(indexes))
}

/// Parameters give figures as text; `CreateTable` wants numbers.
fn throughput(value: &Value) -> Result<Value, Fault> {
    let read = number(value, "ReadCapacityUnits")?;
    let write = number(value, "WriteCapacityUnits")?;
    Ok(json!({ "ReadCapacityUnits": read, "WriteCapacityUnits": write }))
}
