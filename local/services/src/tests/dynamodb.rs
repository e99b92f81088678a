//! The table through the SDK.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{
    AttributeValue, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};

use super::{client, services, table, text};

fn put(sk: &str) -> Put {
    Put::builder()
        .table_name("tidings")
        .item("pk", text("C#1"))
        .item("sk", text(sk))
        .condition_expression("attribute_not_exists(pk)")
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .build()
        .unwrap()
}

async fn put_head(client: &Client) {
    client
        .put_item()
        .table_name("tidings")
        .item("pk", text("C#1"))
        .item("sk", text("HEAD"))
        .item("last_seq", AttributeValue::N("7".to_owned()))
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn an_item_comes_back_as_it_was_put() {
    let services = services();
    let client = client!(aws_sdk_dynamodb, DynamoDb, services);
    put_head(&client).await;

    let got = client
        .get_item()
        .table_name("tidings")
        .key("pk", text("C#1"))
        .key("sk", text("HEAD"))
        .send()
        .await
        .unwrap();

    assert_eq!(got.item.unwrap()["last_seq"], AttributeValue::N("7".to_owned()));
    assert!(got.consumed_capacity.is_none());
}

/// One thread is all that the desk has.
#[tokio::test(flavor = "current_thread")]
async fn whoever_calls_on_and_on_lets_others_have_their_turn() {
    let services = services();
    let client = client!(aws_sdk_dynamodb, DynamoDb, services);
    put_head(&client).await;
    let others_turn = tokio::spawn(async {});
    let mut calls = 0;
    while !others_turn.is_finished() {
        put_head(&client).await;
        calls += 1;
        assert!(calls < 1_000, "nobody else has had a turn in {calls} calls");
    }
}

#[tokio::test]
async fn a_failed_condition_gives_the_old_item_and_undoes_the_transaction() {
    let services = services();
    let client = client!(aws_sdk_dynamodb, DynamoDb, services);
    put_head(&client).await;

    let error = client
        .transact_write_items()
        .transact_items(TransactWriteItem::builder().put(put("1")).build())
        .transact_items(TransactWriteItem::builder().put(put("HEAD")).build())
        .send()
        .await
        .unwrap_err()
        .into_service_error();

    assert!(error.is_transaction_canceled_exception());
    let aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::TransactionCanceledException(
        cancelled,
    ) = error
    else {
        unreachable!("it was just seen to be one")
    };
    let reasons = cancelled.cancellation_reasons();
    assert_eq!(reasons[0].code(), Some("None"));
    assert_eq!(reasons[1].code(), Some("ConditionalCheckFailed"));
    assert_eq!(
        reasons[1].item().unwrap()["last_seq"],
        AttributeValue::N("7".to_owned())
    );
    let found = client
        .query()
        .table_name("tidings")
        .key_condition_expression("pk = :pk")
        .expression_attribute_values(":pk", text("C#1"))
        .send()
        .await
        .unwrap();
    assert_eq!(found.count, 1);
}

#[tokio::test]
async fn a_transaction_updates_under_its_condition() {
    let services = services();
    let client = client!(aws_sdk_dynamodb, DynamoDb, services);
    put_head(&client).await;
    let update = Update::builder()
        .table_name("tidings")
        .key("pk", text("C#1"))
        .key("sk", text("HEAD"))
        .update_expression("SET last_seq = :next")
        .condition_expression("last_seq = :last")
        .expression_attribute_values(":next", AttributeValue::N("8".to_owned()))
        .expression_attribute_values(":last", AttributeValue::N("7".to_owned()))
        .build()
        .unwrap();
    let append = || {
        client
            .transact_write_items()
            .transact_items(TransactWriteItem::builder().update(update.clone()).build())
            .send()
    };

    append().await.unwrap();

    assert!(
        append()
            .await
            .unwrap_err()
            .into_service_error()
            .is_transaction_canceled_exception()
    );
}

#[tokio::test]
async fn errors_have_their_types() {
    let services = services();
    let client = client!(aws_sdk_dynamodb, DynamoDb, services);

    let no_table = client
        .get_item()
        .table_name("none")
        .key("pk", text("1"))
        .send()
        .await
        .unwrap_err();
    let no_key = client
        .get_item()
        .table_name("tidings")
        .key("pk", text("1"))
        .send()
        .await
        .unwrap_err();
    let unknown = client.list_tables().send().await.unwrap_err();

    assert!(no_table.into_service_error().is_resource_not_found_exception());
    assert_eq!(no_key.into_service_error().code(), Some("ValidationException"));
    assert_eq!(
        unknown.into_service_error().code(),
        Some("UnknownOperationException")
    );
}

#[tokio::test]
async fn a_table_is_created_once_and_expired_items_are_swept() {
    let services = services();
    services.create_table(&table()).unwrap();
    let client = client!(aws_sdk_dynamodb, DynamoDb, services);
    let item = |sk: &str, expires_at: &str| {
        let request = client
            .put_item()
            .table_name("tidings")
            .item("pk", text("U#1"))
            .item("sk", text(sk));
        request
            .item("expires_at", AttributeValue::N(expires_at.to_owned()))
            .send()
    };
    item("past", "1700000000").await.unwrap();
    item("future", "9900000000").await.unwrap();

    assert_eq!(services.sweep_ttl().unwrap(), 1);
}
