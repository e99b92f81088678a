//! Opening: four ways to pass a credential, and one response to a bad one.

use std::time::Duration;

use harness::{Person, Socket, World};
use serde_json::{Value, json};
use shared::domain::user::Claims;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use uuid::Uuid;

/// A handshake with a header.
fn with_header(person: &Person, name: &'static str, value: &str) -> Request {
    let mut request = person.ws_url().into_client_request().unwrap();
    request.headers_mut().insert(name, value.parse().unwrap());
    request
}

async fn ticket(person: &Person) -> String {
    let answer = person.post_nothing("/api/v1/auth/ws-ticket").await.is(201);
    assert_eq!(answer["data"]["expires_in"], 30, "{answer}");
    answer["data"]["ticket"].as_str().unwrap().to_owned()
}

/// S1-E09
#[tokio::test]
async fn each_of_the_four_credentials_opens_a_connection_of_its_person() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let (token, ticket) = (&bob.token, ticket(&bob).await);
    let url = bob.ws_url();
    let mut sockets = [
        Socket::open(format!("{url}/?token={token}")).await.unwrap(),
        Socket::open(format!("{url}/?ticket={ticket}")).await.unwrap(),
        Socket::open(with_header(&bob, "Authorization", &format!("Bearer {token}")))
            .await
            .unwrap(),
        Socket::open(with_header(
            &bob,
            "Sec-WebSocket-Protocol",
            &format!("bearer, {token}"),
        ))
        .await
        .unwrap(),
    ];

    let message = ada.says(&conversation, "to wherever you are").await;
    for socket in &mut sockets {
        assert_eq!(
            socket.next_of("new_message").await["message"]["id"],
            message["id"]
        );
    }
}

/// S1-E09: a browser only accepts a connection if the response selects one of the offered subprotocols.
#[tokio::test]
async fn the_answer_chooses_the_protocol_bearer_and_only_where_it_was_offered() {
    let world = World::start().await;
    let bob = world.person("bob").await;
    let offered = with_header(&bob, "Sec-WebSocket-Protocol", &format!("bearer, {}", bob.token));
    let socket = Socket::open(offered).await.unwrap();
    assert_eq!(socket.handshake["sec-websocket-protocol"], "bearer");

    // Exactly as offered: clients compare it literally (RFC 6455 §4.1).
    for offer in ["Bearer", "BEARER", "chat, Bearer"] {
        let offered = with_header(&bob, "Sec-WebSocket-Protocol", &format!("{offer}, {}", bob.token));
        let socket = Socket::open(offered).await.unwrap();
        let chosen = offer.rsplit(", ").next().unwrap();
        assert_eq!(socket.handshake["sec-websocket-protocol"], chosen);
    }

    let socket = bob.connect().await;
    assert!(!socket.handshake.contains_key("sec-websocket-protocol"));
}

/// S1-E09: several header lines are one list (RFC 6455 §11.3.4).
#[tokio::test]
async fn protocols_may_be_offered_in_several_lines() {
    let world = World::start().await;
    let bob = world.person("bob").await;
    let mut offered = with_header(&bob, "Sec-WebSocket-Protocol", "Bearer");
    offered
        .headers_mut()
        .append("Sec-WebSocket-Protocol", bob.token.parse().unwrap());
    let socket = Socket::open(offered).await.unwrap();
    assert_eq!(socket.handshake["sec-websocket-protocol"], "Bearer");
}

/// S1-E09
#[tokio::test]
async fn a_missing_bad_or_foreign_credential_is_refused_in_the_handshake() {
    let world = World::start().await;
    let bob = world.person("bob").await;
    let url = bob.ws_url();
    let (head, tail) = bob.token.rsplit_once('.').unwrap();
    let swapped: String = tail.chars().rev().collect();
    let refused = [
        url.to_owned(),
        format!("{url}/?token="),
        format!("{url}/?token=nonsense"),
        format!("{url}/?token={head}.{swapped}"),
        format!("{url}/?ticket=nonsense"),
        format!("{url}/?ticket={}", bob.token),
        format!("{url}/?user={}", bob.id),
    ];
    for url in refused {
        assert_eq!(Socket::open(url.as_str()).await.err(), Some(401), "{url}");
    }
    for (name, value) in [
        ("Authorization", bob.token.clone()),
        ("Authorization", format!("Basic {}", bob.token)),
        ("Authorization", "Bearer".to_owned()),
        ("Sec-WebSocket-Protocol", "bearer".to_owned()),
        ("Sec-WebSocket-Protocol", format!("token, {}", bob.token)),
    ] {
        let refused = Socket::open(with_header(&bob, name, &value)).await.err();
        assert_eq!(refused, Some(401), "{name}: {value}");
    }
    assert_eq!(world.noted_connections(bob.id).await, Vec::<String>::new());
}

/// S1-E09: 30 seconds of leeway, as for requests.
#[tokio::test]
async fn an_expired_token_is_refused_in_the_handshake() {
    let world = World::start().await;
    let user = Uuid::new_v4();
    let token = world.token(user, Claims::default(), Duration::from_secs(60));
    let bob = world.bearer(user, token);
    let url = format!("{}/?token={}", bob.ws_url(), bob.token);

    world.advance(Duration::from_secs(75));
    assert!(Socket::open(url.as_str()).await.is_ok(), "within the leeway");
    world.advance(Duration::from_secs(30));
    assert_eq!(Socket::open(url.as_str()).await.err(), Some(401));
}

/// S1-E09: a ticket is for one connection, within half a minute.
#[tokio::test]
async fn a_ticket_opens_once_and_not_after_thirty_seconds() {
    let world = World::start().await;
    let bob = world.person("bob").await;
    let open = async |ticket: &str| Socket::open(format!("{}/?ticket={ticket}", bob.ws_url())).await;

    let once = ticket(&bob).await;
    assert!(open(&once).await.is_ok());
    assert_eq!(open(&once).await.err(), Some(401), "a second time");

    let late = ticket(&bob).await;
    world.advance(Duration::from_secs(31));
    assert_eq!(open(&late).await.err(), Some(401), "too late");

    let contested = ticket(&bob).await;
    let (one, other) = tokio::join!(open(&contested), open(&contested));
    assert!(one.is_ok() != other.is_ok(), "of two at once, one");
}

/// S1-E09: anybody can send a ticket, so a forged or expired one costs no call to the table.
#[tokio::test]
async fn a_forged_or_late_ticket_is_refused_without_a_call() {
    let world = World::in_desk(&[]).await;
    let bob = world.person("bob").await;
    let good = ticket(&bob).await;
    let late = ticket(&bob).await;
    let mut forged: Vec<String> = (0..good.len())
        .step_by(7)
        .map(|place| {
            let mut changed = good.clone();
            let other = if good.as_bytes()[place] == b'A' { "B" } else { "A" };
            changed.replace_range(place..=place, other);
            changed
        })
        .collect();
    forged.extend([
        "3q2-7wAAkLmM9sXv0pZt5y1cQeBn8oHdUjRgIfTzYxE".to_owned(),
        good[1..].to_owned(),
        format!("{good}A"),
    ]);
    let count = forged.len();
    for ticket in forged {
        let url = format!("{}/?ticket={ticket}", bob.ws_url());
        assert_eq!(Socket::open(url.as_str()).await.err(), Some(401), "{ticket}");
    }
    let url = format!("{}/?ticket={good}", bob.ws_url());
    assert!(Socket::open(url.as_str()).await.is_ok());
    world.advance(Duration::from_secs(31));
    let url = format!("{}/?ticket={late}", bob.ws_url());
    assert_eq!(Socket::open(url.as_str()).await.err(), Some(401), "too late");
    let calls: Vec<(u64, u64)> = world
        .log()
        .iter()
        .filter(|line| line["function"] == "authorize_connection")
        .map(|line| {
            (
                line["status"].as_u64().unwrap(),
                line["aws_calls"].as_u64().unwrap(),
            )
        })
        .collect();
    let mut expected = vec![(401, 0); count];
    expected.extend([(200, 1), (401, 0)]);
    assert_eq!(calls, expected);
}

/// S1-E09: a ticket stands for its holder, with the claims of their token, and expires with the token.
#[tokio::test]
async fn a_connection_by_ticket_is_its_holders_and_ends_with_their_token() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let token = world.token(bob.id, Claims::default(), Duration::from_secs(60));
    let ticket = ticket(&bob.with_token(&token)).await;
    let mut socket = Socket::open(format!("{}/?ticket={ticket}", bob.ws_url()))
        .await
        .unwrap();
    ada.says(&conversation, "hello").await;
    socket.next_of("new_message").await;

    world.advance(Duration::from_secs(91));
    socket
        .send(json!({ "type": "typing", "conversation_id": conversation, "is_typing": true }))
        .await;
    assert_eq!(socket.next_of("error").await["code"], 4001);
    assert_eq!(socket.next().await, None::<Value>);
}

/// S1-J03
#[tokio::test]
async fn a_connection_that_closes_is_forgotten_and_the_others_of_its_person_go_on() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let (leaving, mut staying) = (bob.connect().await, bob.connect().await);
    assert_eq!(world.noted_connections(bob.id).await.len(), 2);

    leaving.close().await;
    world
        .logged(1, |line| line["function"] == "close_connection")
        .await;
    assert_eq!(world.noted_connections(bob.id).await.len(), 1);
    ada.says(&conversation, "still there?").await;
    staying.next_of("new_message").await;
}
