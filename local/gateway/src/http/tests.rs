//! The HTTP API as its clients and its functions see it.

mod cors;
mod events;
mod routing;
mod throttles;

use ::http::HeaderName;
use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use super::*;
use crate::template::{CorsSpec, HttpRoute};
use crate::testing::{Functions, listener, shared};

const PEER: &str = "127.0.0.1:50000";

fn spec(routes: &[&str]) -> HttpApiSpec {
    let route = |line: &&str| {
        let (method, path) = line.split_once(' ').unwrap();
        HttpRoute {
            method: method.to_owned(),
            path: path.to_owned(),
            function: (*line).to_owned(),
            timeout_milliseconds: None,
            throttle: None,
        }
    };
    HttpApiSpec {
        routes: routes.iter().map(route).collect(),
        default_function: Some("$default".to_owned()),
        default_throttle: None,
        cors: None,
    }
}

fn router(routes: &[&str]) -> router::Router {
    router::Router::new(&spec(routes)).unwrap()
}

fn request(method: &str, uri: &str) -> ::http::request::Builder {
    Request::builder()
        .method(method)
        .uri(uri)
        .header("host", "localhost:3000")
}

/// A gateway with one route to one function.
fn gateway(functions: Functions) -> (Arc<Functions>, HttpGateway) {
    let (functions, invoker) = shared(functions);
    let mut spec = spec(&["POST /pets/{pet_id}"]);
    spec.cors = Some(CorsSpec {
        allow_origins: vec!["https://app.example".to_owned()],
        allow_methods: vec!["GET".to_owned(), "POST".to_owned()],
        allow_headers: vec!["authorization".to_owned()],
        expose_headers: vec!["x-request-id".to_owned()],
        allow_credentials: true,
        max_age_seconds: Some(600),
    });
    (functions, HttpGateway::new(&spec, invoker).unwrap())
}

async fn call(gateway: &HttpGateway, request: ::http::request::Builder, body: &[u8]) -> Response<Bytes> {
    gateway
        .handle(
            request.body(Bytes::copy_from_slice(body)).unwrap(),
            PEER.parse().unwrap(),
        )
        .await
}

/// Sends one request to a function that gives this answer.
async fn answered(answer: &Value) -> Response<Bytes> {
    let (_, gateway) = gateway(Functions::default().answering("POST /pets/{pet_id}", answer));
    call(&gateway, request("POST", "/pets/7"), b"").await
}

async fn failed(error: InvokeError) -> (u16, String) {
    let (_, gateway) = gateway(Functions::default().with("POST /pets/{pet_id}", move |_| Err(error.clone())));
    let response = call(&gateway, request("POST", "/pets/7"), b"").await;
    (response.status().as_u16(), text(&response))
}

fn text(response: &Response<Bytes>) -> String {
    String::from_utf8(response.body().to_vec()).unwrap()
}

fn header<'a>(response: &'a Response<Bytes>, name: &'static str) -> Option<&'a str> {
    response
        .headers()
        .get(HeaderName::from_static(name))
        .map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn an_answer_with_a_status_is_taken_at_its_word() {
    let response = answered(&json!({
        "statusCode": 201,
        "headers": { "X-Count": 3, "Content-Type": "image/png", "Content-Length": "99" },
        "multiValueHeaders": { "x-many": ["a", "b"] },
        "cookies": ["a=1", "b=2; Secure"],
        "body": "aGk=",
        "isBase64Encoded": true,
    }))
    .await;
    assert_eq!(
        (response.status().as_u16(), text(&response)),
        (201, "hi".to_owned())
    );
    assert_eq!(
        (header(&response, "x-count"), header(&response, "content-length")),
        (Some("3"), None)
    );
    let all = |name| {
        response
            .headers()
            .get_all(name)
            .iter()
            .map(|value| value.to_str().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(all("set-cookie"), ["a=1", "b=2; Secure"]);
    assert_eq!(all("x-many"), ["a", "b"]);
    assert_eq!(header(&response, "apigw-requestid").map(str::len), Some(16));
}

#[tokio::test]
async fn an_answer_without_a_status_is_the_body_of_a_200() {
    for (answer, expected) in [
        (json!({ "a": 1 }), r#"{"a":1}"#),
        (json!("hi"), "hi"),
        (json!([1]), "[1]"),
    ] {
        let response = answered(&answer).await;
        assert_eq!(
            (response.status().as_u16(), text(&response)),
            (200, expected.to_owned())
        );
        assert_eq!(header(&response, "content-type"), Some("application/json"));
    }
}

#[tokio::test]
async fn a_malformed_answer_is_an_internal_error() {
    for answer in [
        json!({ "statusCode": "x" }),
        json!({ "statusCode": 99 }),
        json!({ "statusCode": 200, "body": {} }),
        json!({ "statusCode": 200, "headers": { "a": [] } }),
        json!({ "statusCode": 200, "body": "!", "isBase64Encoded": true }),
    ] {
        let response = answered(&answer).await;
        assert_eq!(
            (response.status().as_u16(), text(&response)),
            (500, r#"{"message":"Internal Server Error"}"#.into())
        );
    }
}

#[tokio::test]
async fn failures_have_the_statuses_of_the_gateway() {
    let internal = (500, r#"{"message":"Internal Server Error"}"#.to_owned());
    assert_eq!(failed(InvokeError::Crashed("boom".to_owned())).await, internal);
    assert_eq!(failed(InvokeError::TimedOut).await, internal);
    assert_eq!(failed(InvokeError::answer_too_large()).await, internal);
    assert_eq!(
        failed(InvokeError::Throttled).await,
        (429, r#"{"message":"Too Many Requests"}"#.to_owned())
    );
    assert_eq!(
        failed(InvokeError::TooLarge).await,
        (413, r#"{"message":"Request Entity Too Large"}"#.to_owned())
    );
}

#[tokio::test]
async fn a_function_that_outlasts_the_integration_is_503_and_runs_on() {
    let (finish, finished) = oneshot::channel::<()>();
    let (done, ended) = oneshot::channel();
    let once = std::sync::Mutex::new(Some((finished, done)));
    let (_, gateway) = gateway(Functions::default().with_slow("POST /pets/{pet_id}", move |_| {
        let (finished, done) = once.lock().unwrap().take().unwrap();
        async move {
            finished.await.unwrap();
            done.send(()).unwrap();
            Ok(json!({}))
        }
    }));
    let gateway = gateway.with_integration_timeout(Duration::from_millis(10));
    let response = call(&gateway, request("POST", "/pets/7"), b"").await;
    assert_eq!(
        (response.status().as_u16(), text(&response)),
        (503, r#"{"message":"Service Unavailable"}"#.into())
    );
    finish.send(()).unwrap();
    ended.await.unwrap();
}

#[tokio::test]
async fn limits() {
    let (functions, gateway) = gateway(Functions::default());
    let large = call(&gateway, request("POST", "/pets/7"), &vec![b'x'; PAYLOAD]).await;
    assert_eq!(large.status(), 413, "a body that makes an event of over 6 MB");
    let larger = call(
        &gateway,
        request("POST", "/pets/7"),
        &vec![b'x'; BODY_LIMIT_BYTES + 1],
    )
    .await;
    assert_eq!(larger.status(), 413);
    let headers = request("POST", "/pets/7").header("x-long", "x".repeat(HEADER_LIMIT_BYTES));
    assert_eq!(call(&gateway, headers, b"").await.status(), 431);
    assert!(functions.events("POST /pets/{pet_id}").is_empty());
}

const PAYLOAD: usize = crate::invoke::PAYLOAD_LIMIT_BYTES;

#[tokio::test]
async fn extra_routes_need_no_function() {
    let (_, gateway) = gateway(Functions::default());
    let page: Extra = Arc::new(|_| Box::pin(async { Response::new(Bytes::from_static(b"live")) }));
    let gateway = gateway.with_extra(Method::GET, "/", page);
    assert_eq!(text(&call(&gateway, request("GET", "/"), b"").await), "live");
}

/// DNS rebinding: the desk is the origin of a page that its visitor did not get from it.
#[tokio::test]
async fn extra_routes_answer_loopback_names_and_their_own_pages_alone() {
    let (_, gateway) = gateway(Functions::default());
    let page: Extra = Arc::new(|_| Box::pin(async { Response::new(Bytes::from_static(b"live")) }));
    let gateway = gateway.with_extra(Method::GET, "/", page);
    for (host, origin, status) in [
        ("127.0.0.1:3000", None, 200),
        ("localhost:3000", Some("http://localhost:3000"), 200),
        ("evil.example:3000", None, 403),
        ("evil.example:3000", Some("http://evil.example:3000"), 403),
        ("127.0.0.1:3000", Some("https://evil.example"), 403),
    ] {
        let mut request = Request::builder().uri("/").header("host", host);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let response = call(&gateway, request, b"").await;
        assert_eq!(response.status(), status, "{host} {origin:?}");
        assert_eq!(text(&response) == "live", status == 200);
    }
}

#[tokio::test]
async fn a_guarded_api_answers_loopback_names_alone() {
    let functions = Functions::default().answering("POST /pets/{pet_id}", &json!("hi"));
    let (functions, gateway) = gateway(functions);
    let at = |host: &str| {
        Request::builder()
            .method("POST")
            .uri("/pets/7")
            .header("host", host)
    };
    assert_eq!(call(&gateway, at("api.example"), b"").await.status(), 200);
    let guarded = gateway.with_guard(Guard::loopback(Vec::new()));
    assert_eq!(call(&guarded, at("127.0.0.1:3000"), b"").await.status(), 200);
    assert_eq!(call(&guarded, at("evil.example:3000"), b"").await.status(), 403);
    assert_eq!(functions.events("POST /pets/{pet_id}").len(), 2);
}

/// Sends bytes as they are over a connection of their own, and reads until the server closes it.
async fn raw(address: std::net::SocketAddr, bytes: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// RFC 9112 §3.2
#[tokio::test]
async fn a_request_without_a_host_or_with_two_is_bad() {
    let (functions, gateway) = gateway(Functions::default().answering("POST /pets/{pet_id}", &json!("hi")));
    let (listener, address) = listener().await;
    let server = tokio::spawn(async move { gateway.serve(listener, std::future::pending()).await });
    for hosts in ["", "host: localhost\r\nhost: localhost\r\n", "host: a b\r\n"] {
        let request = format!("POST /pets/7 HTTP/1.1\r\n{hosts}connection: close\r\n\r\n");
        let answer = raw(address, &request).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{hosts:?}: {answer}");
        assert!(answer.ends_with(r#"{"message":"Bad Request"}"#), "{answer}");
    }
    assert!(functions.events("POST /pets/{pet_id}").is_empty());
    let request = "POST /pets/7 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    assert!(raw(address, request).await.starts_with("HTTP/1.1 200 "));
    server.abort();
}

#[tokio::test]
async fn a_body_that_never_ends_is_given_up_with_408() {
    let (functions, gateway) = gateway(Functions::default());
    let gateway = gateway.with_body_timeout(Duration::from_millis(50));
    let (listener, address) = listener().await;
    let server = tokio::spawn(async move { gateway.serve(listener, std::future::pending()).await });
    let request = "POST /pets/7 HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\nhalf";
    // The server ends the connection too.
    let answer = raw(address, request).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.ends_with(r#"{"message":"Request Timeout"}"#), "{answer}");
    assert!(functions.events("POST /pets/{pet_id}").is_empty());
    server.abort();
}

#[tokio::test]
async fn over_a_socket_and_until_it_is_told_to_stop() {
    let (_, gateway) = gateway(Functions::default().answering("POST /pets/{pet_id}", &json!("hi")));
    let (listener, address) = listener().await;
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(async move { gateway.serve(listener, async { stopped.await.unwrap() }).await });

    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let small = request("POST", "/pets/7")
        .body(Full::new(Bytes::from_static(b"{}")))
        .unwrap();
    let response = sender.send_request(small).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "hi");

    let huge = Full::new(Bytes::from(vec![0; BODY_LIMIT_BYTES + 1]));
    sender.ready().await.unwrap();
    let response = sender
        .send_request(request("POST", "/pets/7").body(huge).unwrap())
        .await
        .unwrap();
    assert_eq!(response.status(), 413);

    stop.send(()).unwrap();
    server.await.unwrap().unwrap();
    connection.await.unwrap().unwrap();
}
