//! Roles that are bound to some partitions of the table (`dynamodb:LeadingKeys`), through the SDK.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, DeleteRequest, Get, KeysAndAttributes, Put, PutRequest,
    TransactGetItem, TransactWriteItem, Update, WriteRequest,
};

use super::{client, services, text};
use crate::{Rights, Statement};

const ACTIONS: &str = "dynamodb:*";

/// A client of a function that may do everything in the partitions `K#…` and `R#…`, and nothing elsewhere.
fn bound() -> Client {
    let services = services();
    let statement = Statement {
        allows: true,
        actions: vec![ACTIONS.to_owned()],
        resources: vec!["arn:aws:dynamodb:us-east-1:000000000000:table/tidings*".to_owned()],
        leading_keys: vec!["K#*".to_owned(), "R#*".to_owned()],
    };
    let rights = Rights::new("")
        .with_partition_key("tidings", None, "pk")
        .with_partition_key("tidings", Some("by_user"), "gp")
        .with("send_message", &[statement]);
    services.set_rights(rights);
    client!(aws_sdk_dynamodb, DynamoDb, services)
}

fn key(partition: &str) -> HashMap<String, AttributeValue> {
    HashMap::from([("pk", partition), ("sk", "S")].map(|(name, value)| (name.to_owned(), text(value))))
}

/// Whether the role let a call through, whatever the table made of it.
fn is_allowed<T, E: ProvideErrorMetadata>(result: Result<T, SdkError<E>>) -> bool {
    !result.is_err_and(|error| error.code() == Some("AccessDeniedException"))
}

const INSIDE: [&str; 2] = ["K#1", "R#me"];
const OUTSIDE: [&str; 5] = ["U#1", "L#1", "", "k#1", "XK#1"];

#[tokio::test]
async fn a_call_about_one_item_is_bound_to_its_partition() {
    let client = bound();
    for (partition, allowed) in INSIDE
        .map(|of| (of, true))
        .into_iter()
        .chain(OUTSIDE.map(|of| (of, false)))
    {
        // DynamoDB takes no empty keys, which is not what this is about.
        let key = || Some(key(if partition.is_empty() { " " } else { partition }));
        let put = client.put_item().table_name("tidings").set_item(key());
        assert_eq!(is_allowed(put.send().await), allowed, "put {partition}");
        let get = client.get_item().table_name("tidings").set_key(key());
        assert_eq!(is_allowed(get.send().await), allowed, "get {partition}");
        let update = client.update_item().table_name("tidings").set_key(key());
        let update = update
            .update_expression("SET a = :a")
            .expression_attribute_values(":a", text("1"));
        assert_eq!(is_allowed(update.send().await), allowed, "update {partition}");
        let delete = client.delete_item().table_name("tidings").set_key(key());
        assert_eq!(is_allowed(delete.send().await), allowed, "delete {partition}");
    }
}

#[tokio::test]
async fn a_query_is_bound_by_the_key_of_what_it_asks() {
    let client = bound();
    let query = |condition: &str, partition: &str| {
        let query = client
            .query()
            .table_name("tidings")
            .key_condition_expression(condition);
        query.expression_attribute_values(":p", text(partition))
    };
    for (partition, allowed) in [("K#1", true), ("R#1", true), ("U#1", false)] {
        assert_eq!(is_allowed(query("pk = :p", partition).send().await), allowed);
        let between = query("#s BETWEEN :from AND :to AND #p = :p", partition)
            .expression_attribute_names("#p", "pk")
            .expression_attribute_names("#s", "sk")
            .expression_attribute_values(":from", text("K#"))
            .expression_attribute_values(":to", text("R#"));
        assert_eq!(is_allowed(between.send().await), allowed);
        // The key of the index counts there, and not that of the table.
        let by_user = query("gp = :p", partition).index_name("by_user");
        assert_eq!(is_allowed(by_user.send().await), allowed);
    }
    // A scan has no partition.
    assert!(!is_allowed(client.scan().table_name("tidings").send().await));
}

#[tokio::test]
async fn a_batch_and_a_transaction_are_bound_by_every_item_of_theirs() {
    let client = bound();
    for (other, allowed) in [("R#1", true), ("U#1", false)] {
        let both = ["K#1", other];
        let keys = KeysAndAttributes::builder().set_keys(Some(both.map(key).to_vec()));
        let get = client
            .batch_get_item()
            .request_items("tidings", keys.build().unwrap());
        assert_eq!(is_allowed(get.send().await), allowed, "batch get {other}");

        let put = PutRequest::builder().set_item(Some(key("K#1"))).build().unwrap();
        let delete = DeleteRequest::builder()
            .set_key(Some(key(other)))
            .build()
            .unwrap();
        let writes = vec![
            WriteRequest::builder().put_request(put).build(),
            WriteRequest::builder().delete_request(delete).build(),
        ];
        let write = client.batch_write_item().request_items("tidings", writes);
        assert_eq!(is_allowed(write.send().await), allowed, "batch write {other}");

        let get = |partition: &str| {
            let get = Get::builder().table_name("tidings").set_key(Some(key(partition)));
            TransactGetItem::builder().get(get.build().unwrap()).build()
        };
        let gets = client
            .transact_get_items()
            .set_transact_items(Some(both.map(get).to_vec()));
        assert_eq!(is_allowed(gets.send().await), allowed, "transact get {other}");

        let put = Put::builder()
            .table_name("tidings")
            .set_item(Some(key("K#1")))
            .build()
            .unwrap();
        let update = Update::builder()
            .table_name("tidings")
            .set_key(Some(key(other)))
            .update_expression("SET a = :a")
            .expression_attribute_values(":a", text("1"))
            .build()
            .unwrap();
        let delete = Delete::builder()
            .table_name("tidings")
            .set_key(Some(key(other)))
            .build()
            .unwrap();
        let check = ConditionCheck::builder()
            .table_name("tidings")
            .set_key(Some(key(other)))
            .condition_expression("attribute_not_exists(b)")
            .build()
            .unwrap();
        let item = TransactWriteItem::builder;
        for part in [
            item().update(update),
            item().delete(delete),
            item().condition_check(check),
        ] {
            let write = client
                .transact_write_items()
                .transact_items(item().put(put.clone()).build())
                .transact_items(part.build());
            assert_eq!(is_allowed(write.send().await), allowed, "transact write {other}");
        }
    }
}
