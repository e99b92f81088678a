//! The cache of connections: deliveries read less, and nothing is lost (S1-E05, S1-E09; design §6).

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use harness::ledger::Ledger;
use harness::{Person, Socket, World};
use local_gateway::websocket::WebSocketOptions;
use local_services::Service;
use serde_json::Value;

/// The maximum duration.
const REMEMBERING: [(&str, &str); 1] = [("LISTENERS_MEMORY_MILLISECONDS", "1000")];
/// So many messages in a row that some fall within the cache's lifetime.
const MANY: u64 = 20;

async fn circle(world: &World) -> ([Person; 3], String) {
    let people = world.people(["ada", "bob", "cem"]).await;
    let [ada, bob, cem] = &people;
    let conversation = ada.open_group("circle", &[bob, cem]).await;
    world.settled().await;
    (people, conversation)
}

/// The numbers of the messages among what has come so far.
async fn numbers(socket: &mut Socket) -> Vec<u64> {
    let frames = socket.so_far().await;
    let messages = frames.iter().filter(|frame| frame["type"] == "new_message");
    messages.filter_map(|frame| frame["seq"].as_u64()).collect()
}

/// The reads of all deliveries of `MANY` consecutive messages of Ada.
async fn read_for(world: &World, ada: &Person, conversation: &str) -> (f64, usize) {
    let ledger = Arc::new(Ledger::default());
    world.services().set_interceptor(Some(Arc::clone(&ledger) as _));
    for _ in 0..MANY {
        ada.says(conversation, "on and on").await;
        world.settled().await;
    }
    world.services().set_interceptor(None);
    let bill = ledger.take().of("Deliver");
    (bill.reads(), bill.calls_to(Service::Connections))
}

#[tokio::test]
async fn connections_are_not_read_for_each_message() {
    let mut read = Vec::new();
    for settings in [&[][..], &REMEMBERING[..]] {
        let world = World::with(settings).await;
        let ([ada, bob, cem], group) = circle(&world).await;
        let direct = ada.open_direct(&bob).await;
        world.settled().await;
        // Cem is offline, and is read each time, so that he is noticed when he comes back.
        let mut sockets = [ada.connect().await, bob.connect().await];
        for conversation in [&group, &direct] {
            let (units, posts) = read_for(&world, &ada, conversation).await;
            assert_eq!(posts, 2 * usize::try_from(MANY).unwrap());
            read.push(units);
            for socket in &mut sockets {
                assert_eq!(numbers(socket).await, (1..=MANY).collect::<Vec<_>>());
            }
        }
        let mut back = cem.connect().await;
        ada.says(&group, "there you are").await;
        world.settled().await;
        assert_eq!(numbers(&mut back).await, [MANY + 1]);
    }
    let [group, direct, group_remembered, direct_remembered] = read[..] else {
        panic!("{read:?}");
    };
    assert!(group_remembered < group, "{read:?}");
    assert!(direct_remembered < direct, "{read:?}");
}

#[tokio::test]
async fn a_second_device_that_is_not_cached_gets_the_frame_a_little_later() {
    let world = World::with(&REMEMBERING).await;
    let ([ada, bob, _], group) = circle(&world).await;
    let direct = ada.open_direct(&bob).await;
    world.settled().await;
    for conversation in [&group, &direct] {
        let mut first = bob.connect().await;
        ada.says(conversation, "to the first").await;
        world.settled().await;
        let mut second = bob.connect().await;
        ada.says(conversation, "to both").await;
        world.settled().await;
        assert_eq!(numbers(&mut first).await, [1, 2]);
        let mut told = numbers(&mut second).await;
        world.caught_up().await;
        told.extend(numbers(&mut second).await);
        assert!(told.contains(&2), "{told:?}");
        first.close().await;
        second.close().await;
        world.settled().await;
    }
}

#[tokio::test]
async fn a_user_who_reconnects_at_once_gets_frames_at_once() {
    let world = World::with(&REMEMBERING).await;
    let ([ada, bob, _], group) = circle(&world).await;
    let direct = ada.open_direct(&bob).await;
    world.settled().await;
    for conversation in [&group, &direct] {
        for seq in 1..=4 {
            let mut socket = bob.connect().await;
            ada.says(conversation, "to whoever is there").await;
            world.settled().await;
            assert_eq!(numbers(&mut socket).await, [seq]);
            socket.close().await;
            world.settled().await;
        }
    }
}

#[tokio::test]
async fn a_connection_that_turns_out_to_be_gone_is_remembered_no_longer() {
    let options = WebSocketOptions::default();
    let drop_disconnect = options.drop_disconnect.clone();
    let world = World::with_options(&REMEMBERING, options, 1).await;
    let ([ada, bob, _], group) = circle(&world).await;
    let (mut staying, leaving) = (bob.connect().await, bob.connect().await);
    // Longer than a connection takes to open, during which it looks gone as well.
    world.advance(Duration::from_secs(30));
    ada.says(&group, "who is there?").await;
    world.settled().await;
    drop_disconnect.store(true, Ordering::Relaxed);
    leaving.close().await;
    ada.says(&group, "and now?").await;
    world.settled().await;
    assert_eq!(world.noted_connections(bob.id).await.len(), 1);
    ada.says(&group, "and then?").await;
    world.settled().await;
    assert_eq!(numbers(&mut staying).await, [1, 2, 3]);
    let gone = |line: &&Value| line["function"] == "deliver" && line["gone_connections"] == 1;
    assert_eq!(world.log().iter().filter(gone).count(), 1);
}

/// Whether a waiting request is registered.
async fn waits(world: &World, person: &Person) -> bool {
    let item = world.stored(&format!("U#{}", person.id), "CONNECTIONS").await;
    let item = item.as_ref().and_then(Value::as_object);
    item.is_some_and(|item| item.keys().any(|name| name.starts_with("p#")))
}

/// S4-C55: a waiting request beside a cached connection.
#[tokio::test]
async fn a_poll_of_somebody_who_is_remembered_without_it_looks_once_more() {
    let settings = [REMEMBERING[0], ("CATCH_UP_SECONDS", "2")];
    let world = World::with(&settings).await;
    let ([ada, bob, _], group) = circle(&world).await;
    let _listening = bob.connect().await;
    ada.says(&group, "remember").await;
    world.settled().await;
    let token = bob.get("/api/events").await.is(200)["next"].clone();
    let path = format!("/api/events?wait=20&after={}", token.as_str().unwrap());
    let begun = Instant::now();
    let says = async {
        while !waits(&world, &bob).await {
            tokio::task::yield_now().await;
        }
        ada.says(&group, "to all of you").await
    };
    let (page, message) = tokio::join!(bob.get(&path), says);
    let page = page.is(200);
    assert!(begun.elapsed() < Duration::from_secs(15), "it waited to its end");
    assert_eq!(page["events"][0]["message"]["id"], message["id"]);
}
