//! Concurrency: one log without gaps, one message per id, one conversation per pair (S1-E04, design §9).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use futures::future::{BoxFuture, join_all};
use harness::world::{FANOUT, FANOUT_DEAD};
use harness::{Answer, Person, World};
use local_gateway::websocket::WebSocketOptions;
use local_services::{Call, Interceptor, Verdict};
use serde_json::{Value, json};

const WRITERS: usize = 50;
const MESSAGES_EACH: usize = 200;

/// A desk on which functions really race: eight instances of each.
async fn busy_world() -> World {
    World::with_options(&[], WebSocketOptions::default(), 8).await
}

/// A worker that is down: it never runs, and its jobs wait in the queue.
struct WithoutDeliver;

impl Interceptor for WithoutDeliver {
    fn before<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Verdict> {
        let is_down = call.function == "Deliver";
        Box::pin(async move {
            if is_down {
                Verdict::TimeOut
            } else {
                Verdict::Proceed
            }
        })
    }

    fn after<'a>(&'a self, _: &'a Call, _: u16) -> BoxFuture<'a, Verdict> {
        Box::pin(async { Verdict::Proceed })
    }
}

async fn crowd(world: &World, count: usize) -> Vec<Person> {
    join_all((0..count).map(async |index| world.person(&format!("person{index}")).await)).await
}

async fn group(people: &[Person]) -> String {
    let (first, others) = people.split_first().expect("somebody");
    first
        .open_group("everybody", &others.iter().collect::<Vec<_>>())
        .await
}

/// Retries a send with the same id until it is acknowledged, as a client does; returns the response and the number of
/// retries.
async fn sends_until_acknowledged(person: &Person, conversation: &str, text: &str) -> (Answer, u32) {
    let mut refusals = 0;
    loop {
        let answer = person.says_as(conversation, text, text).await;
        if answer.status != 503 {
            assert_eq!(answer.status, 201, "{}", answer.text);
            return (answer, refusals);
        }
        assert!(
            answer.header("retry-after").is_some(),
            "a 503 says when to come again"
        );
        refusals += 1;
        assert!(refusals < 20, "a send is refused again and again");
    }
}

/// The whole log, page by page.
async fn events(person: &Person, conversation: &str) -> Vec<Value> {
    let mut events: Vec<Value> = Vec::new();
    loop {
        let path = format!(
            "/api/conversations/{conversation}/events?after_seq={}&limit=100",
            events.len()
        );
        let page = person.get(&path).await.is(200);
        events.extend(page["events"].as_array().unwrap().iter().cloned());
        if page["has_more"] == false {
            assert_eq!(page["last_seq"], events.len());
            return events;
        }
    }
}

/// All messages, oldest first, by the cursor of the list.
async fn history(person: &Person, conversation: &str) -> Vec<Value> {
    let mut messages: Vec<Value> = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/api/conversations/{conversation}/messages?page_size=100{cursor}");
        let page = person.get(&path).await.is(200);
        messages.extend(page["messages"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    messages.reverse();
    messages
}

fn seq(value: &Value) -> usize {
    value["seq"]
        .as_u64()
        .and_then(|seq| usize::try_from(seq).ok())
        .expect("a number in the log")
}

fn ids(messages: &[Value]) -> Vec<&str> {
    messages
        .iter()
        .map(|message| message["id"].as_str().expect("an id"))
        .collect()
}

/// Checks the numbers of a log: from 1, each once, in order.
fn assert_dense(events: &[Value]) {
    let numbers: Vec<usize> = events.iter().map(seq).collect();
    assert_eq!(numbers, (1..=events.len()).collect::<Vec<_>>());
}

fn of_type<'a>(events: &'a [Value], frame_type: &str) -> Vec<&'a Value> {
    events
        .iter()
        .filter(|event| event["type"] == frame_type)
        .collect()
}

/// The sent messages in the order of the log: the ids by number.
fn acknowledged(sent: &[Vec<(Answer, u32)>]) -> BTreeMap<usize, &str> {
    let answers = sent.iter().flatten().map(|(answer, _)| &answer.json);
    answers
        .map(|message| (seq(message), message["id"].as_str().expect("an id")))
        .collect()
}

/// S1-E04, design §9: none lost, none duplicated, no gaps, in order.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_writers_at_once_leave_one_log_without_a_gap() {
    let world = busy_world().await;
    let writers = crowd(&world, WRITERS).await;
    let conversation = group(&writers).await;
    // Half a million writes for offline members belong to another test; no send waits for a worker.
    world.services().set_interceptor(Some(Arc::new(WithoutDeliver)));

    let began = Instant::now();
    let sent: Vec<Vec<(Answer, u32)>> = join_all(writers.iter().enumerate().map(async |(writer, person)| {
        let mut sent = Vec::with_capacity(MESSAGES_EACH);
        for message in 0..MESSAGES_EACH {
            let text = format!("{message}-of-{writer}");
            sent.push(sends_until_acknowledged(person, &conversation, &text).await);
        }
        sent
    }))
    .await;
    let took = began.elapsed();
    let total = WRITERS * MESSAGES_EACH;
    let refusals: u32 = sent.iter().flatten().map(|(_, refusals)| refusals).sum();
    let contentions: u64 = world
        .log()
        .iter()
        .filter_map(|line| line["contentions"].as_u64())
        .sum();
    println!("{total} sends in {took:.1?}, {refusals} times 503, {contentions} contentions");

    // Each has the number that was acknowledged, and there are no others.
    let acknowledged = acknowledged(&sent);
    assert_eq!(
        acknowledged.len(),
        total,
        "two messages were acknowledged with one number"
    );
    let log = events(&writers[0], &conversation).await;
    assert_dense(&log);
    assert_eq!(log.len(), total);
    let logged: Vec<&str> = log
        .iter()
        .map(|event| event["message"]["id"].as_str().unwrap())
        .collect();
    assert!(logged.iter().eq(acknowledged.values()));
    assert_eq!(
        logged.iter().collect::<BTreeSet<_>>().len(),
        total,
        "a message is there twice"
    );
    assert!(log.is_sorted_by_key(|event| event["message"]["created_at"].as_str().map(str::to_owned)));
    // The messages of each writer are in the order in which they were sent.
    for sent in &sent {
        assert!(sent.is_sorted_by_key(|(answer, _)| seq(&answer.json)));
    }
    // Everybody sees the same order and the same total, and an unread count that fits their read mark.
    assert_eq!(ids(&history(&writers[1], &conversation).await), logged);
    join_all(writers.iter().enumerate().map(async |(index, person)| {
        let path = format!("/api/conversations/{conversation}/messages?page_size=20");
        let page = person.get(&path).await.is(200);
        assert_eq!(page["total"], total);
        assert!(
            ids(page["messages"].as_array().unwrap())
                .into_iter()
                .eq(logged.iter().rev().take(20).copied())
        );
        assert_eq!(person.sees(&conversation).await["unread_count"], 99);

        let unread_from = total - 2 * index;
        let others = |event: &&Value| event["message"]["sender_id"] != json!(person.id);
        let unread = log[unread_from..].iter().filter(others).count().min(99);
        let read = &log[unread_from - 1]["message"];
        assert_eq!(person.reads(&conversation, read).await["unread_count"], unread);
        assert_eq!(person.sees(&conversation).await["unread_count"], unread);
    }))
    .await;
}

/// Contract §1: the same sender, conversation and id return the first message.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_sends_of_one_id_at_once_are_one_message_and_fifty_equal_answers() {
    let world = busy_world().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let mut socket = bob.connect().await;

    let answers =
        join_all((0..50).map(async |_| sends_until_acknowledged(&ada, &conversation, "once").await.0)).await;
    let bodies: BTreeSet<&str> = answers.iter().map(|answer| answer.text.as_str()).collect();
    assert_eq!(bodies.len(), 1, "{bodies:#?}");
    let replays = answers
        .iter()
        .filter(|answer| answer.header("idempotency-replayed") == Some("true"));
    assert_eq!(replays.count(), 49);
    assert_eq!(bob.messages(&conversation).await.len(), 1);
    assert_eq!(bob.sees(&conversation).await["last_seq"], 1);
    // The frame may come more than once, but always with the same message and number.
    world.settled().await;
    let came = socket.so_far().await;
    let frames = of_type(&came, "new_message");
    let queues = [FANOUT, FANOUT_DEAD].map(|queue| world.services().queues().depth(queue));
    assert!(!frames.is_empty(), "{came:?} came, and jobs wait: {queues:?}");
    for frame in frames {
        assert_eq!(
            (&frame["seq"], &frame["message"]["id"]),
            (&json!(1), &answers[0].json["id"])
        );
    }
}

/// S1-E06
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_deletes_of_one_message_at_once_leave_one_entry() {
    let world = busy_world().await;
    let people = crowd(&world, 3).await;
    let conversation = group(&people).await;
    let [ada, bob, chen] = people.as_slice() else {
        panic!("three")
    };
    let message = ada.says(&conversation, "Forget this").await;
    let path = format!(
        "/api/conversations/{conversation}/messages/{}",
        message["id"].as_str().unwrap()
    );

    // Others write concurrently, so the deletion has to race for its number.
    tokio::join!(
        join_all((0..20).map(async |_| { while ada.delete(&path).await.status != 204 {} })),
        join_all([bob, chen].map(async |person| {
            for _ in 0..10 {
                person.says(&conversation, "Meanwhile").await;
            }
        })),
    );
    let log = events(bob, &conversation).await;
    assert_dense(&log);
    assert_eq!(log.len(), 22);
    let deletions = of_type(&log, "message_deleted");
    assert_eq!(deletions.len(), 1);
    assert_eq!(deletions[0]["message_id"], message["id"]);
    assert_eq!(log[0]["message"]["content"], Value::Null);
    assert_eq!(bob.sees(&conversation).await["unread_count"], 10);
}

/// S1-E05: a read mark only moves forward, in whatever order marks arrive.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reads_at_once_end_at_the_furthest_one() {
    const MESSAGES: usize = 12;
    let world = busy_world().await;
    let people = crowd(&world, 6).await;
    let conversation = group(&people).await;
    let mut messages = Vec::new();
    for number in 0..MESSAGES {
        messages.push(people[0].says(&conversation, &format!("number {number}")).await);
    }
    let reader = |person: usize, message: usize| (&people[person], &messages[message]);
    let marks =
        (1..people.len()).flat_map(|person| (0..MESSAGES - person).map(move |message| (person, message)));
    join_all(
        marks
            .map(|(person, message)| reader(person, message))
            .map(async |(person, message)| {
                let stands = person.reads(&conversation, message).await;
                assert!(
                    stands["last_read_seq"].as_u64() >= message["seq"].as_u64(),
                    "{stands}"
                );
            }),
    )
    .await;
    // Each one's unread count fits their read mark; all five have read the first message.
    for (index, person) in people.iter().enumerate().skip(1) {
        let seen = person.sees(&conversation).await;
        assert_eq!(seen["unread_count"], index);
    }
    for (index, message) in history(&people[0], &conversation).await.iter().enumerate() {
        let readers = (1..people.len())
            .filter(|person| index < MESSAGES - person)
            .count();
        assert_eq!(
            (&message["read_count"], &message["is_read"]),
            (&json!(readers), &json!(readers > 0))
        );
    }
}

/// S1-E01: one conversation per pair, and one caller who created it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_opens_from_both_sides_at_once_make_one_conversation() {
    let world = busy_world().await;
    for round in 0..5 {
        let [ada, bob] = world.people(["ada", "bob"]).await;
        let answers = join_all((0..20).map(async |turn| {
            let (caller, other) = if turn % 2 == 0 { (&ada, &bob) } else { (&bob, &ada) };
            caller
                .post_nothing(&format!("/api/conversations/dm/{}", other.id))
                .await
        }))
        .await;
        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [vec![200; 19], vec![201]].concat(), "round {round}");
        let opened: BTreeSet<_> = answers
            .iter()
            .map(|answer| {
                (
                    answer.json["id"].to_string(),
                    answer.json["created_at"].to_string(),
                )
            })
            .collect();
        assert_eq!(opened.len(), 1, "{opened:?}");
        let conversation = answers[0].json["id"].as_str().unwrap();
        for (person, other) in [(&ada, &bob), (&bob, &ada)] {
            let list = person.get("/api/conversations").await.is(200);
            assert_eq!(list["total"], 1);
            assert_eq!(
                list["conversations"][0]["participants"].as_array().unwrap().len(),
                2
            );
            other.says(conversation, "Hello").await;
            assert_eq!(person.sees(conversation).await["unread_count"], 1);
        }
    }
}

/// S1-E04, S1-E06: sends and deletions share the numbers of one log.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sends_and_deletions_that_race_leave_a_dense_log_and_right_counts() {
    const EACH: usize = 12;
    let world = busy_world().await;
    let people = crowd(&world, 8).await;
    let conversation = group(&people).await;
    join_all(people.iter().enumerate().map(async |(writer, person)| {
        let mut last: Option<String> = None;
        for message in 0..EACH {
            let text = format!("{message}-of-{writer}");
            // Every other message is deleted while the next one is sent.
            let ((sent, _), ()) =
                tokio::join!(sends_until_acknowledged(person, &conversation, &text), async {
                    let Some(id) = &last else { return };
                    let path = format!("/api/conversations/{conversation}/messages/{id}");
                    while person.delete(&path).await.status != 204 {}
                });
            last = (message % 2 == 0).then(|| sent.json["id"].as_str().unwrap().to_owned());
        }
    }))
    .await;
    let log = events(&people[0], &conversation).await;
    assert_dense(&log);
    let (sent, deleted) = (people.len() * EACH, people.len() * EACH / 2);
    assert_eq!(of_type(&log, "new_message").len(), sent);
    let gone: BTreeSet<String> = of_type(&log, "message_deleted")
        .iter()
        .map(|event| event["message_id"].to_string())
        .collect();
    assert_eq!((gone.len(), log.len()), (deleted, sent + deleted));
    let messages = history(&people[1], &conversation).await;
    for message in &messages {
        assert_eq!(message["is_deleted"], gone.contains(&message["id"].to_string()));
    }
    for person in &people {
        let own_left = EACH / 2;
        assert_eq!(
            person.sees(&conversation).await["unread_count"],
            sent - deleted - own_left
        );
    }
}
