//! `resume`: the missed frames over the socket, then where to go on.

use std::time::Duration;

use harness::{Socket, World};
use serde_json::{Value, json};
use shared::domain::user::Claims;

use super::{Follower, NONE, delete};

async fn resume(socket: &mut Socket, after: &str) -> (Vec<Value>, Value) {
    socket.send(json!({ "type": "resume", "after": after })).await;
    let mut missed = Vec::new();
    loop {
        let frame = socket.next().await.unwrap();
        if frame["type"] == "resumed" {
            return (missed, frame);
        }
        missed.push(frame);
    }
}

/// S0-J03
#[tokio::test]
async fn missed_frames_come_in_order_and_then_where_to_go_on() {
    let world = World::start().await;
    let [ada, bob, chen] = world.people(["ada", "bob", "chen"]).await;
    let mut follower = Follower::of(&bob).await;
    let token = follower.token.clone();
    let direct = ada.open_direct(&bob).await;
    let group = chen.open_group("three", &[&ada, &bob]).await;
    for number in 0..4 {
        let message = ada.says(&direct, &format!("{number}")).await;
        chen.says(&group, &format!("{number}")).await;
        if number == 1 {
            delete(&ada, &direct, &message).await;
        }
        ada.reads(&direct, &message).await;
    }
    world.settled().await;
    let mut socket = bob.connect().await;
    let (missed, resumed) = resume(&mut socket, &token).await;
    assert_eq!(missed, follower.catch_up(100).await, "the same as over HTTP");
    assert_eq!(
        resumed,
        json!({
            "type": "resumed", "namespace": "conversations", "next": resumed["next"], "recovered": true,
            "unread": { "total": 7, "by_conversation": { &direct: 3, &group: 4 } }
        })
    );
    let (missed, resumed) = resume(&mut socket, resumed["next"].as_str().unwrap()).await;
    assert_eq!((missed, &resumed["recovered"]), (Vec::new(), &json!(true)));

    // And its token is as good over HTTP.
    ada.says(&direct, "news").await;
    follower.token = resumed["next"].as_str().unwrap().to_owned();
    assert_eq!(follower.catch_up(100).await.len(), 1);
}

/// S0-J03: more than one page of frames.
#[tokio::test]
async fn hundreds_of_missed_frames_come_without_a_hole() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let token = Follower::of(&bob).await.token;
    for _ in 0..50 {
        futures::future::join_all((0..5).map(|_| ada.says(&conversation, "quick"))).await;
    }
    world.settled().await;
    let mut socket = bob.connect().await;
    let (missed, resumed) = resume(&mut socket, &token).await;
    let seqs: Vec<u64> = missed.iter().filter_map(|frame| frame["seq"].as_u64()).collect();
    assert_eq!(seqs, (1..=250).collect::<Vec<_>>());
    assert_eq!(resumed["unread"]["total"], 99);
}

/// S0-J03: only the connection that asks is told.
#[tokio::test]
async fn a_resume_tells_nothing_to_ones_other_connections() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let token = Follower::of(&bob).await.token;
    let conversation = ada.open_direct(&bob).await;
    ada.says(&conversation, "hello").await;
    world.settled().await;
    let (mut asking, mut other) = (bob.connect().await, bob.connect().await);
    let (missed, _) = resume(&mut asking, &token).await;
    assert_eq!(missed.len(), 2);
    assert_eq!(other.so_far().await, Vec::<Value>::new());
}

/// S1-W08
#[tokio::test]
async fn a_token_of_somebody_else_or_an_altered_one_is_4003() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let of_ada = Follower::of(&ada).await.token;
    let of_bob = Follower::of(&bob).await.token;
    let mut socket = bob.connect().await;
    for after in [of_ada.as_str(), "", "nonsense", &of_bob[1..]] {
        socket.send(json!({ "type": "resume", "after": after })).await;
        let frame = socket.next_of("error").await;
        assert_eq!(
            (&frame["code"], &frame["name"]),
            (&json!(4003), &json!("INVALID_FORMAT")),
            "{after}"
        );
    }
    assert_eq!(resume(&mut socket, &of_bob).await.0, Vec::<Value>::new());
}

/// S0-J03
#[tokio::test]
async fn a_resume_from_too_long_ago_says_that_it_is_not_complete() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let token = Follower::of(&bob).await.token;
    ada.says(&conversation, "long ago").await;
    world.settled().await;
    world.advance(Duration::from_hours(24 * 31));
    let now = world.token(bob.id, Claims::default(), Duration::from_secs(3600));
    let mut socket = bob.with_token(&now).connect().await;
    let (missed, resumed) = resume(&mut socket, &token).await;
    assert_eq!(Value::from(missed), NONE);
    assert_eq!(
        (&resumed["recovered"], &resumed["unread"]["total"]),
        (&json!(false), &json!(1))
    );
    assert!(resume(&mut socket, resumed["next"].as_str().unwrap()).await.1["recovered"] == true);
}
