//! The queues through the SDK.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::{
    DeleteMessageBatchRequestEntry, MessageAttributeValue, MessageSystemAttributeName, QueueAttributeName,
    SendMessageBatchRequestEntry, SendMessageBatchResultEntry,
};

use super::{client, queue, services};
use crate::{QueueSpec, Services};

fn desk() -> (Services, Client, String) {
    let services = services();
    services.create_queue(queue("dead"));
    services.create_queue(QueueSpec {
        max_receive_count: Some(5),
        dead_letter_queue: Some("dead".to_owned()),
        ..queue("fanout")
    });
    let client = client!(aws_sdk_sqs, Sqs, services);
    (services, client, queue("fanout").url())
}

fn entry(id: &str, body: &str) -> SendMessageBatchRequestEntry {
    SendMessageBatchRequestEntry::builder()
        .id(id)
        .message_body(body)
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_message_is_sent_received_and_deleted() {
    let (services, client, url) = desk();
    assert_eq!(
        client
            .get_queue_url()
            .queue_name("fanout")
            .send()
            .await
            .unwrap()
            .queue_url(),
        Some(&*url)
    );
    let kind = MessageAttributeValue::builder()
        .data_type("String")
        .string_value("message")
        .build()
        .unwrap();

    let sent = client
        .send_message()
        .queue_url(&url)
        .message_body("hello")
        .message_attributes("kind", kind.clone())
        .send()
        .await
        .unwrap();
    let received = client
        .receive_message()
        .queue_url(&url)
        .max_number_of_messages(10)
        .wait_time_seconds(1)
        .message_system_attribute_names(MessageSystemAttributeName::SenderId)
        .message_attribute_names("All")
        .send()
        .await
        .unwrap();

    assert_eq!(
        sent.md5_of_message_body(),
        Some("5d41402abc4b2a76b9719d911017c592")
    );
    let message = &received.messages()[0];
    assert_eq!(message.message_id(), sent.message_id());
    assert_eq!(message.body(), Some("hello"));
    assert_eq!(
        message.attributes().unwrap()[&MessageSystemAttributeName::SenderId],
        "send_message"
    );
    assert_eq!(message.message_attributes().unwrap()["kind"], kind);
    let handle = message.receipt_handle().unwrap();
    client
        .delete_message()
        .queue_url(&url)
        .receipt_handle(handle)
        .send()
        .await
        .unwrap();
    assert!(services.queues().messages("fanout").unwrap().is_empty());
}

#[tokio::test]
async fn batches_succeed_and_fail_by_entry() {
    let (_services, client, url) = desk();
    let late = SendMessageBatchRequestEntry::builder()
        .id("c")
        .message_body("3")
        .delay_seconds(901);

    let sent = client
        .send_message_batch()
        .queue_url(&url)
        .entries(entry("a", "1"))
        .entries(entry("b", "2"))
        .entries(late.build().unwrap())
        .send()
        .await
        .unwrap();

    assert_eq!(
        sent.successful()
            .iter()
            .map(SendMessageBatchResultEntry::id)
            .collect::<Vec<_>>(),
        ["a", "b"]
    );
    assert_eq!(
        (sent.failed()[0].id(), sent.failed()[0].code()),
        ("c", "InvalidParameterValue")
    );
    let received = client
        .receive_message()
        .queue_url(&url)
        .max_number_of_messages(10)
        .send()
        .await
        .unwrap();
    let entries: Vec<_> = received
        .messages()
        .iter()
        .zip(["x", "y"])
        .map(|(message, id)| {
            let entry = DeleteMessageBatchRequestEntry::builder().id(id);
            entry
                .set_receipt_handle(message.receipt_handle.clone())
                .build()
                .unwrap()
        })
        .collect();
    let broken = DeleteMessageBatchRequestEntry::builder()
        .id("z")
        .receipt_handle("no handle")
        .build()
        .unwrap();
    let deleted = client
        .delete_message_batch()
        .queue_url(&url)
        .set_entries(Some(entries))
        .entries(broken)
        .send()
        .await
        .unwrap();
    assert_eq!(deleted.successful().len(), 2);
    assert_eq!(deleted.failed()[0].code(), "ReceiptHandleIsInvalid");
}

#[tokio::test]
async fn batches_are_refused_as_a_whole() {
    let (_services, client, url) = desk();
    let refusal = async |entries: Vec<SendMessageBatchRequestEntry>| {
        let send = client
            .send_message_batch()
            .queue_url(&url)
            .set_entries(Some(entries));
        send.send().await.unwrap_err().into_service_error()
    };

    assert!(refusal(vec![]).await.is_empty_batch_request());
    assert!(
        refusal(vec![entry("a", "1"), entry("a", "2")])
            .await
            .is_batch_entry_ids_not_distinct()
    );
    assert!(refusal(vec![entry("a b", "1")]).await.is_invalid_batch_entry_id());
    let eleven = (0..11).map(|n| entry(&n.to_string(), "x")).collect();
    assert!(refusal(eleven).await.is_too_many_entries_in_batch_request());
    let half = "x".repeat(600_000);
    assert!(
        refusal(vec![entry("a", &half), entry("b", &half)])
            .await
            .is_batch_request_too_long()
    );
}

#[tokio::test]
async fn wrong_requests_get_the_errors_of_aws() {
    let (_services, client, url) = desk();
    let send = |body: &str| client.send_message().queue_url(&url).message_body(body);

    let nowhere = send("x")
        .queue_url(queue("none").url())
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    let late = send("x")
        .delay_seconds(901)
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    let large = send(&"x".repeat(1_048_577))
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    let control = send("\u{1}").send().await.unwrap_err().into_service_error();
    let no_handle = client
        .delete_message()
        .queue_url(&url)
        .receipt_handle("?")
        .send()
        .await
        .unwrap_err();
    let stale = client
        .change_message_visibility()
        .queue_url(&url)
        .receipt_handle("1.x")
        .visibility_timeout(1);

    assert!(nowhere.is_queue_does_not_exist());
    assert_eq!(late.code(), Some("InvalidParameterValue"));
    assert_eq!(large.code(), Some("InvalidParameterValue"));
    assert!(control.is_invalid_message_contents());
    assert!(no_handle.into_service_error().is_receipt_handle_is_invalid());
    assert!(
        stale
            .send()
            .await
            .unwrap_err()
            .into_service_error()
            .is_message_not_inflight()
    );
    send(&"x".repeat(1_048_576)).send().await.unwrap();
}

#[tokio::test]
async fn attributes_tell_depth_and_redrive_and_purging_empties() {
    let (services, client, url) = desk();
    client
        .send_message()
        .queue_url(&url)
        .message_body("1")
        .send()
        .await
        .unwrap();
    client
        .send_message()
        .queue_url(&url)
        .message_body("2")
        .send()
        .await
        .unwrap();
    client
        .send_message()
        .queue_url(&url)
        .message_body("3")
        .delay_seconds(60)
        .send()
        .await
        .unwrap();
    let received = client
        .receive_message()
        .queue_url(&url)
        .visibility_timeout(60)
        .send()
        .await
        .unwrap();
    assert_eq!(received.messages().len(), 1);

    let asked = client
        .get_queue_attributes()
        .queue_url(&url)
        .attribute_names(QueueAttributeName::All);
    let attributes = asked.send().await.unwrap().attributes.unwrap();

    assert_eq!(attributes[&QueueAttributeName::ApproximateNumberOfMessages], "1");
    assert_eq!(
        attributes[&QueueAttributeName::ApproximateNumberOfMessagesNotVisible],
        "1"
    );
    assert_eq!(
        attributes[&QueueAttributeName::ApproximateNumberOfMessagesDelayed],
        "1"
    );
    assert_eq!(
        attributes[&QueueAttributeName::RedrivePolicy],
        r#"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead","maxReceiveCount":5}"#
    );
    client.purge_queue().queue_url(&url).send().await.unwrap();
    assert!(services.queues().messages("fanout").unwrap().is_empty());
}
