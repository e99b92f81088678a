//! Delivery of read marks, and reading over the WebSocket (S1-W04, S1-W05).

use std::time::Duration;

use futures::future::join_all;
use harness::{Person, Socket, World};
use serde_json::{Value, json};
use uuid::Uuid;

fn types(frames: &[Value]) -> Vec<&str> {
    frames
        .iter()
        .map(|frame| frame["type"].as_str().unwrap())
        .collect()
}

fn mark_read(conversation: &str, message: &Value) -> Value {
    json!({ "type": "mark_read", "conversation_id": conversation, "message_id": message["id"] })
}

/// Checks the frame of a read mark.
#[track_caller]
fn tells_of_reading(frame: &Value, conversation: &str, reader: Uuid, message: &Value, unread: Option<u64>) {
    let mut expected = json!({
        "type": "message_read", "namespace": "conversations", "conversation_id": conversation, "user_id": reader,
        "message_id": message["id"], "seq": message["seq"], "read_at": frame["read_at"]
    });
    if let Some(unread) = unread {
        expected["unread_count"] = json!(unread);
    }
    assert_eq!(frame, &expected);
    assert!(frame["read_at"].as_str().unwrap() >= message["created_at"].as_str().unwrap());
}

/// S1-W05: to all members' connections, including the reader's other ones; the count only there.
#[tokio::test]
async fn everybody_is_told_and_the_reader_how_much_is_left() {
    let world = World::start().await;
    let [ada, bob, chen, eve] = world.people(["ada", "bob", "chen", "eve"]).await;
    let group = ada.open_group("three", &[&bob, &chen]).await;
    ada.open_direct(&eve).await;
    let first = ada.says(&group, "first").await;
    ada.says(&group, "second").await;
    world.settled().await;
    let mut others = [ada.connect().await, chen.connect().await];
    let mut own = [bob.connect().await, bob.connect().await];
    let mut outside = eve.connect().await;

    bob.reads(&group, &first).await;
    for socket in &mut others {
        tells_of_reading(
            &socket.next_of("message_read").await,
            &group,
            bob.id,
            &first,
            None,
        );
    }
    for socket in &mut own {
        tells_of_reading(
            &socket.next_of("message_read").await,
            &group,
            bob.id,
            &first,
            Some(1),
        );
    }
    world.settled().await;
    assert_eq!(outside.so_far().await, Vec::<Value>::new());
}

/// S1-W05: a mark without an effect is not delivered.
#[tokio::test]
async fn a_mark_without_effect_is_not_delivered() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let first = ada.says(&conversation, "first").await;
    let second = ada.says(&conversation, "second").await;
    bob.reads(&conversation, &second).await;
    world.settled().await;
    let mut socket = ada.connect().await;
    bob.reads(&conversation, &first).await;
    world.settled().await;
    assert_eq!(types(&socket.so_far().await), Vec::<&str>::new());
}

/// S1-W04, S1-W05: over the WebSocket as over HTTP.
#[tokio::test]
async fn reading_over_the_socket_is_reading() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let first = ada.says(&conversation, "first").await;
    let second = ada.says(&conversation, "second").await;
    world.settled().await;
    let mut sockets = [bob.connect().await, bob.connect().await];
    let mut sender = ada.connect().await;

    sockets[0].send(mark_read(&conversation, &first)).await;
    for socket in &mut sockets {
        tells_of_reading(
            &socket.next_of("message_read").await,
            &conversation,
            bob.id,
            &first,
            Some(1),
        );
    }
    tells_of_reading(
        &sender.next_of("message_read").await,
        &conversation,
        bob.id,
        &first,
        None,
    );
    let marks: Vec<Value> = ada
        .messages(&conversation)
        .await
        .iter()
        .map(|message| message["is_read"].clone())
        .collect();
    assert_eq!(marks, [json!(false), json!(true)]);
    assert_eq!(bob.sees(&conversation).await["unread_count"], 1);

    // Forwards through one, and not backwards through the other.
    bob.reads(&conversation, &second).await;
    sender.next_of("message_read").await;
    sockets[1].send(mark_read(&conversation, &first)).await;
    sockets[1].so_far().await;
    world.settled().await;
    assert_eq!(types(&sender.so_far().await), Vec::<&str>::new());
    assert_eq!(bob.sees(&conversation).await["unread_count"], 0);
}

async fn is_refused(socket: &mut Socket, frame: Value, code: u16, name: &str) {
    socket.send(frame.clone()).await;
    let error = socket.next_of("error").await;
    assert_eq!(
        (&error["code"], &error["name"]),
        (&json!(code), &json!(name)),
        "{frame}: {error}"
    );
    assert!(error["message"].is_string());
}

/// S1-W08: 4004 for what the reader may not know of, 4003 for an invalid frame.
#[tokio::test]
async fn an_unreadable_frame_gets_an_error_frame() {
    let world = World::start().await;
    let [ada, bob, eve] = world.people(["ada", "bob", "eve"]).await;
    let conversation = ada.open_direct(&bob).await;
    let with_eve = bob.open_direct(&eve).await;
    let message = ada.says(&conversation, "between us").await;
    let mut outside = eve.connect().await;
    let mut inside = bob.connect().await;

    const UNKNOWN: (u16, &str) = (4004, "CONVERSATION_NOT_FOUND");
    const INVALID: (u16, &str) = (4003, "INVALID_FORMAT");
    let nowhere = Uuid::new_v4().to_string();
    is_refused(
        &mut outside,
        mark_read(&conversation, &message),
        UNKNOWN.0,
        UNKNOWN.1,
    )
    .await;
    is_refused(&mut outside, mark_read(&nowhere, &message), UNKNOWN.0, UNKNOWN.1).await;
    is_refused(&mut outside, mark_read(&with_eve, &message), UNKNOWN.0, UNKNOWN.1).await;
    is_refused(&mut inside, mark_read(&with_eve, &message), UNKNOWN.0, UNKNOWN.1).await;
    is_refused(
        &mut inside,
        mark_read(&conversation, &json!({ "id": nowhere })),
        UNKNOWN.0,
        UNKNOWN.1,
    )
    .await;
    for wrong in [
        json!({ "type": "mark_read" }),
        json!({ "type": "mark_read", "conversation_id": conversation }),
        json!({ "type": "mark_read", "message_id": message["id"] }),
        json!({ "type": "mark_read", "conversation_id": conversation, "message_id": 7 }),
        json!({ "type": "mark_read", "conversation_id": "x", "message_id": message["id"] }),
        json!({ "type": "mark_read", "conversation_id": [conversation], "message_id": message["id"] }),
    ] {
        is_refused(&mut inside, wrong, INVALID.0, INVALID.1).await;
    }
    assert_eq!(
        bob.sees(&conversation).await["unread_count"],
        1,
        "nothing was read by any of it"
    );
}

/// S1-F08: a posted message equals any other view of it, however large the group and however late.
#[tokio::test]
async fn a_message_that_is_pushed_again_names_readers_from_the_whole_group() {
    let world = World::start().await;
    let ada = world.person("ada").await;
    let names: Vec<String> = (0..160).map(|index| format!("reader{index}")).collect();
    let readers = futures::future::join_all(names.iter().map(|name| world.person(name))).await;
    let group = ada
        .open_group("split for delivery", &readers.iter().collect::<Vec<_>>())
        .await;
    let message = ada.says_as(&group, "Hello, all", "id").await.is(201);
    for reader in &readers[..20] {
        reader.reads(&group, &message).await;
    }
    world.settled().await;
    let mut socket = readers[30].connect().await;

    let again = ada.says_as(&group, "Hello, all", "id").await.is(201);
    assert_eq!(again["read_count"], 20);
    let frame = socket.next_of("new_message").await;
    assert_eq!(frame["message"]["read_count"], 20);
    assert_eq!(frame["message"], readers[30].messages(&group).await[0]);
}

/// S1-W05: a client without a response marks again, and members get the frame again; after a minute they do not.
#[tokio::test]
async fn the_same_mark_again_is_told_again_for_a_minute_and_no_longer() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let direct = ada.open_direct(&bob).await;
    let message = ada.says(&direct, "hello").await;
    world.settled().await;
    let mut other = ada.connect().await;
    let mut told = async |wait: u64| {
        world.advance(Duration::from_secs(wait));
        bob.reads(&direct, &message).await;
        world.settled().await;
        types(&other.so_far().await).len()
    };
    assert_eq!(told(0).await, 1);
    assert_eq!(told(30).await, 1);
    assert_eq!(told(31).await, 0);
    assert_eq!(told(1).await, 0);

    // Individual marks too.
    let message = ada.says(&direct, "there").await;
    world.settled().await;
    other.so_far().await;
    let mut told = async |wait: u64| {
        world.advance(Duration::from_secs(wait));
        let body = json!({ "message_ids": [message["id"]] });
        bob.post("/api/v2/messages/mark-read", body).await.is(200);
        let path = format!(
            "/api/v2/messages/mark-delivered/{}",
            message["id"].as_str().unwrap()
        );
        bob.post_nothing(&path).await.is(200);
        world.settled().await;
        other.so_far().await.len()
    };
    assert_ne!(told(0).await, 0);
    assert_ne!(told(30).await, 0);
    assert_eq!(told(31).await, 0);
}

/// S1-W05: in a group of more than a hundred, a read mark is only delivered to the reader.
#[tokio::test]
async fn in_a_large_group_only_the_readers_own_connections_are_told() {
    let world = World::start().await;
    let names: Vec<String> = (0..101).map(|number| format!("member{number}")).collect();
    let people = join_all(names.iter().map(|name| world.person(name))).await;
    let (ada, others) = people.split_first().unwrap();
    let (bob, _) = others.split_first().unwrap();
    for (size, is_told) in [(100, true), (101, false)] {
        let members: Vec<&Person> = others.iter().take(size - 1).collect();
        let group = ada.open_group("large", &members).await;
        let message = ada.says(&group, "hello").await;
        world.settled().await;
        let (mut of_ada, mut of_bob, mut elsewhere) =
            (ada.connect().await, bob.connect().await, bob.connect().await);
        let (to_ada, to_bob) = (now_of(ada).await, now_of(bob).await);
        of_bob.send(mark_read(&group, &message)).await;
        for socket in [&mut of_bob, &mut elsewhere] {
            let frame = socket.next_of("message_read").await;
            tells_of_reading(&frame, &group, bob.id, &message, Some(0));
        }
        world.settled().await;
        assert_eq!(
            of_ada.so_far().await.len(),
            usize::from(is_told),
            "{size} members"
        );
        // What was not delivered is not told by a sync either.
        assert_eq!(
            events_since(ada, &to_ada).await,
            usize::from(is_told),
            "{size} members"
        );
        assert_eq!(events_since(bob, &to_bob).await, 1, "{size} members");
    }
}

/// A sync token for now.
async fn now_of(person: &Person) -> String {
    let sync = person.get("/api/events").await.is(200);
    sync["next"].as_str().unwrap().to_owned()
}

/// How many events a sync tells.
async fn events_since(person: &Person, token: &str) -> usize {
    let sync = person.get(&format!("/api/events?after={token}")).await.is(200);
    sync["events"].as_array().unwrap().len()
}
