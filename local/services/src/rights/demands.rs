//! The actions and resources that IAM checks for a call.
//!
//! From AWS's *Actions, resources, and condition keys* of each service, and for transactions from *Using IAM with
//! DynamoDB transactions*: a transaction needs the rights of its parts, a batch the right to make a batch.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use http::Request;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::interceptor::Service;
use crate::objects::operation::COPY_SOURCE;
use crate::queues;

const REGION: &str = "us-east-1";
const ACCOUNT: &str = "000000000000";

/// An action on a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Demand {
    pub(super) action: String,
    pub(super) resource: String,
}

fn demand(action: impl Into<String>, resource: impl Into<String>) -> Demand {
    Demand {
        action: action.into(),
        resource: resource.into(),
    }
}

/// Everything that a call needs. One that cannot be parsed needs everything.
pub(super) fn of(
    service: Service,
    operation: &str,
    request: &Request<Bytes>,
    websocket_arn: &str,
) -> Vec<Demand> {
    let found = match service {
        Service::DynamoDb => of_table(operation, request.body()),
        Service::Sqs => of_queue(operation, request.body()),
        Service::S3 => of_bucket(operation, request),
        Service::Connections => of_connection(request, websocket_arn),
    };
    found
        .filter(|demands| !demands.is_empty())
        .unwrap_or_else(|| vec![demand("*", "*")])
}

/// The parts of a `DynamoDB` request that matter for rights.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(
    clippy::zero_sized_map_values,
    reason = "a JSON object of which only the names matter"
)]
struct ToTable {
    table_name: Option<String>,
    index_name: Option<String>,
    #[serde(default)]
    request_items: BTreeMap<String, IgnoredAny>,
    #[serde(default)]
    transact_items: Vec<BTreeMap<String, PartOfTransaction>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PartOfTransaction {
    table_name: String,
}

fn of_table(operation: &str, body: &[u8]) -> Option<Vec<Demand>> {
    let asked: ToTable = serde_json::from_slice(body).ok()?;
    let action = format!("dynamodb:{operation}");
    Some(match operation {
        "TransactWriteItems" | "TransactGetItems" => asked
            .transact_items
            .iter()
            .flatten()
            .map(|(part, of)| {
                let action = match part.as_str() {
                    "ConditionCheck" => "dynamodb:ConditionCheckItem".to_owned(),
                    part => format!("dynamodb:{part}Item"),
                };
                demand(action, table_arn(&of.table_name))
            })
            .collect(),
        "BatchGetItem" | "BatchWriteItem" => asked
            .request_items
            .keys()
            .map(|table| demand(action.clone(), table_arn(table)))
            .collect(),
        _ => {
            let resource = table_or_index_arn(&asked.table_name?, asked.index_name.as_deref());
            vec![demand(action, resource)]
        }
    })
}

/// A request may name a table by its ARN too.
fn table_arn(table: &str) -> String {
    if table.starts_with("arn:") {
        table.to_owned()
    } else {
        format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}")
    }
}

/// The ARN of a table, or of an index of it.
pub(super) fn table_or_index_arn(table: &str, index: Option<&str>) -> String {
    let table = table_arn(table);
    index.map_or_else(|| table.clone(), |index| format!("{table}/index/{index}"))
}

/// The partition keys of all items that a call to the table is about, which IAM knows as `dynamodb:LeadingKeys`; none
/// if they cannot be told. `attributes` are those of the keys, by the ARNs of tables and indexes.
pub(super) fn leading_keys(
    operation: &str,
    body: &[u8],
    attributes: &HashMap<String, String>,
) -> Option<Vec<String>> {
    let asked: Value = serde_json::from_slice(body).ok()?;
    let attribute = |table: &str| attributes.get(&table_arn(table)).map(String::as_str);
    // An item or a key of one.
    let of_item = |table: &str, item: &Value| text(item.get(attribute(table)?)?);
    let name = |of: &Value| Some(of.get("TableName")?.as_str()?.to_owned());
    let of_request = |of: &Value| of_item(&name(of)?, of.get("Key").or_else(|| of.get("Item"))?);
    match operation {
        "DeleteItem" | "GetItem" | "PutItem" | "UpdateItem" => Some(vec![of_request(&asked)?]),
        "Query" => {
            let index = asked.get("IndexName").and_then(Value::as_str);
            let attribute = attributes.get(&table_or_index_arn(&name(&asked)?, index))?;
            Some(vec![queried(&asked, attribute)?])
        }
        "TransactGetItems" | "TransactWriteItems" => {
            let parts = asked.get("TransactItems")?.as_array()?.iter();
            parts
                .flat_map(|part| part.as_object().into_iter().flat_map(|part| part.values()))
                .map(of_request)
                .collect()
        }
        "BatchGetItem" | "BatchWriteItem" => {
            let mut keys = Vec::new();
            for (table, of_table) in asked.get("RequestItems")?.as_object()? {
                let items = of_table.get("Keys").unwrap_or(of_table).as_array()?;
                for item in items {
                    let put = item.pointer("/PutRequest/Item");
                    let item = put.or_else(|| item.pointer("/DeleteRequest/Key")).unwrap_or(item);
                    keys.push(of_item(table, item)?);
                }
            }
            Some(keys)
        }
        _ => None,
    }
}

/// What a query says that the attribute of the partition key is equal to.
fn queried(asked: &Value, attribute: &str) -> Option<String> {
    let of = |place: &str, name: &str| asked.get(place)?.get(name);
    let conditions = asked.get("KeyConditionExpression")?.as_str()?;
    conditions.split(" AND ").find_map(|condition| {
        let (name, value) = condition.split_once('=')?;
        let (name, value) = (name.trim(), value.trim());
        let meant = of("ExpressionAttributeNames", name)
            .and_then(Value::as_str)
            .unwrap_or(name);
        (meant == attribute)
            .then(|| text(of("ExpressionAttributeValues", value)?))
            .flatten()
    })
}

/// The text of a key, whatever its type.
fn text(value: &Value) -> Option<String> {
    Some(value.as_object()?.values().next()?.as_str()?.to_owned())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ToQueue {
    queue_url: Option<String>,
    queue_name: Option<String>,
}

fn of_queue(operation: &str, body: &[u8]) -> Option<Vec<Demand>> {
    let asked: ToQueue = serde_json::from_slice(body).ok()?;
    let queue = match (&asked.queue_url, &asked.queue_name) {
        (Some(url), _) => queues::name(url),
        (None, name) => name.as_deref()?,
    };
    // A batch of an action needs the right for the action.
    let action = operation.strip_suffix("Batch").unwrap_or(operation);
    let resource = format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}");
    Some(vec![demand(format!("sqs:{action}"), resource)])
}

fn of_bucket(operation: &str, request: &Request<Bytes>) -> Option<Vec<Demand>> {
    let action = match operation {
        "HeadBucket" | "ListObjectsV2" => "ListBucket",
        "HeadObject" => "GetObject",
        // A copy reads one object and writes another.
        "CopyObject" => {
            let source = request.headers().get(COPY_SOURCE)?.to_str().ok()?;
            return Some(vec![
                demand("s3:GetObject", object_arn(source)),
                demand("s3:PutObject", object_arn(request.uri().path())),
            ]);
        }
        other => other,
    };
    Some(vec![demand(
        format!("s3:{action}"),
        object_arn(request.uri().path()),
    )])
}

/// What S3 checks before it says that an object does not exist: the right to list objects.
/// Source: AWS, the permissions of `GetObject` and `HeadObject`.
pub(super) fn of_missing(operation: &str, path: &str) -> Option<Demand> {
    let asks = matches!(operation, "GetObject" | "HeadObject" | "CopyObject");
    let (bucket, _) = path.trim_start_matches('/').split_once('/')?;
    asks.then(|| demand("s3:ListBucket", object_arn(bucket)))
}

/// The ARN of a bucket, or of an object in it, from a path.
fn object_arn(path: &str) -> String {
    let place = percent_decode_str(path.trim_start_matches('/')).decode_utf8_lossy();
    format!("arn:aws:s3:::{}", place.trim_end_matches('/'))
}

fn of_connection(request: &Request<Bytes>, websocket_arn: &str) -> Option<Vec<Demand>> {
    let (_, id) = request.uri().path().rsplit_once('/')?;
    let id = percent_decode_str(id).decode_utf8_lossy();
    let resource = format!("{websocket_arn}/{}/@connections/{id}", request.method());
    Some(vec![demand("execute-api:ManageConnections", resource)])
}
