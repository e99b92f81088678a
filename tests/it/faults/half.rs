//! Overload: half of all calls to the table throttled, jobs that always fail, duplicated and reordered jobs.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::future::join_all;
use harness::faults::{CallCounts, Dice, FaultRates};
use harness::world::{FANOUT, FANOUT_DEAD, OFFLINE, OFFLINE_DEAD};
use harness::{Person, Socket, World};
use local_gateway::websocket::WebSocketOptions;
use local_services::Delivery;
use serde_json::{Value, json};

use super::asking::{assert_dense, attempt, fact, log, sync};
use super::fixture::{ConversationKind, Fixture};
use harness::faults::Faults;

const MESSAGES_EACH: usize = 20;

/// The maximum number of attempts of a client. With every other call refused, about one request in thirty succeeds; a
/// request that lost the race for a number makes twice the calls: about one in three hundred.
const PATIENCE: usize = 10_000;

/// Retries a send until it is acknowledged; returns the number of attempts.
async fn insists(person: &Person, conversation: &str, content: &str) -> (usize, Value) {
    let path = format!("/api/conversations/{conversation}/messages");
    let body = json!({ "content": content, "client_message_id": content });
    for attempts in 1..=PATIENCE {
        let (status, answer) = attempt(person.request("POST", &path).json(&body)).await;
        match status {
            201 => return (attempts, answer),
            500 | 503 => {}
            _ => panic!("a send is answered {status}: {answer}"),
        }
    }
    panic!("a send is never acknowledged");
}

/// Sends the same number of messages concurrently from each member; returns all attempts, and the acknowledged
/// messages.
async fn crowd(fixture: &Fixture, round: &str) -> (usize, Vec<Value>) {
    let sends = fixture.members.iter().enumerate().map(async |(who, member)| {
        let (mut attempts, mut acknowledged) = (0, Vec::new());
        for number in 0..MESSAGES_EACH {
            let content = format!("{round}-{who}-{number}");
            let (tries, answer) = insists(member, &fixture.conversation, &content).await;
            attempts += tries;
            acknowledged.push(answer);
        }
        (attempts, acknowledged)
    });
    let (attempts, acknowledged): (Vec<usize>, Vec<Vec<Value>>) = join_all(sends).await.into_iter().unzip();
    (attempts.iter().sum(), acknowledged.concat())
}

fn ratio(many: u64, few: u64) -> f64 {
    f64::from(u32::try_from(many).unwrap()) / f64::from(u32::try_from(few).unwrap())
}

/// Retries happen in one layer, within a budget: three attempts per call would make 1 + ½ + ¼ of the calls, and a
/// second layer even more. The client's retries are new requests, as always.
#[tokio::test]
async fn half_of_all_table_calls_throttled_multiplies_nothing_and_loses_nothing() {
    let mut fixture = Fixture::new(ConversationKind::Group).await;
    fixture.faults.tally();
    let (_, first) = crowd(&fixture, "baseline").await;
    let baseline = fixture.faults.tally();
    fixture.faults.settle(fixture.world.services()).await;

    fixture.faults.tally();
    fixture.faults.inject_randomly(FaultRates {
        table_throttled: 5000,
        ..FaultRates::none(Dice::new(7))
    });
    let (attempts, second) = crowd(&fixture, "throttled").await;
    fixture.faults.quiet().await;
    let throttled: CallCounts = fixture.faults.tally();
    let messages = second.len();
    println!("without faults: {baseline:?}; with half throttled: {throttled:?}");
    println!(
        "{messages} messages in {attempts} requests; {:.2} attempts a call, {:.2} times the calls",
        ratio(throttled.attempts, throttled.calls),
        ratio(throttled.attempts, baseline.attempts),
    );
    assert!(throttled.most_attempts <= 3, "{throttled:?}");
    assert!(ratio(throttled.attempts, throttled.calls) <= 1.1, "{throttled:?}");

    fixture.faults.clear();
    fixture.faults.settle(fixture.world.services()).await;
    let queues = fixture.world.services().queues();
    let dead = queues.redrive(FANOUT_DEAD, FANOUT).unwrap() + queues.redrive(OFFLINE_DEAD, OFFLINE).unwrap();
    println!("{dead} jobs were dead for a while");
    fixture.faults.settle(fixture.world.services()).await;
    let log = fixture
        .agrees(fixture.before.len() + first.len() + messages)
        .await;
    for message in first.iter().chain(&second) {
        let seq = usize::try_from(message["seq"].as_u64().unwrap()).unwrap();
        assert_eq!(
            log[seq - 1]["message"]["id"],
            message["id"],
            "acknowledged and there"
        );
    }
}

/// A job that always fails is moved to the dead-letter queue alone, and is redriven once it can succeed:
/// `Queues::redrive` on the desk, `aws sqs start-message-move-task` in the cloud.
#[tokio::test]
async fn a_failing_job_goes_to_the_dead_letter_queue_alone_and_can_be_redriven() {
    let world = World::start().await;
    let faults = Faults::install(world.services());
    let [ada, bob, cem] = world.people(["ada", "bob", "cem"]).await;
    let (sound, cursed) = (ada.open_direct(&bob).await, ada.open_direct(&cem).await);
    faults.settle(world.services()).await;
    let (mut to_bob, mut to_cem) = (bob.connect().await, cem.connect().await);
    world.caught_up().await;

    faults.inject_randomly(FaultRates {
        cursed: Some(cursed.clone()),
        ..FaultRates::none(Dice::new(0))
    });
    for number in 0..10 {
        let content = format!("{number}");
        let both = tokio::join!(ada.says(&sound, &content), async {
            if number == 5 {
                ada.says(&cursed, "poison").await;
            }
        });
        assert_eq!(both.0["content"], content);
    }
    faults.settle(world.services()).await;
    let queues = world.services().queues();
    let dead = queues.messages(FANOUT_DEAD).unwrap();
    assert_eq!(dead.len(), 1, "{dead:#?}");
    assert!(dead[0].body.contains(&cursed));
    let frames = to_bob.so_far().await;
    let came = |frames: &[Value]| {
        let numbers: Vec<u64> = frames.iter().filter_map(|frame| frame["seq"].as_u64()).collect();
        numbers
    };
    let mut numbers = came(&frames);
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers, (1..=10).collect::<Vec<_>>());
    assert_eq!(to_cem.so_far().await, Vec::<Value>::new());

    faults.clear();
    assert_eq!(queues.redrive(FANOUT_DEAD, FANOUT).unwrap(), 1);
    faults.settle(world.services()).await;
    assert_eq!(
        to_cem.next_of("new_message").await["message"]["content"],
        "poison"
    );
}

/// Standard queues guarantee neither order nor exactly-once delivery; API Gateway does not guarantee `$disconnect`.
#[tokio::test]
async fn duplicated_and_reordered_jobs_and_lost_connections_are_harmless() {
    let options = WebSocketOptions::default();
    options.drop_disconnect.store(true, Ordering::Relaxed);
    let world = World::with_options(&[], options, 1).await;
    let faults = Faults::install(world.services());
    let [ada, bob, cem] = world.people(["ada", "bob", "cem"]).await;
    let conversation = ada.open_group("circle", &[&bob, &cem]).await;
    faults.settle(world.services()).await;
    let token = cem.get("/api/events").await.is(200)["next"].clone();
    let mut sockets: Vec<Socket> =
        join_all([&ada, &bob, &cem].map(async |person| person.connect().await)).await;
    for person in [&bob, &cem] {
        person.connect().await.close().await;
    }
    assert_eq!(
        world.noted_connections(bob.id).await.len(),
        2,
        "nobody said goodbye"
    );
    // Longer than a connection takes to open, during which it looks gone as well.
    world.advance(Duration::from_secs(30));

    world
        .services()
        .queues()
        .set_delivery(Delivery::DuplicatedAndShuffled);
    for number in 0..20 {
        let who = [&ada, &bob, &cem][number % 3];
        let message = who.says(&conversation, &format!("{number}")).await;
        if number % 5 == 0 {
            let path = format!(
                "/api/conversations/{conversation}/messages/{}",
                message["id"].as_str().unwrap()
            );
            who.delete(&path).await.is(204);
        }
    }
    faults.settle(world.services()).await;

    let log = log(&ada, &conversation).await;
    assert_dense(&log);
    assert_eq!(log.len(), 24);
    for socket in &mut sockets {
        let frames = socket.so_far().await;
        for event in &log {
            // Posted at least once, with its content or, if it was deleted by then, without.
            let copies = frames.iter().filter(|frame| frame["seq"] == event["seq"]);
            assert!(copies.count() > 0, "{event} did not come");
        }
    }
    let (told, _) = sync(&cem, token.as_str().unwrap()).await;
    let told: Vec<Value> = told
        .iter()
        .filter(|event| event["type"] != "message_read")
        .map(fact)
        .collect();
    assert_eq!(told, log.iter().map(fact).collect::<Vec<_>>());
    assert_eq!(
        world.noted_connections(bob.id).await.len(),
        1,
        "what was gone is forgotten"
    );
    let own = log
        .iter()
        .filter(|event| event["message"]["sender_id"] == json!(cem.id));
    let deleted = log
        .iter()
        .filter(|event| event["type"] == "message_deleted")
        .count();
    assert_eq!(
        cem.sees(&conversation).await["unread_count"],
        json!(20 - own.count() - deleted + 1),
        "one of the deleted was cem's own"
    );
}
