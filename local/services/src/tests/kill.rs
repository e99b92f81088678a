//! What was acknowledged outlives the process, however it ends.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;

use super::{client, queue, table, text};
use crate::{Outgoing, Services, Storage};

/// Tells the test that runs as a child where to write.
const FOLDER: &str = "TIDINGS_KILL_TEST_FOLDER";

/// What the child says when everything was acknowledged.
const WRITTEN: &str = "everything was acknowledged";

fn open(folder: PathBuf) -> Services {
    let services = Services::open(Storage::Folder(folder)).unwrap();
    services.create_table(&table()).unwrap();
    services.create_queue(queue("fanout"));
    services.create_bucket("attachments").unwrap();
    services
}

async fn write(services: &Services) {
    let table = client!(aws_sdk_dynamodb, DynamoDb, services);
    let put = table
        .put_item()
        .table_name("tidings")
        .item("pk", text("1"))
        .item("sk", text("1"));
    put.send().await.unwrap();
    let queues = client!(aws_sdk_sqs, Sqs, services);
    let send = |body: &str| {
        queues
            .send_message()
            .queue_url(queue("fanout").url())
            .message_body(body)
            .send()
    };
    for body in ["finished", "unfinished", "waiting"] {
        send(body).await.unwrap();
    }
    let received = services
        .queues()
        .receive("fanout", 2, Duration::ZERO)
        .await
        .unwrap();
    services
        .queues()
        .delete("fanout", &received[0].receipt_handle)
        .unwrap();
    let objects = client!(aws_sdk_s3, S3, services);
    let objects = aws_sdk_s3::Client::from_conf(objects.config().to_builder().force_path_style(true).build());
    let put = objects
        .put_object()
        .bucket("attachments")
        .key("a")
        .body(ByteStream::from_static(b"pixels"));
    put.send().await.unwrap();
}

async fn assert_nothing_is_lost(services: &Services) {
    let table = client!(aws_sdk_dynamodb, DynamoDb, services);
    let get = table
        .get_item()
        .table_name("tidings")
        .key("pk", text("1"))
        .key("sk", text("1"));
    assert!(get.send().await.unwrap().item.is_some());
    let depth = services.queues().depth("fanout").unwrap();
    assert_eq!((depth.visible, depth.in_flight), (1, 1));
    services.queues().make_visible_now("fanout").unwrap();
    let again = services
        .queues()
        .receive("fanout", 10, Duration::ZERO)
        .await
        .unwrap();
    let mut bodies: Vec<_> = again.iter().map(|message| message.body.as_str()).collect();
    bodies.sort_unstable();
    assert_eq!(bodies, ["unfinished", "waiting"]);
    let objects = client!(aws_sdk_s3, S3, services);
    let objects = aws_sdk_s3::Client::from_conf(objects.config().to_builder().force_path_style(true).build());
    let got = objects
        .get_object()
        .bucket("attachments")
        .key("a")
        .send()
        .await
        .unwrap();
    assert_eq!(got.body.collect().await.unwrap().to_vec(), b"pixels");
}

#[tokio::test]
async fn a_folder_is_taken_up_where_it_was_left() {
    let folder = tempfile::tempdir().unwrap();
    let services = open(folder.path().to_owned());
    write(&services).await;
    drop(services);

    assert_nothing_is_lost(&open(folder.path().to_owned())).await;
}

#[tokio::test]
async fn a_killed_process_loses_nothing() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        let services = open(PathBuf::from(folder));
        write(&services).await;
        println!("{WRITTEN}");
        std::future::pending::<()>().await;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "tests::kill::a_killed_process_loses_nothing",
            "--nocapture",
        ])
        .env(FOLDER, folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    let has_written = output.any(|line| line.unwrap().contains(WRITTEN));

    // SIGKILL, as from `kill -9`.
    child.kill().unwrap();
    child.wait().unwrap();

    assert!(has_written);
    assert_nothing_is_lost(&open(folder.path().to_owned())).await;
}

#[tokio::test]
async fn a_delayed_message_is_still_delayed_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let services = open(folder.path().to_owned());
    let message = Outgoing {
        body: "later".to_owned(),
        delay_seconds: Some(600),
        ..Outgoing::default()
    };
    services.queues().send("fanout", &message).unwrap();
    drop(services);

    let services = open(folder.path().to_owned());

    assert_eq!(services.queues().depth("fanout").unwrap().delayed, 1);
}
