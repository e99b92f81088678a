//! Roles, through real SDK clients: what is refused, and in which words.

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, KeysAndAttributes, Put, TransactWriteItem};
use aws_smithy_types::Blob;

use super::{client, queue, services, text};
use crate::{Rights, Services, Statement};

const TABLE: &str = "arn:aws:dynamodb:us-east-1:000000000000:table/tidings";
const QUEUE: &str = "arn:aws:sqs:us-east-1:000000000000:fanout";
const API: &str = "arn:aws:execute-api:us-east-1:000000000000:api/dev";

/// Services whose one function has a role of these actions on these resources.
fn services_that_allow(rights: &[(&str, &str)]) -> Services {
    let services = services();
    services.create_queue(queue("fanout"));
    services.create_bucket("attachments").unwrap();
    let statements: Vec<_> = rights
        .iter()
        .map(|(action, resource)| allow(action, resource))
        .collect();
    services.set_rights(Rights::new(API).with("send_message", &statements));
    services
}

fn allow(action: &str, resource: &str) -> Statement {
    Statement {
        allows: true,
        actions: vec![action.to_owned()],
        resources: vec![resource.to_owned()],
        leading_keys: Vec::new(),
    }
}

fn buckets(services: &Services) -> aws_sdk_s3::Client {
    let s3 = client!(aws_sdk_s3, S3, services);
    aws_sdk_s3::Client::from_conf(s3.config().to_builder().force_path_style(true).build())
}

fn dynamodb(services: &Services) -> aws_sdk_dynamodb::Client {
    client!(aws_sdk_dynamodb, DynamoDb, services)
}

fn key() -> [(&'static str, AttributeValue); 2] {
    [("pk", text("a")), ("sk", text("b"))]
}

fn used(services: &Services) -> Vec<String> {
    let rights = services.rights().unwrap();
    rights.used().iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn a_call_that_the_role_does_not_allow_is_refused_and_changes_nothing() {
    let services = services_that_allow(&[("dynamodb:GetItem", TABLE)]);
    let client = dynamodb(&services);
    let put = client
        .put_item()
        .table_name("tidings")
        .set_item(Some(key().map(|(name, value)| (name.to_owned(), value)).into()));
    let refusal = put.send().await.unwrap_err();
    assert_eq!(refusal.raw_response().unwrap().status().as_u16(), 400);
    assert_eq!(refusal.code(), Some("AccessDeniedException"));
    assert_eq!(
        refusal.message().unwrap(),
        format!(
            "User: arn:aws:sts::000000000000:assumed-role/send_messageRole/send_message is not authorized to perform: \
             dynamodb:PutItem on resource: {TABLE} because no identity-based policy allows the dynamodb:PutItem action"
        )
    );
    let [(pk, a), (sk, b)] = key();
    let get = client.get_item().table_name("tidings").key(pk, a).key(sk, b);
    assert_eq!(get.send().await.unwrap().item, None);
    assert_eq!(
        used(&services),
        [format!("send_message: dynamodb:GetItem on {TABLE}")]
    );
}

/// The right to query a table is none to query its index.
#[tokio::test]
async fn an_index_is_a_resource_of_its_own() {
    let services = services_that_allow(&[("dynamodb:Query", TABLE)]);
    let query = || {
        dynamodb(&services)
            .query()
            .table_name("tidings")
            .key_condition_expression("pk = :p")
            .expression_attribute_values(":p", text("a"))
    };
    query().send().await.unwrap();
    let refusal = query().index_name("by_user").send().await.unwrap_err();
    assert_eq!(refusal.code(), Some("AccessDeniedException"));
    assert!(
        refusal
            .message()
            .unwrap()
            .contains(&format!("{TABLE}/index/by_user"))
    );
}

/// A transaction needs the rights of its parts; a batch needs its own, and that one alone.
#[tokio::test]
async fn transactions_and_batches_ask_for_what_iam_asks() {
    let services = services_that_allow(&[("dynamodb:PutItem", TABLE), ("dynamodb:BatchGetItem", TABLE)]);
    let client = dynamodb(&services);
    let put = || {
        let item = Some(key().map(|(name, value)| (name.to_owned(), value)).into());
        let put = Put::builder()
            .table_name("tidings")
            .set_item(item)
            .build()
            .unwrap();
        TransactWriteItem::builder().put(put).build()
    };
    client
        .transact_write_items()
        .transact_items(put())
        .send()
        .await
        .unwrap();
    let gone = Some(
        [("pk", "c"), ("sk", "d")]
            .map(|(name, value)| (name.to_owned(), text(value)))
            .into(),
    );
    let delete = Delete::builder()
        .table_name("tidings")
        .set_key(gone)
        .build()
        .unwrap();
    let delete = TransactWriteItem::builder().delete(delete).build();
    let both = client
        .transact_write_items()
        .transact_items(put())
        .transact_items(delete);
    let refusal = both.send().await.unwrap_err();
    assert_eq!(refusal.code(), Some("AccessDeniedException"));
    assert!(refusal.message().unwrap().contains("dynamodb:DeleteItem"));

    let keys = key().map(|(name, value)| (name.to_owned(), value)).into();
    let keys = KeysAndAttributes::builder().keys(keys).build().unwrap();
    let batch = client.batch_get_item().request_items("tidings", keys);
    let found = batch.send().await.unwrap();
    assert_eq!(found.responses.unwrap()["tidings"].len(), 1);
}

#[tokio::test]
async fn queues_buckets_and_connections_refuse_in_their_own_words() {
    let services = services_that_allow(&[
        ("sqs:GetQueueAttributes", QUEUE),
        ("s3:GetObject", "arn:aws:s3:::attachments/*"),
        (
            "execute-api:ManageConnections",
            &format!("{API}/DELETE/@connections/*"),
        ),
    ]);
    let sqs = client!(aws_sdk_sqs, Sqs, services);
    let url = queue("fanout").url();
    let send = sqs.send_message().queue_url(&url).message_body("job");
    let refusal = send.send().await.unwrap_err();
    assert_eq!(refusal.raw_response().unwrap().status().as_u16(), 403);
    assert_eq!(refusal.code(), Some("AccessDenied"));
    assert!(
        refusal
            .message()
            .unwrap()
            .contains(&format!("sqs:sendmessage on resource: {QUEUE}"))
    );
    assert_eq!(services.queues().depth("fanout").unwrap().visible, 0);
    sqs.get_queue_attributes().queue_url(&url).send().await.unwrap();

    let s3 = buckets(&services);
    let put = s3.put_object().bucket("attachments").key("u/1").send();
    let refusal = put.await.unwrap_err();
    assert_eq!(refusal.raw_response().unwrap().status().as_u16(), 403);
    assert_eq!(refusal.code(), Some("AccessDenied"));
    let head = s3.head_bucket().bucket("attachments").send();
    let refusal = head.await.unwrap_err();
    assert_eq!(refusal.raw_response().unwrap().status().as_u16(), 403);
    let connections = client!(aws_sdk_apigatewaymanagement, Connections, services);
    let post = connections
        .post_to_connection()
        .connection_id("live=")
        .data(Blob::new("frame"));
    let refusal = post.send().await.unwrap_err();
    assert!(refusal.as_service_error().unwrap().is_forbidden_exception());
    let message = refusal.message().unwrap();
    assert!(
        message.contains(&format!("{API}/POST/@connections/live=")),
        "{message}"
    );
    let delete = connections.delete_connection().connection_id("live=").send();
    let gone = delete.await.unwrap_err();
    assert!(gone.as_service_error().unwrap().is_gone_exception());
}

/// A role is a function's; whoever is none is not asked for one. A function without a role may do nothing.
#[tokio::test]
async fn only_functions_have_roles() {
    let services = services();
    services.set_rights(Rights::new(API).with("get_me", &[]));
    let [(pk, a), (sk, b)] = key();
    let get = dynamodb(&services)
        .get_item()
        .table_name("tidings")
        .key(pk, a)
        .key(sk, b);
    get.clone().send().await.unwrap();
    services.set_rights(Rights::new(API).with("send_message", &[]));
    assert_eq!(
        get.send().await.unwrap_err().code(),
        Some("AccessDeniedException")
    );
}

/// S3 says that there is no such object to those alone who may list the bucket.
#[tokio::test]
async fn that_an_object_is_not_there_is_a_right_to_know() {
    let objects = "arn:aws:s3:::attachments/*";
    for (may_list, code) in [(false, "AccessDenied"), (true, "NoSuchKey")] {
        let mut rights = vec![("s3:GetObject", objects)];
        rights.extend(may_list.then_some(("s3:ListBucket", "arn:aws:s3:::attachments")));
        let s3 = buckets(&services_that_allow(&rights));
        let get = s3.get_object().bucket("attachments").key("u/1").send();
        assert_eq!(get.await.unwrap_err().code(), Some(code));
        let head = s3.head_object().bucket("attachments").key("u/1").send();
        assert_eq!(
            head.await.unwrap_err().into_service_error().is_not_found(),
            may_list
        );
    }
}

/// Who copies reads one object and writes another.
#[tokio::test]
async fn a_copy_needs_both_rights() {
    let (from, to) = ("arn:aws:s3:::attachments/u/*", "arn:aws:s3:::attachments/f/*");
    for (rights, may) in [
        (vec![("s3:GetObject", from)], false),
        (vec![("s3:PutObject", to)], false),
        (vec![("s3:GetObject", to), ("s3:PutObject", from)], false),
        (vec![("s3:GetObject", from), ("s3:PutObject", to)], true),
    ] {
        let services = services_that_allow(&[("s3:PutObject", from)]);
        let put = buckets(&services)
            .put_object()
            .bucket("attachments")
            .key("u/1")
            .send();
        put.await.unwrap();
        let statements: Vec<_> = rights
            .iter()
            .map(|(action, resource)| allow(action, resource))
            .collect();
        services.set_rights(Rights::new(API).with("send_message", &statements));
        let copy = buckets(&services)
            .copy_object()
            .copy_source("attachments/u/1")
            .bucket("attachments")
            .key("f/1")
            .send();
        assert_eq!(copy.await.is_ok(), may, "{rights:?}");
    }
}
