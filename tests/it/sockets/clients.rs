//! Frames from clients: reading, pings, invalid frames, and floods.

use std::time::Duration;

use harness::{Socket, World};
use serde_json::{Value, json};
use uuid::Uuid;

pub(super) fn typing(conversation: &str, is_typing: bool) -> Value {
    json!({ "type": "typing", "conversation_id": conversation, "is_typing": is_typing })
}

/// Checks an error frame.
async fn is_refused(socket: &mut Socket, code: u16, name: &str) -> Value {
    let frame = socket.next_of("error").await;
    assert_eq!(
        (&frame["code"], &frame["name"]),
        (&json!(code), &json!(name)),
        "{frame}"
    );
    assert!(
        frame["message"]
            .as_str()
            .is_some_and(|message| !message.is_empty()),
        "{frame}"
    );
    frame
}

/// S1-W08, S1-Q04: for strangers the conversation does not exist.
#[tokio::test]
async fn an_unknown_conversation_and_a_strangers_are_the_same_4004() {
    let world = World::start().await;
    let [ada, bob, eve] = world.people(["ada", "bob", "eve"]).await;
    let conversation = ada.open_direct(&bob).await;
    let message = ada.says(&conversation, "for two").await;
    world.settled().await;
    let (mut stranger, mut member) = (eve.connect().await, bob.connect().await);
    let nowhere = Uuid::new_v4().to_string();

    let mut refusals = Vec::new();
    for conversation in [&conversation, &nowhere] {
        stranger.send(typing(conversation, true)).await;
        refusals.push(is_refused(&mut stranger, 4004, "CONVERSATION_NOT_FOUND").await);
        stranger
            .send(
                json!({ "type": "mark_read", "conversation_id": conversation, "message_id": message["id"] }),
            )
            .await;
        refusals.push(is_refused(&mut stranger, 4004, "CONVERSATION_NOT_FOUND").await);
    }
    assert!(
        refusals.iter().all(|refusal| *refusal == refusals[0]),
        "{refusals:?}"
    );
    assert_eq!(member.so_far().await, Vec::<Value>::new());

    // Nor can a member read a message that does not exist, or is in another conversation.
    let elsewhere = bob.open_direct(&eve).await;
    for (conversation, message) in [
        (&conversation, json!(Uuid::new_v4())),
        (&elsewhere, message["id"].clone()),
    ] {
        member
            .send(json!({ "type": "mark_read", "conversation_id": conversation, "message_id": message }))
            .await;
        is_refused(&mut member, 4004, "CONVERSATION_NOT_FOUND").await;
    }
}

/// S1-W04, S1-W05
#[tokio::test]
async fn a_read_shows_on_every_connection_of_every_member_and_its_count_only_on_the_readers() {
    let world = World::start().await;
    let [ada, bob, chen] = world.people(["ada", "bob", "chen"]).await;
    let conversation = ada.open_group("three", &[&bob, &chen]).await;
    let first = ada.says(&conversation, "one").await;
    ada.says(&conversation, "two").await;
    chen.says(&conversation, "three").await;
    world.settled().await;
    let mut of_bob = [bob.connect().await, bob.connect().await];
    let mut of_others = [ada.connect().await, chen.connect().await];

    of_bob[0]
        .send(json!({ "type": "mark_read", "conversation_id": conversation, "message_id": first["id"] }))
        .await;
    let seen = of_others[0].next_of("message_read").await;
    assert_eq!(
        seen,
        json!({
            "type": "message_read", "namespace": "conversations", "conversation_id": conversation,
            "user_id": bob.id, "message_id": first["id"], "seq": 1, "read_at": seen["read_at"]
        })
    );
    assert_eq!(of_others[1].next_of("message_read").await, seen);
    for socket in &mut of_bob {
        let frame = socket.next_of("message_read").await;
        assert_eq!(
            (&frame["unread_count"], &frame["read_at"]),
            (&json!(2), &seen["read_at"])
        );
    }
    assert_eq!(bob.sees(&conversation).await["unread_count"], 2);
}

/// S1-W04: over the WebSocket as over HTTP, a read mark never moves back.
#[tokio::test]
async fn a_read_of_an_older_message_changes_nothing() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let (one, two) = (
        ada.says(&conversation, "one").await,
        ada.says(&conversation, "two").await,
    );
    bob.reads(&conversation, &two).await;
    world.settled().await;
    let mut socket = bob.connect().await;
    socket
        .send(json!({ "type": "mark_read", "conversation_id": conversation, "message_id": one["id"] }))
        .await;
    socket.so_far().await;
    world.settled().await;
    assert_eq!(socket.so_far().await, Vec::<Value>::new());
    assert_eq!(bob.sees(&conversation).await["unread_count"], 0);
    assert_eq!(ada.messages(&conversation).await[0]["read_by"], json!([bob.id]));
}

/// S1-W06, S1-W07: answered by the gateway itself.
#[tokio::test]
async fn a_ping_is_answered_with_a_pong_to_that_connection_and_no_function_runs() {
    let world = World::start().await;
    let bob = world.person("bob").await;
    let (mut one, mut other) = (bob.connect().await, bob.connect().await);
    let lines = world.log().len();
    for _ in 0..20 {
        one.send(json!({ "type": "ping" })).await;
        assert_eq!(one.next().await, Some(json!({ "type": "pong" })));
    }
    assert_eq!(world.log().len(), lines);
    assert_eq!(other.so_far().await, Vec::<Value>::new());
}

/// S1-W08
#[tokio::test]
async fn an_invalid_frame_is_4003_and_the_connection_stays_open() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    world.settled().await;
    let mut socket = ada.connect().await;
    let typing = |conversation: Value, is_typing: Value| {
        json!({ "type": "typing", "conversation_id": conversation, "is_typing": is_typing }).to_string()
    };
    let nonsense = [
        "hello".to_owned(),
        String::new(),
        "{".to_owned(),
        "null".to_owned(),
        "[]".to_owned(),
        r#""ping""#.to_owned(),
        "{}".to_owned(),
        r#"{"type":null}"#.to_owned(),
        r#"{"type":7}"#.to_owned(),
        r#"{"type":"$connect"}"#.to_owned(),
        r#"{"type":"$default"}"#.to_owned(),
        r#"{"type":"new_message","message":{}}"#.to_owned(),
        r#"{"type":"PING"}"#.to_owned(),
        r#"{"type":"typing"}"#.to_owned(),
        json!({ "type": "typing", "conversation_id": conversation }).to_string(),
        json!({ "type": "typing", "is_typing": true }).to_string(),
        typing(json!(conversation), json!("yes")),
        typing(json!(conversation), json!(1)),
        typing(json!(conversation), Value::Null),
        typing(json!("no id"), json!(true)),
        typing(json!(7), json!(true)),
        json!({ "type": "mark_read", "conversation_id": conversation }).to_string(),
        json!({ "type": "mark_read", "conversation_id": conversation, "message_id": "x" }).to_string(),
        json!({ "type": "resume" }).to_string(),
        json!({ "type": "resume", "after": 7 }).to_string(),
        json!({ "type": "resume", "after": "nonsense" }).to_string(),
    ];
    for text in nonsense {
        socket.send_text(&text).await;
        let frame = socket.next().await.unwrap();
        assert_eq!(
            (&frame["type"], &frame["code"]),
            (&json!("error"), &json!(4003)),
            "{text}: {frame}"
        );
        assert_eq!(frame["name"], "INVALID_FORMAT");
    }
    ada.says(&conversation, "still here").await;
    socket.next_of("new_message").await;
}

/// S1-W08: an error only goes to the connection that caused it.
#[tokio::test]
async fn an_error_of_one_connection_is_not_shown_on_another() {
    let world = World::start().await;
    let bob = world.person("bob").await;
    let (mut one, mut other) = (bob.connect().await, bob.connect().await);
    one.send_text("nonsense").await;
    is_refused(&mut one, 4003, "INVALID_FORMAT").await;
    assert_eq!(other.so_far().await, Vec::<Value>::new());
}

/// S1-W08
#[tokio::test]
async fn frames_beyond_the_limit_are_4008_per_connection_and_pass_again_a_second_later() {
    let world = World::with(&[("RATE_LIMIT_FRAMES_PER_SECOND", "10")]).await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    world.settled().await;
    let (mut flood, mut other) = (ada.connect().await, ada.connect().await);
    for _ in 0..25 {
        flood.send(typing(&conversation, false)).await;
    }
    let refused = flood.so_far().await;
    // On a slow machine the window moves on during the flood.
    assert!(
        !refused.is_empty() && refused.len() <= 15,
        "{} of 25 were refused",
        refused.len()
    );
    for frame in &refused {
        assert_eq!(
            (&frame["code"], &frame["name"]),
            (&json!(4008), &json!("RATE_LIMITED")),
            "{frame}"
        );
    }
    other.send(typing(&conversation, false)).await;
    assert_eq!(
        other.so_far().await,
        Vec::<Value>::new(),
        "another connection has its own limit"
    );

    world.advance(Duration::from_secs(1));
    flood.send(typing(&conversation, false)).await;
    assert_eq!(flood.so_far().await, Vec::<Value>::new());
}

/// S1-W08: a connection that is refused repeatedly is closed, and no other.
#[tokio::test]
async fn a_connection_that_is_refused_twenty_times_within_a_minute_is_closed() {
    let world = World::with(&[("RATE_LIMIT_RESUMES_PER_MINUTE", "1")]).await;
    let bob = world.person("bob").await;
    let token = bob.get("/api/events").await.is(200)["next"].clone();
    let (mut flood, mut other) = (bob.connect().await, bob.connect().await);
    let resume = json!({ "type": "resume", "after": token });
    flood.send(resume.clone()).await;
    flood.next_of("resumed").await;
    let refused = async |flood: &mut Socket, count: usize| {
        for _ in 0..count {
            flood.send(resume.clone()).await;
            is_refused(flood, 4008, "RATE_LIMITED").await;
        }
    };
    refused(&mut flood, 19).await;
    // Refusals from a minute ago no longer count.
    world.advance(Duration::from_secs(60));
    flood.send(resume.clone()).await;
    flood.next_of("resumed").await;
    refused(&mut flood, 19).await;
    assert_eq!(flood.so_far().await, Vec::<Value>::new(), "it is still open");
    refused(&mut flood, 1).await;
    assert_eq!(flood.next().await, None::<Value>);
    assert_eq!(other.so_far().await, Vec::<Value>::new());
}
