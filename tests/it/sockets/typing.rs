//! Typing: recipients, frequency, and no traces (S1-W01, S1-W02).

use std::time::Duration;

use futures::future::join_all;
use harness::{Person, Socket, World};
use serde_json::{Value, json};

use super::clients::typing;

fn of_type(frames: &[Value], frame_type: &str) -> usize {
    frames.iter().filter(|frame| frame["type"] == frame_type).count()
}

/// S1-W01, S1-W02
#[tokio::test]
async fn typing_shows_on_every_connection_of_the_other_members_and_on_none_of_ones_own() {
    let world = World::start().await;
    let [ada, bob, chen, eve] = world.people(["ada", "bob", "chen", "eve"]).await;
    let conversation = ada.open_group("three", &[&bob, &chen]).await;
    world.settled().await;
    let (mut typist, mut elsewhere) = (ada.connect().await, ada.connect().await);
    let mut others = [bob.connect().await, bob.connect().await, chen.connect().await];
    let mut stranger = eve.connect().await;

    typist.send(typing(&conversation, true)).await;
    for socket in &mut others {
        assert_eq!(
            socket.next_of("typing").await,
            json!({
                "type": "typing", "namespace": "conversations", "conversation_id": conversation,
                "user_id": ada.id, "is_typing": true, "expires_in_ms": 8000
            })
        );
    }
    for socket in [&mut typist, &mut elsewhere, &mut stranger] {
        assert_eq!(socket.so_far().await, Vec::<Value>::new());
    }
}

/// The `is_typing` of each frame.
async fn shown(socket: &mut Socket) -> Vec<bool> {
    let frames = socket.so_far().await;
    let shown = frames.iter().map(|frame| frame["is_typing"].as_bool().unwrap());
    shown.collect()
}

/// S1-W01: at most one start in three seconds, and a stop for each start that was sent.
#[tokio::test]
async fn a_start_of_typing_shows_once_in_three_seconds_and_a_stop_once_for_each_start() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    world.settled().await;
    let (mut typist, mut elsewhere) = (ada.connect().await, ada.connect().await);
    let mut other = bob.connect().await;

    for is_typing in [false, true, true, false, false, true, false] {
        typist.send(typing(&conversation, is_typing)).await;
    }
    typist.so_far().await;
    for is_typing in [true, false] {
        elsewhere.send(typing(&conversation, is_typing)).await;
    }
    elsewhere.so_far().await;
    assert_eq!(
        shown(&mut other).await,
        [true, false],
        "one start in a while and one stop of it, from whichever connection"
    );

    world.advance(Duration::from_secs(3));
    for is_typing in [true, false, false] {
        typist.send(typing(&conversation, is_typing)).await;
    }
    typist.so_far().await;
    assert_eq!(shown(&mut other).await, [true, false]);
}

/// S1-W01: stops without a start post nothing, however many they are and however large the group.
#[tokio::test]
async fn stops_without_a_start_are_posted_to_nobody() {
    const OTHERS: usize = 40;
    let world = World::in_desk(&[]).await;
    let ada = world.person("ada").await;
    let names: Vec<String> = (0..OTHERS).map(|number| format!("member{number}")).collect();
    let others = join_all(names.iter().map(|name| world.person(name))).await;
    let group = ada
        .open_group("forty-one", &others.iter().collect::<Vec<_>>())
        .await;
    world.settled().await;
    let mut listeners = join_all(others.iter().map(Person::connect)).await;
    let mut typist = ada.connect().await;
    for _ in 0..9 {
        typist.send(typing(&group, false)).await;
    }
    typist.so_far().await;
    let deliveries: u64 = world
        .log()
        .iter()
        .filter(|line| line["function"] == "show_typing")
        .filter_map(|line| line["deliveries"].as_u64())
        .sum();
    assert_eq!(deliveries, 0);
    for listener in &mut listeners {
        assert_eq!(listener.so_far().await, Vec::<Value>::new());
    }
}

/// S1-W01: per conversation and per person.
#[tokio::test]
async fn typing_is_throttled_per_person_and_conversation() {
    let world = World::start().await;
    let [ada, bob, chen] = world.people(["ada", "bob", "chen"]).await;
    let (group, direct) = (
        ada.open_group("three", &[&bob, &chen]).await,
        ada.open_direct(&chen).await,
    );
    world.settled().await;
    let (mut of_ada, mut of_bob, mut of_chen) =
        (ada.connect().await, bob.connect().await, chen.connect().await);

    of_ada.send(typing(&group, true)).await;
    of_ada.send(typing(&direct, true)).await;
    of_ada.so_far().await;
    of_bob.send(typing(&group, true)).await;
    of_bob.so_far().await;
    assert_eq!(of_type(&of_chen.so_far().await, "typing"), 3);
}

/// S1-W02: not stored, no event, not part of a sync, and wakes no waiting request.
#[tokio::test]
async fn typing_leaves_no_trace_in_the_conversation() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let after = bob.get("/api/events").await.is(200)["next"]
        .as_str()
        .unwrap()
        .to_owned();
    let before = bob.sees(&conversation).await;
    let mut typist = ada.connect().await;
    typist.send(typing(&conversation, true)).await;
    typist.send(typing(&conversation, false)).await;
    typist.so_far().await;

    assert_eq!(bob.sees(&conversation).await, before);
    let page = bob.get(&format!("/api/events?after={after}")).await.is(200);
    assert_eq!(page["events"], json!([]));
    world.settled().await;
    assert!(
        !world
            .log()
            .iter()
            .any(|line| line["function"] == "deliver" && line["status"] != 200)
    );
}
