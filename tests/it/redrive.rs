//! Redriving dead-letter queues by a command, once the cause is fixed.

use std::time::Duration;

use futures::future::BoxFuture;
use harness::World;
use harness::program;
use harness::world::FANOUT_DEAD;
use local_services::{AwsError, Call, Interceptor, Verdict};
use serde_json::Value;

/// Longer than the visibility timeout.
const VISIBILITY: Duration = Duration::from_secs(361);

/// Fails every post.
struct Deaf;

impl Interceptor for Deaf {
    fn before<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Verdict> {
        let verdict = if call.operation == "PostToConnection" {
            Verdict::Answer(AwsError::new(403, "ForbiddenException", "Forbidden"))
        } else {
            Verdict::Proceed
        };
        Box::pin(std::future::ready(verdict))
    }

    fn after<'a>(&'a self, _: &'a Call, _: u16) -> BoxFuture<'a, Verdict> {
        Box::pin(std::future::ready(Verdict::Proceed))
    }
}

/// Runs the command; returns its output, and whether it succeeded.
async fn redrive(arguments: &[&str]) -> (bool, String) {
    let output = program::run(&[&["redrive"], arguments].concat()).await;
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

/// Design §4.2
#[tokio::test]
async fn a_failed_delivery_is_made_after_redriving() {
    let mut world = World::start().await;
    world.expect_dead_letters();
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    world.settled().await;
    let mut socket = bob.connect().await;
    world.caught_up().await;

    world.services().set_interceptor(Some(std::sync::Arc::new(Deaf)));
    let message = ada.says(&conversation, "Hello, Bob!").await;
    for time in 1..=5 {
        let failed = |line: &Value| line["function"] == "deliver" && line["status"] != 200;
        world.logged(time, failed).await;
        world.advance(VISIBILITY);
    }
    world.settled().await;
    let dead = || world.services().queues().messages(FANOUT_DEAD).unwrap().len();
    assert_eq!(dead(), 1);
    assert_eq!(socket.so_far().await, Vec::<Value>::new());

    world.services().set_interceptor(None);
    let url = world.desk().http_url();
    let port = url.rsplit(':').next().unwrap();
    let (succeeded, said) = redrive(&[FANOUT_DEAD, "--http-port", port]).await;
    assert!(succeeded, "{said}");
    assert_eq!(said, "FanoutDeadLetters: 1 job sent back to FanoutQueue\n");
    let frame = socket.next_of("new_message").await;
    assert_eq!(frame["message"]["id"], message["id"]);
    world.settled().await;
    assert_eq!(dead(), 0);

    // Without a name it redrives all of them.
    let (succeeded, said) = redrive(&["--http-port", port]).await;
    assert!(succeeded, "{said}");
    assert_eq!(
        said,
        "ExportDeadLetters: 0 jobs sent back to ExportQueue\nFanoutDeadLetters: 0 jobs sent back to FanoutQueue\n\
         OfflineDeadLetters: 0 jobs sent back to OfflineQueue\n"
    );
}

#[tokio::test]
async fn a_queue_that_holds_no_dead_letters_and_a_desk_that_is_not_there_are_named() {
    let world = World::start().await;
    let url = world.desk().http_url();
    let (succeeded, said) = redrive(&["FanoutQueue", "--http-port", url.rsplit(':').next().unwrap()]).await;
    assert!(!succeeded);
    assert_eq!(
        said,
        "tidings: FanoutQueue is no dead-letter queue; those are ExportDeadLetters and FanoutDeadLetters and OfflineDeadLetters\n"
    );
    let (succeeded, said) = redrive(&["--http-port", "1"]).await;
    assert!(
        !succeeded && said.starts_with("tidings: no desk answers at 127.0.0.1:1"),
        "{said}"
    );
}
