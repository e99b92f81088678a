//! `resume`: the missed frames over the WebSocket, then the next token.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, join_all};
use harness::{Socket, World};
use local_services::{Call, Interceptor, Verdict};
use serde_json::{Value, json};
use shared::auth::Caller;
use shared::domain::ids::UserId;
use shared::domain::user::Claims;
use tokio::sync::Semaphore;

use super::{Follower, NONE, delete};

/// One page: the missed frames, and the final frame.
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

/// Pages until there is no more: each page, and the last final frame.
async fn resume_to_the_end(socket: &mut Socket, after: &str) -> (Vec<Vec<Value>>, Value) {
    let (mut pages, mut token) = (Vec::new(), after.to_owned());
    loop {
        let (page, resumed) = resume(socket, &token).await;
        pages.push(page);
        if resumed["has_more"] == false {
            return (pages, resumed);
        }
        assert!(pages.len() < 100, "a resume that does not end");
        resumed["next"].as_str().unwrap().clone_into(&mut token);
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
            "has_more": false,
            "unread": { "total": 7, "by_conversation": { &direct: 3, &group: 4 } }
        })
    );
    let (missed, resumed) = resume(&mut socket, resumed["next"].as_str().unwrap()).await;
    assert_eq!((missed, &resumed["recovered"]), (Vec::new(), &json!(true)));

    // Its token is also valid over HTTP.
    ada.says(&direct, "news").await;
    follower.token = resumed["next"].as_str().unwrap().to_owned();
    assert_eq!(follower.catch_up(100).await.len(), 1);
}

/// S0-J03: at most 200 frames a page, and all of them over several pages.
#[tokio::test]
async fn however_many_frames_were_missed_all_come_page_by_page() {
    const FRIENDS: usize = 13;
    const EACH: usize = 100;
    let world = World::start().await;
    let bob = world.person("bob").await;
    let friends: Vec<String> = (0..FRIENDS).map(|number| format!("friend{number}")).collect();
    let friends = join_all(friends.iter().map(|name| world.person(name))).await;
    let conversations = join_all(friends.iter().map(|friend| friend.open_direct(&bob))).await;
    let token = Follower::of(&bob).await.token;
    let talks = friends
        .iter()
        .zip(&conversations)
        .map(async |(friend, conversation)| {
            for _ in 0..EACH {
                friend.says(conversation, "quick").await;
            }
        });
    join_all(talks).await;
    world.settled().await;
    // How much is repeated depends on the time.
    world.advance(Duration::from_secs(60));

    let mut socket = bob.connect().await;
    let (pages, resumed) = resume_to_the_end(&mut socket, &token).await;
    assert_eq!(resumed["unread"]["total"], FRIENDS * 99);
    assert!(pages.iter().all(|page| page.len() <= 200));
    assert_eq!(pages.len(), (FRIENDS * EACH).div_ceil(200));
    let mut seqs: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for frame in pages.iter().flatten() {
        let told = seqs.entry(super::conversation_of(frame)).or_default();
        told.extend(frame["seq"].as_u64());
    }
    assert_eq!(seqs.len(), FRIENDS);
    for (conversation, seqs) in seqs {
        assert_eq!(seqs, (1..=EACH as u64).collect::<Vec<_>>(), "{conversation}");
    }
}

/// S0-J03: a page has at most 256 KB of frames.
#[tokio::test]
async fn large_frames_make_pages_of_fewer() {
    const MESSAGES: u64 = 70;
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let token = Follower::of(&bob).await.token;
    let large = "\u{1f4dc}".repeat(2000);
    for _ in 0..MESSAGES {
        ada.says(&conversation, &large).await;
    }
    world.settled().await;
    let mut socket = bob.connect().await;
    let (pages, _) = resume_to_the_end(&mut socket, &token).await;
    for page in &pages {
        let bytes: usize = page.iter().map(|frame| frame.to_string().len()).sum();
        assert!(bytes <= 256 * 1024, "{bytes} bytes in {} frames", page.len());
        assert!(
            page.len() >= 20 || page.len() as u64 == MESSAGES % 30,
            "{} frames",
            page.len()
        );
    }
    let seqs: Vec<u64> = pages
        .iter()
        .flatten()
        .filter_map(|frame| frame["seq"].as_u64())
        .collect();
    assert_eq!(seqs, (1..=MESSAGES).collect::<Vec<_>>());
}

/// Holds the posts of `resume` until they are released.
struct SlowPosts {
    has_begun: Semaphore,
    may_post: Semaphore,
}

impl Interceptor for SlowPosts {
    fn before<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Verdict> {
        // The first one, whose post is not that of an error.
        let is_meant = call.function == "Resume" && call.operation == "Query";
        Box::pin(async move {
            if is_meant {
                self.has_begun.add_permits(1);
                self.may_post.acquire().await.expect("nobody closes it").forget();
            }
            Verdict::Proceed
        })
    }

    fn after<'a>(&'a self, _: &'a Call, _: u16) -> BoxFuture<'a, Verdict> {
        Box::pin(async { Verdict::Proceed })
    }
}

/// S0-J03: API Gateway invokes a function for each frame, concurrently; the desk runs them one after the other, so the
/// second one is invoked directly.
#[tokio::test]
async fn a_connection_has_one_resume_at_a_time() {
    let world = World::in_desk(&[]).await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let token = Follower::of(&bob).await.token;
    ada.says(&conversation, "missed").await;
    world.settled().await;
    let mut socket = bob.connect().await;
    let connection = world.noted_connections(bob.id).await.remove(0);
    let slow = Arc::new(SlowPosts {
        has_begun: Semaphore::new(0),
        may_post: Semaphore::new(0),
    });
    world.services().set_interceptor(Some(Arc::clone(&slow) as _));

    socket.send(json!({ "type": "resume", "after": token })).await;
    slow.has_begun.acquire().await.expect("nobody closes it").forget();
    let caller = Caller {
        user: UserId::from_uuid(bob.id),
        claims: Claims::default(),
        expires_at: world.desk().clock().now().plus(Duration::from_secs(60)),
        issued_at: None,
    };
    let event = json!({
        "headers": {}, "multiValueHeaders": {},
        "requestContext": {
            "routeKey": "resume", "eventType": "MESSAGE", "connectionId": connection, "requestId": "second",
            "connectedAt": 0, "requestTimeEpoch": 0, "identity": { "sourceIp": "203.0.113.7" },
            "authorizer": { "caller": serde_json::to_string(&caller).unwrap(), "principalId": bob.id },
        },
        "body": json!({ "type": "resume", "after": token }).to_string(), "isBase64Encoded": false,
    });
    let invoker = world.desk().invoker();
    invoker
        .invoke("Resume", event.to_string().into_bytes())
        .await
        .unwrap();
    assert_eq!(socket.next_of("error").await["code"], 4008);

    slow.may_post.add_permits(1_000);
    assert_eq!(
        socket.next_of("new_message").await["message"]["content"],
        "missed"
    );
    let resumed = socket.next_of("resumed").await;
    let (missed, _) = resume(&mut socket, resumed["next"].as_str().unwrap()).await;
    assert_eq!(missed, Vec::<Value>::new(), "and then the next");
}

/// S0-J03
#[tokio::test]
async fn resumes_have_a_limit_of_their_own() {
    let world = World::with(&[("RATE_LIMIT_RESUMES_PER_MINUTE", "3")]).await;
    let bob = world.person("bob").await;
    let token = Follower::of(&bob).await.token;
    let mut socket = bob.connect().await;
    for _ in 0..3 {
        resume(&mut socket, &token).await;
    }
    socket.send(json!({ "type": "resume", "after": token })).await;
    assert_eq!(socket.next_of("error").await["code"], 4008);
    let mut other = bob.connect().await;
    resume(&mut other, &token).await;
    world.advance(Duration::from_secs(60));
    resume(&mut socket, &token).await;
}

/// S0-J03: only the requesting connection gets the frames.
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
