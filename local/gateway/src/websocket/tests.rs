//! The WebSocket API as its clients and its functions see it.

mod ends;
mod handshake;

use std::net::SocketAddr;

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, oneshot};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::*;
use crate::invoke::InvokeError;
use crate::testing::{Functions, example, listener, ok, policy, shared};

type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A gateway that listens, and the functions behind it.
struct World {
    functions: Arc<Functions>,
    gateway: WebSocketGateway,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
}

impl World {
    async fn new(functions: Functions) -> Self {
        Self::with(functions, WebSocketOptions::default()).await
    }

    async fn with(functions: Functions, options: WebSocketOptions) -> Self {
        let (functions, invoker) = shared(functions);
        let gateway = WebSocketGateway::new(example().websocket, invoker, options);
        let (listener, address) = listener().await;
        let (stop, stopped) = oneshot::channel();
        let server = gateway.clone();
        tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            server.serve(listener, stopped).await
        });
        Self {
            functions,
            gateway,
            address,
            stop,
        }
    }

    async fn connect(&self) -> Result<Client, Error> {
        let url = format!("ws://{}/any/path?token=abc&x=1&x=2", self.address);
        tokio_tungstenite::connect_async(url)
            .await
            .map(|(client, _)| client)
    }

    /// Connects, and returns the connection's id too.
    async fn join(&self) -> (Client, String) {
        let client = self.connect().await.unwrap();
        let event = self.functions.events("Connect").pop().unwrap();
        (
            client,
            event["requestContext"]["connectionId"]
                .as_str()
                .unwrap()
                .to_owned(),
        )
    }

    /// Tries to connect, and returns how it was refused.
    async fn refusal(&self) -> (u16, Value) {
        let Err(Error::Http(response)) = self.connect().await else {
            panic!("the handshake was not refused")
        };
        let body = serde_json::from_slice(response.body().as_deref().unwrap_or_default()).unwrap_or_default();
        (response.status().as_u16(), body)
    }
}

/// Functions that let everybody in and say nothing.
fn open() -> Functions {
    ["Connect", "Disconnect", "Typing", "Unknown"]
        .iter()
        .fold(Functions::default(), |functions, name| {
            functions.answering(name, &ok())
        })
        .answering("Authorize", &policy("Allow"))
}

async fn say(client: &mut Client, text: &str) {
    client.send(Message::text(text)).await.unwrap();
}

/// Returns the next text.
async fn hear(client: &mut Client) -> String {
    loop {
        match client.next().await.unwrap().unwrap() {
            Message::Text(text) => return text.as_str().to_owned(),
            Message::Ping(_) | Message::Pong(_) => {}
            other => panic!("unexpected: {other:?}"),
        }
    }
}

async fn close_code(client: &mut Client) -> u16 {
    match client.next().await.unwrap().unwrap() {
        Message::Close(Some(frame)) => frame.code.into(),
        other => panic!("unexpected: {other:?}"),
    }
}

#[tokio::test]
async fn events_have_the_shapes_of_aws() {
    let world = World::new(open()).await;
    let (mut client, id) = world.join().await;
    say(&mut client, r#"{"type":"typing"}"#).await;
    let message = world.functions.event("Typing").await;
    let bye = CloseFrame {
        code: 4000.into(),
        reason: "done".into(),
    };
    client.close(Some(bye)).await.unwrap();
    let disconnect = world.functions.event("Disconnect").await;

    let authorize = world.functions.event("Authorize").await;
    assert_eq!(authorize["type"], "REQUEST");
    assert_eq!(
        authorize["methodArn"],
        "arn:aws:execute-api:us-east-1:000000000000:local/dev/$connect"
    );
    assert_eq!(
        authorize["queryStringParameters"],
        json!({ "token": "abc", "x": "2" })
    );
    assert_eq!(
        authorize["multiValueQueryStringParameters"],
        json!({ "token": ["abc"], "x": ["1", "2"] })
    );
    assert_eq!(authorize["stageVariables"], json!({}));
    assert_eq!(authorize["requestContext"]["connectionId"], id.as_str());

    let connect = world.functions.event("Connect").await;
    assert_eq!(connect["headers"]["Sec-WebSocket-Version"], "13");
    assert_eq!(
        connect["multiValueHeaders"]["Host"],
        json!([world.address.to_string()])
    );
    let authorizer =
        json!({ "principalId": "ada", "user_id": "ada", "expires_at": 1_900_000_000, "admin": false });
    for (event, route, kind) in [
        (&connect, "$connect", "CONNECT"),
        (&message, "typing", "MESSAGE"),
        (&disconnect, "$disconnect", "DISCONNECT"),
    ] {
        let context = &event["requestContext"];
        assert_eq!(
            (&context["routeKey"], &context["eventType"]),
            (&json!(route), &json!(kind))
        );
        assert_eq!(context["authorizer"], authorizer);
        assert_eq!(context["connectionId"], id.as_str());
        assert_eq!(context["identity"]["sourceIp"], "127.0.0.1");
        assert_eq!(
            (&context["stage"], &context["apiId"]),
            (&json!("dev"), &json!("local"))
        );
        assert_eq!(
            (&context["domainName"], &context["messageDirection"]),
            (&json!("127.0.0.1"), &json!("IN"))
        );
        assert_eq!(context["connectedAt"], connect["requestContext"]["connectedAt"]);
        let parsed: ApiGatewayWebsocketProxyRequest = serde_json::from_value(event.clone()).unwrap();
        assert_eq!(parsed.request_context.connection_id, Some(id.clone()));
    }
    assert_eq!(
        (&message["body"], &message["isBase64Encoded"]),
        (&json!(r#"{"type":"typing"}"#), &json!(false))
    );
    assert!(message["requestContext"]["messageId"].is_string());
    assert_eq!(disconnect["requestContext"]["disconnectStatusCode"], 4000);
    assert_eq!(disconnect["requestContext"]["disconnectReason"], "done");
}

#[tokio::test]
async fn a_mock_answers_without_a_function() {
    let world = World::new(open()).await;
    let (mut client, _) = world.join().await;
    say(&mut client, r#"{"type":"ping"}"#).await;
    assert_eq!(hear(&mut client).await, r#"{"type":"pong"}"#);
}

#[tokio::test]
async fn messages_without_a_route_of_their_own_go_to_the_default() {
    let echo = |event: Value| Ok(json!({ "statusCode": 200, "body": event["body"] }));
    let world = World::new(open().with("Unknown", echo)).await;
    let (mut client, _) = world.join().await;
    for text in [
        "no json",
        r#"{"type":"nothing"}"#,
        r#"{"type":{}}"#,
        "[1]",
        r#"{"type":"$connect"}"#,
    ] {
        say(&mut client, text).await;
        assert_eq!(hear(&mut client).await, text);
    }
    client.send(Message::binary(&b"\xff\xfe"[..])).await.unwrap();
    assert_eq!(hear(&mut client).await, "//4=");
    assert_eq!(world.functions.events("Unknown")[5]["isBase64Encoded"], true);
}

#[tokio::test]
async fn a_route_without_a_response_says_nothing_unless_it_fails() {
    let loud = json!({ "statusCode": 200, "body": "not for the client" });
    let world = World::new(open().answering("Typing", &loud)).await;
    let (mut client, _) = world.join().await;
    say(&mut client, r#"{"type":"typing"}"#).await;
    say(&mut client, r#"{"type":"ping"}"#).await;
    assert_eq!(hear(&mut client).await, r#"{"type":"pong"}"#);

    for error in [InvokeError::Crashed("boom".to_owned()), InvokeError::Throttled] {
        let world = World::new(open().with("Typing", move |_| Err(error.clone()))).await;
        let (mut client, id) = world.join().await;
        say(&mut client, r#"{"type":"typing"}"#).await;
        let frame: Value = serde_json::from_str(&hear(&mut client).await).unwrap();
        assert_eq!(
            (&frame["message"], &frame["connectionId"]),
            (&json!("Internal server error"), &json!(id))
        );
        assert!(frame["requestId"].is_string());
    }
}

#[tokio::test]
async fn posts_arrive_in_order_and_what_is_over_is_gone() {
    let world = World::new(open()).await;
    let (mut client, id) = world.join().await;
    assert_eq!(world.gateway.connections(), 1);
    assert_eq!(world.gateway.get(&id).unwrap().source_ip, "127.0.0.1");
    for text in ["one", "two"] {
        world
            .gateway
            .post(&id, &Bytes::from_static(text.as_bytes()))
            .await
            .unwrap();
    }
    let large = Bytes::from(vec![b'x'; MESSAGE_LIMIT_BYTES + 1]);
    assert_eq!(world.gateway.post(&id, &large).await, Err(PostError::TooLarge));
    world.gateway.disconnect(&id).unwrap();
    assert_eq!(world.gateway.post(&id, &Bytes::new()).await, Err(PostError::Gone));
    assert_eq!(world.gateway.disconnect(&id), Err(PostError::Gone));
    assert_eq!(world.gateway.get(&id), None);

    assert_eq!(
        (hear(&mut client).await, hear(&mut client).await),
        ("one".to_owned(), "two".to_owned())
    );
    assert_eq!(close_code(&mut client).await, 1000);
    let event = world.functions.event("Disconnect").await;
    assert_eq!(event["requestContext"]["disconnectStatusCode"], 1000);
}

#[tokio::test]
async fn a_message_of_several_frames_is_one_event() {
    let echo = |event: Value| {
        Ok(json!({ "statusCode": 200, "body": event["body"].as_str().unwrap().len().to_string() }))
    };
    let world = World::new(open().with("Unknown", echo)).await;
    let (mut client, _) = world.join().await;
    for number in 0..4 {
        let kind = if number == 0 { Data::Text } else { Data::Continue };
        let part = Frame::message(vec![b'x'; FRAME_LIMIT_BYTES], OpCode::Data(kind), number == 3);
        client.send(Message::Frame(part)).await.unwrap();
    }
    assert_eq!(hear(&mut client).await, MESSAGE_LIMIT_BYTES.to_string());
}
