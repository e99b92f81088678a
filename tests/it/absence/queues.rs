//! Queues that duplicate, reorder, lose or corrupt jobs; throttled connections.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use harness::World;
use harness::ledger::Ledger;
use harness::world::{FANOUT, FANOUT_DEAD, OFFLINE, OFFLINE_DEAD};
use local_services::{AwsError, Call, Delivery, Interceptor, Outgoing, Service, Verdict};
use serde_json::{Value, json};

use super::missed_seq;

/// Longer than the visibility timeout.
const VISIBILITY: Duration = Duration::from_secs(361);

/// Fails the calls that a test selects.
struct Refuses<F> {
    picks: F,
    with: Verdict,
    refused: AtomicUsize,
}

impl<F: Fn(&Call) -> bool + Send + Sync + 'static> Refuses<F> {
    fn calls(world: &World, picks: F, with: Verdict) -> Arc<Self> {
        let refuses = Arc::new(Self {
            picks,
            with,
            refused: AtomicUsize::new(0),
        });
        world.services().set_interceptor(Some(refuses.clone()));
        refuses
    }
}

impl<F: Fn(&Call) -> bool + Send + Sync> Interceptor for Refuses<F> {
    fn before<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Verdict> {
        let verdict = if (self.picks)(call) {
            self.refused.fetch_add(1, Ordering::Relaxed);
            self.with.clone()
        } else {
            Verdict::Proceed
        };
        Box::pin(async move { verdict })
    }

    fn after<'a>(&'a self, _: &'a Call, _: u16) -> BoxFuture<'a, Verdict> {
        Box::pin(async { Verdict::Proceed })
    }
}

fn is_failed_delivery(line: &Value) -> bool {
    line["function"] == "deliver" && line["status"] != 200
}

/// Many missed messages of one person cost one write, however many of them are in a batch.
#[tokio::test]
async fn ten_messages_that_were_missed_are_noted_once() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    for number in 1..=10 {
        ada.says(&conversation, &format!("number {number}")).await;
    }
    world.settled().await;
    let ledger = Arc::new(Ledger::default());
    world
        .services()
        .set_interceptor(Some(Arc::clone(&ledger) as Arc<_>));
    world.bring_offline_forward().await;

    let bill = ledger.take().of("Notify");
    let notes = bill.0.iter().filter(|spent| spent.operation == "UpdateItem");
    assert_eq!(notes.count(), 1, "{bill:#?}");
    assert_eq!(missed_seq(&world, &bob, &conversation).await, Some(10));
}

/// S1-J03
#[tokio::test]
async fn jobs_that_come_twice_and_in_no_order_do_no_harm() {
    let world = World::start().await;
    let [ada, bob, chen] = world.people(["ada", "bob", "chen"]).await;
    let group = ada.open_group("three", &[&bob, &chen]).await;
    world.settled().await;
    world
        .services()
        .queues()
        .set_delivery(Delivery::DuplicatedAndShuffled);
    let mut socket = chen.connect().await;
    let mut last = Value::Null;
    for number in 1..=6 {
        last = ada.says(&group, &format!("number {number}")).await;
    }
    world.bring_offline_forward().await;

    let frames = socket.so_far().await;
    let mut seqs: Vec<u64> = frames.iter().filter_map(|frame| frame["seq"].as_u64()).collect();
    assert!(seqs.len() > 6, "some came twice: {seqs:?}");
    seqs.sort_unstable();
    seqs.dedup();
    assert_eq!(seqs, [1, 2, 3, 4, 5, 6]);
    assert_eq!(missed_seq(&world, &bob, &group).await, Some(6));
    assert_eq!(bob.sees(&group).await["unread_count"], 6);
    assert_eq!(bob.messages(&group).await.len(), 6);

    bob.reads(&group, &last).await;
    world.bring_offline_forward().await;
    let reads = socket.so_far().await;
    let read: BTreeSet<_> = reads.iter().map(|frame| frame["message_id"].as_str()).collect();
    assert_eq!(read, BTreeSet::from([last["id"].as_str()]));
    assert_eq!(bob.sees(&group).await["unread_count"], 0);
}

/// Design §4.1: an unacknowledged request can be repeated safely.
#[tokio::test]
async fn a_send_whose_job_is_refused_is_503_and_its_retry_delivers_the_same_message() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    world.settled().await;
    let mut socket = bob.connect().await;
    let refuses = Refuses::calls(
        &world,
        |call| call.service == Service::Sqs && call.function == "SendMessage",
        Verdict::queue_throttled(),
    );
    let answer = ada.says_as(&conversation, "please", "mine").await;
    assert!(answer.header("retry-after").is_some());
    answer.is_error(503, "UNAVAILABLE");
    assert!(refuses.refused.load(Ordering::Relaxed) > 1, "the SDK tried again");
    world.settled().await;
    assert_eq!(socket.so_far().await, Vec::<Value>::new());

    world.services().set_interceptor(None);
    let retried = ada.says_as(&conversation, "please", "mine").await.is(201);
    assert_eq!(
        socket.next_of("new_message").await["message"]["id"],
        retried["id"]
    );
    assert_eq!(bob.messages(&conversation).await.len(), 1);
    assert_eq!(retried["seq"], 1);
    let again = ada.says_as(&conversation, "please", "mine").await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.is(201)["id"], retried["id"]);
    world.settled().await;
}

/// Design §4.1: the same for a deletion, a read and an opening.
#[tokio::test]
async fn whatever_is_refused_by_the_queue_can_be_done_again() {
    let world = World::start().await;
    let [ada, bob, chen] = world.people(["ada", "bob", "chen"]).await;
    let conversation = ada.open_direct(&bob).await;
    let message = ada.says(&conversation, "hello").await;
    world.settled().await;
    let (mut of_ada, mut of_chen) = (ada.connect().await, chen.connect().await);
    let id = message["id"].as_str().unwrap();
    let read = format!("/api/conversations/{conversation}/read");
    let delete = format!("/api/conversations/{conversation}/messages/{id}");
    let open = format!("/api/conversations/dm/{}", chen.id);

    Refuses::calls(
        &world,
        |call| call.service == Service::Sqs,
        Verdict::queue_throttled(),
    );
    bob.patch(&read, json!({ "message_id": id })).await.is(503);
    ada.delete(&delete).await.is(503);
    ada.post_nothing(&open).await.is(503);
    world.services().set_interceptor(None);
    assert_eq!(of_ada.so_far().await, Vec::<Value>::new());

    bob.patch(&read, json!({ "message_id": id })).await.is(200);
    assert_eq!(of_ada.next_of("message_read").await["message_id"], message["id"]);
    ada.delete(&delete).await.is(204);
    assert_eq!(
        of_ada.next_of("message_deleted").await["message_id"],
        message["id"]
    );
    ada.post_nothing(&open).await;
    of_chen.next_of("conversation_created").await;
}

/// Design §4.2: a job that always fails is moved to the dead-letter queue alone.
#[tokio::test]
async fn a_failing_job_goes_to_the_dead_letter_queue_without_the_rest_of_its_batch() {
    let mut world = World::start().await;
    world.expect_dead_letters();
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    world.settled().await;
    let mut socket = bob.connect().await;
    world.caught_up().await;
    let good = json!({ "conversation": conversation, "event": { "kind": "opened" } }).to_string();
    let poison = r#"{"conversation":"poison"}"#;
    for body in [good.as_str(), poison, &good] {
        let job = Outgoing {
            body: body.to_owned(),
            delay_seconds: Some(10),
            ..Outgoing::default()
        };
        world.services().queues().send(FANOUT, &job).unwrap();
    }
    world.advance(Duration::from_secs(11));
    for _ in 0..2 {
        assert_eq!(
            socket.next_of("conversation_created").await["conversation"]["id"],
            json!(conversation)
        );
    }
    for time in 1..=5 {
        world.logged(time, is_failed_delivery).await;
        let left = world.services().queues().messages(FANOUT).unwrap();
        assert!(left.iter().all(|job| job.body == poison), "{left:?}");
        world.advance(VISIBILITY);
    }
    world.settled().await;
    let dead = world.services().queues().messages(FANOUT_DEAD).unwrap();
    assert_eq!(
        dead.iter().map(|job| job.body.as_str()).collect::<Vec<_>>(),
        [poison]
    );
    assert_eq!(
        socket.so_far().await,
        Vec::<Value>::new(),
        "the good ones were done once"
    );
}

/// Design §4.3: the same for the queue of offline members.
#[tokio::test]
async fn a_failing_job_for_offline_members_goes_to_their_dead_letter_queue() {
    let mut world = World::start().await;
    world.expect_dead_letters();
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    ada.says(&conversation, "hello").await;
    world.settled().await;
    let nowhere =
        json!({ "conversation": conversation, "missing": [{ "seq": 77, "users": [bob.id] }] }).to_string();
    for body in ["nonsense", nowhere.as_str()] {
        let job = Outgoing {
            body: body.to_owned(),
            ..Outgoing::default()
        };
        world.services().queues().send(OFFLINE, &job).unwrap();
    }
    while world.services().queues().messages(OFFLINE_DEAD).unwrap().len() < 2 {
        world.advance(VISIBILITY);
        tokio::task::yield_now().await;
    }
    world.settled().await;
    assert_eq!(missed_seq(&world, &bob, &conversation).await, Some(1));
}

/// Design §4.2: one connection is throttled; that job fails alone, and is retried.
#[tokio::test]
async fn a_throttled_connection_fails_its_own_job_which_comes_again() {
    let world = World::start().await;
    let [ada, bob, chen, dana] = world.people(["ada", "bob", "chen", "dana"]).await;
    let group = ada.open_group("three", &[&bob, &chen]).await;
    let other = ada.open_direct(&dana).await;
    world.settled().await;
    let mut of_bob = bob.connect().await;
    let (mut of_chen, mut of_dana) = (chen.connect().await, dana.connect().await);
    let connection = world.noted_connections(bob.id).await.remove(0);
    let refuses = Refuses::calls(
        &world,
        move |call| {
            call.operation == "PostToConnection" && call.path.contains(connection.trim_end_matches('='))
        },
        Verdict::Answer(AwsError::new(429, "LimitExceededException", "Rate exceeded")),
    );
    let message = ada.says(&group, "to everybody").await;
    let elsewhere = ada.says(&other, "to dana").await;
    assert_eq!(
        of_chen.next_of("new_message").await["message"]["id"],
        message["id"]
    );
    assert_eq!(
        of_dana.next_of("new_message").await["message"]["id"],
        elsewhere["id"]
    );
    let line = world.logged(1, is_failed_delivery).await;
    assert!(
        line["error"]
            .as_str()
            .is_some_and(|error| error.contains("LimitExceeded")),
        "{line}"
    );
    assert!(refuses.refused.load(Ordering::Relaxed) >= 1);
    assert_eq!(of_bob.so_far().await, Vec::<Value>::new());
    assert_eq!(
        world.noted_connections(bob.id).await.len(),
        1,
        "throttled is not gone"
    );

    world.services().set_interceptor(None);
    // A job in progress would run twice: the one for Dana may have reached her without having ended.
    let jobs = || world.services().queues().messages(FANOUT).unwrap();
    while jobs().iter().any(|job| job.body.contains(&other)) {
        tokio::task::yield_now().await;
    }
    world.advance(VISIBILITY);
    assert_eq!(
        of_bob.next_of("new_message").await["message"]["id"],
        message["id"]
    );
    world.settled().await;
    assert_eq!(
        of_dana.so_far().await,
        Vec::<Value>::new(),
        "the other job was done"
    );
}

/// Design §4.2: a throttled connection holds nobody else up, and offline members are still recorded.
#[tokio::test]
async fn offline_members_are_recorded_although_a_connection_is_throttled() {
    let mut world = World::start().await;
    world.expect_dead_letters();
    let [ada, bob, chen] = world.people(["ada", "bob", "chen"]).await;
    let group = ada.open_group("three", &[&bob, &chen]).await;
    world.settled().await;
    let _of_bob = bob.connect().await;
    world.caught_up().await;
    Refuses::calls(
        &world,
        |call| call.operation == "PostToConnection",
        Verdict::Answer(AwsError::new(429, "LimitExceededException", "Rate exceeded")),
    );
    ada.says(&group, "hello").await;
    for time in 1..=5 {
        world.logged(time, is_failed_delivery).await;
        world.advance(VISIBILITY);
    }
    world.bring_offline_forward().await;
    assert_eq!(missed_seq(&world, &chen, &group).await, Some(1));
}
