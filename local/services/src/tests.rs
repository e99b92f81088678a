//! The services through real SDK clients.

mod connections;
mod dynamodb;
mod faults;
mod kill;
mod leading_keys;
mod objects;
mod queues;
mod queues_over_sdk;
mod rights;

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;

use crate::{QueueSpec, SECRET_KEY, Service, Services, Storage, TableSpec};

/// Builds an SDK client of a function, with or without retries.
macro_rules! client {
    ($sdk:ident, $service:ident, $services:expr) => {{
        let connector = $services.connector("send_message");
        let retries = $sdk::config::retry::RetryConfig::disabled();
        $sdk::Client::from_conf(
            $sdk::Config::builder()
                .behavior_version($sdk::config::BehaviorVersion::latest())
                .credentials_provider(crate::tests::credentials())
                .region($sdk::config::Region::new("us-east-1"))
                .endpoint_url(crate::Service::$service.endpoint())
                .http_client(aws_smithy_runtime_api::client::http::http_client_fn(
                    move |_, _| connector.clone(),
                ))
                .retry_config(retries)
                .build(),
        )
    }};
}
pub(crate) use client;

pub(crate) fn credentials() -> Credentials {
    Credentials::new("send_message", SECRET_KEY, None, None, "desk")
}

pub(crate) fn services() -> Services {
    let services = Services::open(Storage::Memory).unwrap();
    services.create_table(&table()).unwrap();
    services
}

pub(crate) fn table() -> TableSpec {
    TableSpec {
        create_table_json: json!({
            "TableName": "tidings",
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [
                { "AttributeName": "pk", "AttributeType": "S" },
                { "AttributeName": "sk", "AttributeType": "S" },
            ],
            "KeySchema": [
                { "AttributeName": "pk", "KeyType": "HASH" },
                { "AttributeName": "sk", "KeyType": "RANGE" },
            ],
        }),
        ttl_attribute: Some("expires_at".to_owned()),
    }
}

pub(crate) fn queue(name: &str) -> QueueSpec {
    QueueSpec {
        name: name.to_owned(),
        visibility_timeout_seconds: 30,
        delay_seconds: 0,
        retention_seconds: 345_600,
        max_receive_count: None,
        dead_letter_queue: None,
    }
}

pub(crate) fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

#[test]
fn every_endpoint_leads_to_its_service() {
    for service in [Service::DynamoDb, Service::Sqs, Service::S3, Service::Connections] {
        let host = service.endpoint().strip_prefix("http://").unwrap();
        assert_eq!(Service::of_host(host), Some(service));
    }
    assert_eq!(Service::of_host("sqs.us-east-1.amazonaws.com"), None);
}
