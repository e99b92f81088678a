//! Points: the calls of a test, with names that are the same in every run.

use std::fmt;

use local_services::{Call, Service};
use serde_json::Value;

/// A call that a function makes during a test.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Point {
    /// The calling function.
    pub function: String,
    /// What it calls: the operation and the kinds of items, queues or objects that it is about.
    pub call: String,
    /// The occurrence of this call in that function, counted from 1.
    pub occurrence: usize,
}

impl fmt::Display for Point {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} ({})", self.function, self.call, self.occurrence)
    }
}

impl Point {
    /// Whether the call changes nothing.
    pub fn only_reads(&self) -> bool {
        ["BatchGetItem", "GetItem", "Query", "GetObject", "HeadObject"]
            .iter()
            .any(|operation| self.call.starts_with(operation))
    }

    /// Whether the call is a write to the table that a transaction can refuse.
    pub fn writes_to_the_table(&self) -> bool {
        ["PutItem", "UpdateItem", "TransactWriteItems"]
            .iter()
            .any(|operation| self.call.starts_with(operation))
    }

    /// Whether a job makes the call.
    pub fn is_of_a_job(&self) -> bool {
        ["Deliver", "ExportMessages", "Notify"].contains(&self.function.as_str())
    }

    /// The point of a call, with occurrence 1.
    pub(super) fn of(call: &Call) -> Self {
        let request: Value = serde_json::from_slice(&call.request).unwrap_or_default();
        let about = match call.service {
            Service::DynamoDb => keys(&request),
            Service::Sqs => request["QueueUrl"]
                .as_str()
                .and_then(|url| url.rsplit('/').next())
                .unwrap_or_default()
                .to_owned(),
            // The connection or object differs each time.
            Service::S3 | Service::Connections => String::new(),
        };
        Self {
            function: call.function.clone(),
            call: format!("{} {about}", call.operation).trim_end().to_owned(),
            occurrence: 1,
        }
    }
}

/// The kinds of items in a request.
fn keys(request: &Value) -> String {
    let mut kinds = Vec::new();
    collect(request, &mut kinds);
    if kinds.is_empty() {
        // A query has its key among the values of its expressions.
        let values = request["ExpressionAttributeValues"].as_object();
        let texts = values
            .into_iter()
            .flatten()
            .filter_map(|(_, value)| value["S"].as_str());
        kinds.extend(texts.map(kind));
    }
    kinds.sort();
    kinds.dedup();
    kinds.join(" ")
}

/// Collects every object that has a key.
fn collect(value: &Value, kinds: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            if let (Some(partition), Some(sort)) = (value["pk"]["S"].as_str(), value["sk"]["S"].as_str()) {
                kinds.push(format!("{}/{}", kind(partition), kind(sort)));
                return;
            }
            for field in fields.values() {
                collect(field, kinds);
            }
        }
        Value::Array(values) => {
            for value in values {
                collect(value, kinds);
            }
        }
        _ => {}
    }
}

/// A key without its variable parts: ids, numbers and hashes.
fn kind(key: &str) -> String {
    let part = |part: &str| {
        let digits = part.len() > 2 && part.chars().all(|character| character.is_ascii_hexdigit());
        if digits || part.len() > 12 {
            "…".to_owned()
        } else {
            part.to_owned()
        }
    };
    // A day and one of the few shards in which a conversation is marked on it.
    if key.starts_with("D#") {
        return "D#…".to_owned();
    }
    key.split('#').map(part).collect::<Vec<_>>().join("#")
}
