//! Interceptors between functions and services.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::Value;

use super::{client, queue, services, text};
use crate::{Call, Interceptor, Services, Verdict};

/// Says the same at every call, and notes the calls.
struct Always {
    before: Verdict,
    after: Verdict,
    calls: Mutex<Vec<String>>,
    answers: Mutex<Vec<Value>>,
}

impl Interceptor for Always {
    fn before<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Verdict> {
        self.calls
            .lock()
            .unwrap()
            .push(format!("{} {:?} {}", call.function, call.service, call.operation));
        Box::pin(async { self.before.clone() })
    }

    fn after<'a>(&'a self, _call: &'a Call, _status: u16) -> BoxFuture<'a, Verdict> {
        Box::pin(async { self.after.clone() })
    }

    fn observe(&self, _call: &Call, _status: u16, response: &[u8]) {
        self.answers
            .lock()
            .unwrap()
            .push(serde_json::from_slice(response).unwrap_or_default());
    }
}

fn intercept(services: &Services, before: Verdict, after: Verdict) -> Arc<Always> {
    let always = Arc::new(Always {
        before,
        after,
        calls: Mutex::default(),
        answers: Mutex::default(),
    });
    services.set_interceptor(Some(always.clone()));
    always
}

async fn put(client: &Client) -> Result<(), SdkError<aws_sdk_dynamodb::operation::put_item::PutItemError>> {
    let put = client
        .put_item()
        .table_name("tidings")
        .item("pk", text("1"))
        .item("sk", text("1"));
    put.send().await.map(drop)
}

async fn is_stored(services: &Services, client: &Client) -> bool {
    services.set_interceptor(None);
    let get = client
        .get_item()
        .table_name("tidings")
        .key("pk", text("1"))
        .key("sk", text("1"));
    get.send().await.unwrap().item.is_some()
}

#[tokio::test]
async fn calls_are_described_and_their_cost_is_seen() {
    let services = services();
    services.create_queue(queue("fanout"));
    let seen = intercept(&services, Verdict::Proceed, Verdict::Proceed);

    put(&client!(aws_sdk_dynamodb, DynamoDb, services)).await.unwrap();
    let sqs = client!(aws_sdk_sqs, Sqs, services);
    sqs.send_message()
        .queue_url(queue("fanout").url())
        .message_body("job")
        .send()
        .await
        .unwrap();

    assert_eq!(
        *seen.calls.lock().unwrap(),
        ["send_message DynamoDb PutItem", "send_message Sqs SendMessage"]
    );
    let cost = seen.answers.lock().unwrap()[0]
        .pointer("/ConsumedCapacity/CapacityUnits")
        .unwrap()
        .as_f64();
    assert_eq!(cost, Some(1.0));
}

#[tokio::test]
async fn a_refusal_before_has_no_effect() {
    let services = services();
    let client = client!(aws_sdk_dynamodb, DynamoDb, services);
    intercept(&services, Verdict::throughput_exceeded(), Verdict::Proceed);

    let error = put(&client).await.unwrap_err().into_service_error();

    assert!(error.is_provisioned_throughput_exceeded_exception());
    assert!(!is_stored(&services, &client).await);
}

#[tokio::test]
async fn a_failure_after_has_its_effect() {
    for after in [Verdict::internal_error(), Verdict::Drop, Verdict::TimeOut] {
        let services = services();
        let client = client!(aws_sdk_dynamodb, DynamoDb, services);
        intercept(&services, Verdict::Proceed, after.clone());

        let error = put(&client).await.unwrap_err();

        match (&after, &error) {
            (Verdict::Drop, SdkError::DispatchFailure(failure)) => assert!(failure.is_io()),
            (Verdict::TimeOut, SdkError::DispatchFailure(failure)) => assert!(failure.is_timeout()),
            (_, error) => assert!(error.as_service_error().unwrap().is_internal_server_error()),
        }
        assert!(is_stored(&services, &client).await);
    }
}

/// The caller's task unwinds in the middle of the call, as if the process had ended there.
#[tokio::test]
async fn a_function_dies_before_a_call_or_after_it() {
    for (before, after, stored) in [
        (Verdict::Die, Verdict::Proceed, false),
        (Verdict::Proceed, Verdict::Die, true),
    ] {
        let services = services();
        let client = client!(aws_sdk_dynamodb, DynamoDb, services);
        intercept(&services, before, after);

        let death = AssertUnwindSafe(put(&client)).catch_unwind().await;

        assert!(death.is_err());
        assert_eq!(is_stored(&services, &client).await, stored);
    }
}

#[tokio::test]
async fn a_conflict_names_a_reason_for_each_item() {
    let services = services();
    let client = client!(aws_sdk_dynamodb, DynamoDb, services);
    intercept(&services, Verdict::transaction_conflict(2), Verdict::Proceed);

    let error = client
        .transact_write_items()
        .set_transact_items(Some(Vec::new()))
        .send()
        .await
        .unwrap_err();

    let aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::TransactionCanceledException(
        cancelled,
    ) = error.into_service_error()
    else {
        unreachable!("the interceptor answers so")
    };
    let codes: Vec<_> = cancelled
        .cancellation_reasons()
        .iter()
        .filter_map(|reason| reason.code())
        .collect();
    assert_eq!(codes, ["TransactionConflict", "TransactionConflict"]);
}

#[tokio::test]
async fn queues_throttle_and_roles_deny() {
    let services = services();
    services.create_queue(queue("fanout"));
    let client = client!(aws_sdk_sqs, Sqs, services);
    intercept(&services, Verdict::queue_throttled(), Verdict::Proceed);

    let send = || {
        client
            .send_message()
            .queue_url(queue("fanout").url())
            .message_body("job")
            .send()
    };
    let throttled = send().await.unwrap_err().into_service_error();
    assert!(throttled.is_request_throttled(), "{throttled:?}");
    assert_eq!(services.queues().depth("fanout").unwrap().visible, 0);
}
