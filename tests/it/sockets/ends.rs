//! Closing: tokens that expire, connections that disappear without notice.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::future::BoxFuture;
use harness::{Person, Socket, World};
use local_gateway::websocket::WebSocketOptions;
use local_services::{AwsError, Call, Interceptor, Verdict};
use serde_json::{Value, json};
use shared::domain::user::Claims;
use shared::lambda::Trigger;

/// Connects with a token that is valid for a minute.
async fn connect_for_a_minute(world: &World, person: &Person) -> Socket {
    let token = world.token(person.id, Claims::default(), Duration::from_secs(60));
    person.with_token(&token).connect().await
}

async fn is_told_4001_and_closed(socket: &mut Socket) {
    let frame = socket.next_of("error").await;
    assert_eq!(
        (&frame["code"], &frame["name"]),
        (&json!(4001), &json!("AUTHENTICATION_FAILED")),
        "{frame}"
    );
    assert_eq!(socket.next().await, None::<Value>);
}

/// S1-W08: the token's leeway applies to the connection too.
#[tokio::test]
async fn a_frame_after_the_token_has_run_out_is_4001_and_the_connection_is_closed() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    world.settled().await;
    let mut socket = connect_for_a_minute(&world, &bob).await;
    let mut other = ada.connect().await;
    let typing = json!({ "type": "typing", "conversation_id": conversation, "is_typing": true });

    world.advance(Duration::from_secs(75));
    socket.send(typing.clone()).await;
    other.next_of("typing").await;

    world.advance(Duration::from_secs(30));
    socket.send(typing).await;
    is_told_4001_and_closed(&mut socket).await;
    assert_eq!(
        other.so_far().await,
        Vec::<Value>::new(),
        "the frame was not heeded"
    );
    world
        .logged(1, |line| line["function"] == "close_connection")
        .await;
    assert_eq!(world.noted_connections(bob.id).await, Vec::<String>::new());
}

/// S1-W08: an invalid frame gets this error too.
#[tokio::test]
async fn an_invalid_frame_after_the_token_has_expired_is_4001_too() {
    let world = World::start().await;
    let bob = world.person("bob").await;
    let mut socket = connect_for_a_minute(&world, &bob).await;
    world.advance(Duration::from_secs(91));
    socket.send_text("nonsense").await;
    is_told_4001_and_closed(&mut socket).await;
}

/// S1-W08: whatever its type.
#[tokio::test]
async fn every_frame_after_the_token_has_run_out_is_4001() {
    let world = World::start().await;
    let bob = world.person("bob").await;
    let mut sockets = Vec::new();
    for function in harness::functions() {
        if let Trigger::Frame(entry) = function.trigger {
            sockets.push((entry.key, connect_for_a_minute(&world, &bob).await));
        }
    }
    world.advance(Duration::from_secs(91));
    for (key, mut socket) in sockets {
        socket.send(json!({ "type": key })).await;
        is_told_4001_and_closed(&mut socket).await;
    }
}

/// S1-W08: on delivery, in the other direction.
#[tokio::test]
async fn a_delivery_after_the_token_has_run_out_is_4001_instead_and_the_connection_is_closed() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    world.settled().await;
    let mut socket = connect_for_a_minute(&world, &bob).await;
    let mut lasting = bob.connect().await;

    world.advance(Duration::from_secs(91));
    ada.says(&conversation, "not for everybody's ears").await;
    is_told_4001_and_closed(&mut socket).await;
    lasting.next_of("new_message").await;
    world.settled().await;
    assert_eq!(world.noted_connections(bob.id).await.len(), 1);
}

/// S1-W08: a newer connection of the same person does not make the older one disappear without an error.
#[tokio::test]
async fn an_expired_connection_gets_an_error_although_its_user_has_connected_again() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    world.settled().await;
    let mut older = connect_for_a_minute(&world, &bob).await;
    world.advance(Duration::from_secs(91));
    let mut newer = bob.connect().await;

    ada.says(&conversation, "hello").await;
    newer.next_of("new_message").await;
    is_told_4001_and_closed(&mut older).await;
}

/// S1-W08: typing is a delivery too.
#[tokio::test]
async fn typing_of_another_ends_a_connection_whose_token_has_run_out() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    world.settled().await;
    let mut socket = connect_for_a_minute(&world, &bob).await;
    world.advance(Duration::from_secs(91));
    let mut other = ada.connect().await;
    other
        .send(json!({ "type": "typing", "conversation_id": conversation, "is_typing": true }))
        .await;
    is_told_4001_and_closed(&mut socket).await;
    assert_eq!(other.so_far().await, Vec::<Value>::new());
}

/// S1-W08: pings are answered by the gateway alone, so only the chore notices.
#[tokio::test]
async fn a_connection_that_only_pings_is_closed_within_minutes_after_its_token_has_run_out() {
    let world = World::start().await;
    let bob = world.person("bob").await;
    let mut socket = connect_for_a_minute(&world, &bob).await;
    let mut lasting = bob.connect().await;
    assert_eq!(socket.so_far().await, Vec::<Value>::new());

    world.advance(Duration::from_secs(60 + 30 + 60 + 120));
    is_told_4001_and_closed(&mut socket).await;
    world
        .logged(1, |line| {
            line["function"] == "end_expired_connections" && line["deliveries"] == 1
        })
        .await;
    assert_eq!(lasting.so_far().await, Vec::<Value>::new());
    world
        .logged(1, |line| line["function"] == "close_connection")
        .await;
    assert_eq!(world.noted_connections(bob.id).await.len(), 1);
}

/// S1-W08: a failed run is made up for.
#[tokio::test]
async fn connections_that_one_sweep_could_not_close_are_closed_by_the_next() {
    let world = World::in_desk(&[]).await;
    let people = world.people(["ada", "bob", "cem"]).await;
    let mut sockets = Vec::new();
    for person in &people {
        sockets.push(connect_for_a_minute(&world, person).await);
    }
    let is_end = |line: &Value| line["function"] == "end_expired_connections";
    world.services().set_interceptor(Some(Arc::new(Closed)));
    world.advance(Duration::from_secs(240));
    world
        .logged(1, |line| is_end(line) && line["status"] == 500)
        .await;
    world.services().set_interceptor(None);

    world.advance(Duration::from_secs(120));
    for socket in &mut sockets {
        is_told_4001_and_closed(socket).await;
    }
    world
        .logged(1, |line| is_end(line) && line["status"] == 200)
        .await;
}

/// Closing connections fails.
struct Closed;

impl Interceptor for Closed {
    fn before<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Verdict> {
        let is_meant = call.function == "EndExpiredConnections" && call.operation == "PostToConnection";
        Box::pin(async move {
            if is_meant {
                Verdict::Answer(AwsError::new(403, "ForbiddenException", "not now"))
            } else {
                Verdict::Proceed
            }
        })
    }

    fn after<'a>(&'a self, _: &'a Call, _: u16) -> BoxFuture<'a, Verdict> {
        Box::pin(async { Verdict::Proceed })
    }
}

/// S0-J03: API Gateway does not guarantee `$disconnect`.
#[tokio::test]
async fn a_gone_connection_is_forgotten_at_the_next_delivery_and_no_other_is() {
    let options = WebSocketOptions::default();
    let drop_disconnect = options.drop_disconnect.clone();
    let world = World::with_options(&[], options, 1).await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    world.settled().await;
    let (of_ada, mut staying, leaving) = (ada.connect().await, bob.connect().await, bob.connect().await);
    let everyone = world.noted_connections(bob.id).await;

    drop_disconnect.store(true, Ordering::Relaxed);
    leaving.close().await;
    // Longer than a connection takes to open, during which it looks gone as well.
    world.advance(Duration::from_secs(30));
    assert_eq!(
        world.noted_connections(bob.id).await,
        everyone,
        "nobody said that it is over"
    );

    ada.says(&conversation, "who is there?").await;
    staying.next_of("new_message").await;
    world.settled().await;
    let left = world.noted_connections(bob.id).await;
    assert_eq!(left.len(), 1);
    assert!(everyone.contains(&left[0]));
    assert_eq!(world.noted_connections(ada.id).await.len(), 1);
    let delivered = world
        .logged(1, |line| {
            line["function"] == "deliver" && line["gone_connections"] == 1
        })
        .await;
    assert_eq!(
        (&delivered["status"], &delivered["deliveries"]),
        (&json!(200), &json!(2))
    );

    ada.says(&conversation, "and now?").await;
    staying.next_of("new_message").await;
    of_ada.close().await;
}

/// S0-J03: a person with only gone connections is offline.
#[tokio::test]
async fn somebody_whose_only_connection_turns_out_to_be_gone_has_missed_the_message() {
    let options = WebSocketOptions::default();
    options.drop_disconnect.store(true, Ordering::Relaxed);
    let world = World::with_options(&[], options, 1).await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    world.settled().await;
    bob.connect().await.close().await;

    ada.says(&conversation, "are you there?").await;
    world.bring_offline_forward().await;
    let missed = world
        .stored(&format!("U#{}#NOTE", bob.id), &format!("MISSED#{conversation}"))
        .await;
    assert_eq!(missed.unwrap()["q"]["N"], "1");
}
