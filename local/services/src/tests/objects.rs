//! The buckets through the SDK.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use http::Request;

use super::{client, services};

fn path_style(client: &Client) -> Client {
    Client::from_conf(client.config().to_builder().force_path_style(true).build())
}

#[tokio::test]
async fn an_object_makes_the_round_trip() {
    let services = services();
    services.create_bucket("attachments").unwrap();
    services.create_bucket("attachments").unwrap();
    let client = path_style(&client!(aws_sdk_s3, S3, services));
    client.head_bucket().bucket("attachments").send().await.unwrap();

    client
        .put_object()
        .bucket("attachments")
        .key("u/1/a photo.png")
        .content_type("image/png")
        .body(ByteStream::from_static(b"pixels"))
        .send()
        .await
        .unwrap();

    let head = client
        .head_object()
        .bucket("attachments")
        .key("u/1/a photo.png")
        .send()
        .await
        .unwrap();
    assert_eq!(head.content_length(), Some(6));
    assert_eq!(head.content_type(), Some("image/png"));
    let got = client
        .get_object()
        .bucket("attachments")
        .key("u/1/a photo.png")
        .send()
        .await
        .unwrap();
    assert_eq!(got.body.collect().await.unwrap().to_vec(), b"pixels");

    client
        .delete_object()
        .bucket("attachments")
        .key("u/1/a photo.png")
        .send()
        .await
        .unwrap();

    let gone = client
        .get_object()
        .bucket("attachments")
        .key("u/1/a photo.png")
        .send()
        .await
        .unwrap_err();
    assert!(gone.into_service_error().is_no_such_key());
}

#[tokio::test]
async fn a_missing_bucket_is_missed_and_a_wrong_secret_refused() {
    let services = services();
    services.create_bucket("attachments").unwrap();
    let client = path_style(&client!(aws_sdk_s3, S3, services));

    let missing = client.head_bucket().bucket("none").send().await.unwrap_err();
    assert!(missing.into_service_error().is_not_found());

    let stranger = aws_credential_types::Credentials::new("send_message", "guess", None, None, "desk");
    let config = client
        .config()
        .to_builder()
        .credentials_provider(stranger)
        .build();
    let refused = Client::from_conf(config)
        .head_bucket()
        .bucket("attachments")
        .send()
        .await
        .unwrap_err();
    assert_eq!(refused.raw_response().unwrap().status().as_u16(), 403);
}

#[tokio::test]
async fn a_presigned_upload_is_accepted_from_anyone_and_only_as_signed() {
    let services = services();
    services.create_bucket("attachments").unwrap();
    let client = path_style(&client!(aws_sdk_s3, S3, services));
    let hour = PresigningConfig::expires_in(Duration::from_hours(1)).unwrap();
    let put = client
        .put_object()
        .bucket("attachments")
        .key("a.png")
        .content_type("image/png");
    let signed = put.presigned(hour).await.unwrap();
    let upload = async |content_type: &str| {
        let request = Request::put(signed.uri())
            .header("host", "s3.localhost")
            .header("content-type", content_type)
            .header("content-length", "6");
        let request = request.body(Bytes::from_static(b"pixels")).unwrap();
        services.objects().answer(request).await.status().as_u16()
    };

    assert_eq!(upload("text/html").await, 403);
    assert_eq!(upload("image/png").await, 200);
}

#[tokio::test]
async fn an_object_of_a_locked_bucket_is_neither_overwritten_nor_removed() {
    let services = services();
    services.create_bucket("anchors").unwrap();
    services.objects().lock("anchors");
    let client = path_style(&client!(aws_sdk_s3, S3, services));
    let put = |text: &'static [u8]| {
        let put = client.put_object().bucket("anchors").key("one");
        put.body(ByteStream::from_static(text))
    };
    assert!(
        put(b"first").send().await.is_err(),
        "a write that could replace something"
    );
    put(b"first").if_none_match("*").send().await.unwrap();
    let again = put(b"second").if_none_match("*").send().await.unwrap_err();
    assert_eq!(again.raw_response().unwrap().status().as_u16(), 412);
    let removed = client.delete_object().bucket("anchors").key("one").send().await;
    assert_eq!(
        removed.unwrap_err().raw_response().unwrap().status().as_u16(),
        403
    );
    let copied = client
        .copy_object()
        .copy_source("anchors/one")
        .bucket("anchors")
        .key("two")
        .send()
        .await;
    assert_eq!(copied.unwrap_err().raw_response().unwrap().status().as_u16(), 403);
    let got = client
        .get_object()
        .bucket("anchors")
        .key("one")
        .send()
        .await
        .unwrap();
    assert_eq!(got.body.collect().await.unwrap().to_vec(), b"first");
}
