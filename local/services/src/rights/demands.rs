//! The actions and resources that IAM checks for a call.
//!
//! From AWS's *Actions, resources, and condition keys* of each service, and for transactions from *Using IAM with
//! DynamoDB transactions*: a transaction needs the rights of its parts, a batch the right to make a batch.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Request;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde::de::IgnoredAny;

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
            let table = table_arn(&asked.table_name?);
            let resource = match asked.index_name {
                Some(index) => format!("{table}/index/{index}"),
                None => table,
            };
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
