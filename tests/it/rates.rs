//! Rate limits: how many requests are admitted, the refusals, and their costs (S1-N01 to S1-N03, S1-N05).

use std::time::Duration;

use futures::future::join_all;
use harness::{Answer, Person, Socket, World};
use local_gateway::websocket::WebSocketOptions;
use serde_json::json;
use tokio_tungstenite::tungstenite;

const SENDS: &str = "RATE_LIMIT_SENDS_PER_MINUTE";
const REQUESTS: &str = "RATE_LIMIT_REQUESTS_PER_MINUTE";
const CONNECTS: &str = "RATE_LIMIT_CONNECTS_PER_MINUTE";

async fn send(person: &Person, conversation: &str) -> Answer {
    let path = format!("/api/conversations/{conversation}/messages");
    person.post(&path, json!({ "content": "hello" })).await
}

fn number(answer: &Answer, header: &str) -> u64 {
    let value = answer
        .header(header)
        .unwrap_or_else(|| panic!("no {header}: {}", answer.text));
    value.parse().unwrap()
}

/// The limit, and what remains of it.
fn standing(answer: &Answer) -> (u64, u64) {
    (
        number(answer, "x-ratelimit-limit"),
        number(answer, "x-ratelimit-remaining"),
    )
}

/// Checks a refusal; returns the time to wait.
fn refused(answer: Answer) -> Duration {
    let wait = number(&answer, "retry-after");
    assert_eq!(standing(&answer).1, 0);
    let error = answer.is_error(429, "RATE_LIMITED");
    assert!(
        error["message"].as_str().unwrap().contains(&format!("{wait} s")),
        "{error}"
    );
    assert!((1..=60).contains(&wait), "{wait}");
    Duration::from_secs(wait)
}

/// S1-N01, S1-N02: thirty in a sliding window of sixty seconds: one more is admitted when the first leaves the window.
#[tokio::test]
async fn thirty_sends_pass_in_any_sixty_seconds_and_no_more() {
    let world = World::with(&[(SENDS, "30")]).await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    send(&ada, &conversation).await.is(201);
    world.advance(Duration::from_secs(20));
    for _ in 1..30 {
        send(&ada, &conversation).await.is(201);
    }
    let wait = refused(send(&ada, &conversation).await);
    assert!(wait <= Duration::from_secs(40), "{wait:?}");

    world.advance(wait);
    send(&ada, &conversation).await.is(201);
    let wait = refused(send(&ada, &conversation).await);
    assert!(wait <= Duration::from_secs(20), "{wait:?}");

    world.advance(wait + Duration::from_secs(60));
    let answer = send(&ada, &conversation).await;
    assert_eq!(standing(&answer), (30, 29));
    answer.is(201);
}

/// S1-N03
#[tokio::test]
async fn every_answer_says_what_the_strictest_limit_leaves_and_when_it_is_whole_again() {
    let world = World::with(&[(SENDS, "30"), (REQUESTS, "100")]).await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    // Two requests so far.
    let answer = ada.get("/api/v1/users/me").await;
    assert_eq!(standing(&answer), (100, 97));
    for left in (25..30).rev() {
        let answer = send(&ada, &conversation).await;
        assert_eq!(standing(&answer), (30, left));
        let reset = i64::try_from(number(&answer, "x-ratelimit-reset")).unwrap();
        let ahead = reset - world.desk().clock().now().seconds();
        // Rounded up to a whole second.
        assert!((50..=61).contains(&ahead), "{ahead}");
    }
    // Errors have the headers too.
    let answer = ada.get("/api/conversations/no-id").await;
    assert_eq!(standing(&answer), (100, 91));
    answer.is(404);
    for _ in 0..65 {
        ada.get("/api/v1/users/me").await.is(200);
    }
    let answer = send(&ada, &conversation).await;
    assert_eq!(standing(&answer), (30, 24));
    for _ in 0..2 {
        ada.get("/api/v1/users/me").await.is(200);
    }
    let answer = send(&ada, &conversation).await;
    assert_eq!(
        standing(&answer),
        (100, 22),
        "by now the requests are the strictest"
    );
}

/// S1-N05: over all routes together.
#[tokio::test]
async fn a_hundred_requests_pass_in_a_minute_whatever_they_ask_for() {
    let world = World::with(&[(REQUESTS, "100")]).await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    for number in 2..100 {
        match number % 4 {
            0 => send(&ada, &conversation).await.is(201),
            1 => ada.get("/api/conversations").await.is(200),
            2 => ada.get("/api/conversations/no-id").await.is(404),
            _ => ada.get("/api/conversations?page=0").await.is(422),
        };
    }
    let wait = refused(ada.get("/api/v1/users/me").await);
    refused(send(&ada, &conversation).await);
    refused(ada.get("/api/conversations?page=0").await);
    bob.get("/api/v1/users/me").await.is(200);
    // Unauthenticated requests are not counted.
    ada.send(ada.anonymous("GET", "/health")).await.is(200);
    world.advance(wait);
    ada.get("/api/v1/users/me").await.is(200);
}

/// Contract §1: a valid send counts, whatever its result.
#[tokio::test]
async fn replays_and_sends_that_fail_count_and_invalid_ones_do_not() {
    let world = World::with(&[(SENDS, "4"), (REQUESTS, "20")]).await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let path = format!("/api/conversations/{conversation}/messages");
    for body in [
        json!({}),
        json!({ "content": "" }),
        json!({ "content": 7 }),
        json!({ "content": "x", "content_type": "system" }),
    ] {
        let answer = ada.post(&path, body).await;
        assert_eq!(number(&answer, "x-ratelimit-limit"), 20, "only a request");
        answer.is(422);
    }
    ada.says_as(&conversation, "once", "mine").await.is(201);
    let replay = ada.says_as(&conversation, "once", "mine").await;
    assert_eq!(standing(&replay), (4, 2));
    assert_eq!(replay.header("idempotency-replayed"), Some("true"));
    ada.says_as(&conversation, "other words", "mine")
        .await
        .is_error(422, "IDEMPOTENCY_KEY_REUSED");
    send(&ada, &uuid::Uuid::new_v4().to_string()).await.is(404);
    refused(ada.says_as(&conversation, "once", "mine").await);
    assert_eq!(ada.messages(&conversation).await.len(), 1);
}

/// S1-N01: a refused request is not sent, and does not count.
#[tokio::test]
async fn a_refusal_stores_nothing_and_does_not_prolong_the_wait() {
    let world = World::with(&[(SENDS, "2")]).await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    for _ in 0..2 {
        send(&ada, &conversation).await.is(201);
    }
    world.advance(Duration::from_secs(30));
    for _ in 0..5 {
        assert!(refused(send(&ada, &conversation).await) <= Duration::from_secs(30));
    }
    assert_eq!(ada.messages(&conversation).await.len(), 2);
    assert_eq!(bob.sees(&conversation).await["last_seq"], 2);
    world.advance(Duration::from_secs(30));
    send(&ada, &conversation).await.is(201);
}

/// S1-N01
#[tokio::test]
async fn the_limit_of_one_is_not_the_limit_of_another() {
    let world = World::with(&[(SENDS, "2")]).await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    for _ in 0..2 {
        send(&ada, &conversation).await.is(201);
    }
    refused(send(&ada, &conversation).await);
    assert_eq!(standing(&send(&bob, &conversation).await), (2, 1));
}

/// S1-J03: processes without shared memory never admit too many.
#[tokio::test]
async fn several_processes_share_one_limit() {
    let world = World::with_options(&[(SENDS, "10")], WebSocketOptions::default(), 4).await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let answers = join_all((0..40).map(|_| send(&ada, &conversation))).await;
    let count = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((count(201), count(429)), (10, 30));
    assert_eq!(ada.messages(&conversation).await.len(), 10);
    for _ in 0..8 {
        refused(send(&ada, &conversation).await);
    }
    world.advance(Duration::from_secs(61));
    for _ in 0..10 {
        send(&ada, &conversation).await.is(201);
    }
    refused(send(&ada, &conversation).await);
}

/// S1-N02: refused requests cost nothing.
#[tokio::test]
async fn a_flood_beyond_the_limit_writes_nothing() {
    // A process that has refused once remembers it; another one reads once.
    let world = World::in_desk(&[(SENDS, "3")]).await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    for _ in 0..3 {
        send(&ada, &conversation).await.is(201);
    }
    join_all((0..20).map(|_| async { refused(send(&ada, &conversation).await) })).await;
    let lines = world.log();
    let refusals: Vec<_> = lines.iter().filter(|line| line["status"] == 429).collect();
    assert_eq!(refusals.len(), 20);
    for line in refusals {
        assert_eq!(
            (&line["function"], &line["write_units"]),
            (&json!("send_message"), &json!(0.0)),
            "{line}"
        );
        assert_eq!(line["rate_limit_hits"], 1);
    }
}

/// S1-N05: twenty attempts a minute; a refused handshake says when to retry.
#[tokio::test]
async fn connects_beyond_the_limit_are_refused_in_the_handshake() {
    let world = World::with(&[(CONNECTS, "20")]).await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let url = format!("{}/?token={}", ada.ws_url(), ada.token);
    // Unauthenticated attempts are not counted.
    for _ in 0..3 {
        assert_eq!(Socket::open(format!("{url}x")).await.err(), Some(401));
    }
    let mut sockets = Vec::new();
    for _ in 0..20 {
        sockets.push(ada.connect().await);
    }
    let tungstenite::Error::Http(refusal) = tokio_tungstenite::connect_async(url.as_str()).await.unwrap_err()
    else {
        panic!("the handshake broke")
    };
    assert_eq!(refusal.status(), 429);
    let wait: u64 = refusal.headers()["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(world.noted_connections(ada.id).await.len(), 20);
    bob.connect().await.close().await;
    ada.get("/api/v1/users/me").await.is(200);

    world.advance(Duration::from_secs(wait));
    ada.connect().await.close().await;
}

/// Contract §1
#[tokio::test]
async fn zero_switches_a_limit_off() {
    let world = World::start().await;
    let ada = world.person("ada").await;
    for _ in 0..3 {
        let answers = join_all((0..50).map(|_| ada.get("/api/v1/users/me"))).await;
        for answer in answers {
            assert_eq!(answer.header("x-ratelimit-limit"), None);
            answer.is(200);
        }
    }
    for _ in 0..30 {
        ada.connect().await.close().await;
    }
}
