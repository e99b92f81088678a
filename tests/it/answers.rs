//! How a response leaves a function: `lambda_http` encodes it in payload format 2.0 without losses.
//! Source: AWS, *Create AWS Lambda proxy integrations for HTTP APIs in API Gateway*.

use std::sync::Arc;

use aws_smithy_http_client::Connector;
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use harness::events;
use serde_json::{Value, json};
use shared::App;
use shared::clock::Clock;
use shared::config::Config;
use shared::http::endpoint::Answer;
use shared::http::reply::{File, Response};
use shared::http::{AnyEndpoint, Example, Reply, Route, Tag, Throttle};
use shared::lambda::Function;
use shared::rights::Rights;

/// The response of a function whose route replies with this.
async fn answered(answer: Answer) -> Value {
    let nothing = |_: &mut schemars::SchemaGenerator| schemars::Schema::default();
    let entry = AnyEndpoint {
        route: Route::get(Tag::System, "get_health", "/health", "A route of this test")
            .throttled(Throttle::HEALTH),
        is_public: true,
        example: Example::default,
        example_caller: "",
        path: nothing,
        query: nothing,
        body: nothing,
        output: nothing,
        answer,
    };
    let function = Function::of_endpoint(entry, Rights::NONE);
    let config = Config::from_lookup(|name| {
        let is_known = !name.starts_with("AWS_ENDPOINT")
            && !name.starts_with("RATE_LIMIT")
            && name != "CREDITS_APPLY_TO";
        let value = match name {
            name if name.ends_with("_SECONDS") || name.ends_with("_MILLISECONDS") => "1",
            "CREDITS_INITIAL" | "EXPORT_PART_ROWS" => "1",
            _ => "a-text-of-thirty-two-bytes-or-even-more",
        };
        is_known.then(|| value.to_owned())
    });
    // No service is called.
    let connector = SharedHttpConnector::new(Connector::builder().build_http());
    let app = App::new(config.unwrap(), Clock::default(), &connector, Arc::new(|_| ()));
    let event = &events::recorded()["get-health"];
    let answer = function.invoke(&app, event.as_bytes()).await.unwrap();
    serde_json::from_slice(&answer).unwrap()
}

#[tokio::test]
async fn several_cookies_and_several_equal_headers_are_all_sent() {
    let answer = answered(|app, request| {
        Box::pin(async move {
            let reply = Reply::from(json!({ "a": 1 }))
                .header("set-cookie", "a=1; Secure")
                .header("vary", "origin")
                .header("set-cookie", "b=2")
                .header("vary", "accept-encoding");
            (Response::of_reply(app, request, &reply, 201), None)
        })
    })
    .await;
    assert_eq!(answer["statusCode"], 201);
    assert_eq!(answer["cookies"], json!(["a=1; Secure", "b=2"]));
    assert_eq!(answer["headers"]["vary"], "origin, accept-encoding");
    assert_eq!(answer["headers"].get("set-cookie"), None);
    assert_eq!(answer["body"], r#"{"a":1}"#);
    assert_eq!(answer["isBase64Encoded"], false);
}

#[tokio::test]
async fn bytes_are_sent_as_base64_and_nothing_as_no_body() {
    let answer = answered(|app, request| {
        Box::pin(async move {
            let reply: Reply<Value> = Reply::file(File {
                content_type: "text/css",
                bytes: b"\x1f\x8b\x00\xff".as_slice().into(),
                is_gzip: true,
                content_security_policy: "default-src 'none'",
            });
            (Response::of_reply(app, request, &reply, 200), None)
        })
    })
    .await;
    assert_eq!(answer["body"], "H4sA/w==");
    assert_eq!(answer["isBase64Encoded"], true);
    assert_eq!(answer["headers"]["content-encoding"], "gzip");
    // An empty list, but present: some readers of this format require it (cargo-lambda 1.9).
    assert_eq!(answer["cookies"], json!([]));

    let answer = answered(|app, request| {
        Box::pin(async move {
            let reply: Reply<Value> = Reply::empty();
            (Response::of_reply(app, request, &reply, 204), None)
        })
    })
    .await;
    assert_eq!(answer["statusCode"], 204);
    assert_eq!(answer.get("body"), None);
}

/// An invalid header is a defect, and the caller gets an ordinary error.
#[tokio::test]
async fn a_header_that_cannot_be_written_is_an_internal_error() {
    let answer = answered(|app, request| {
        Box::pin(async move {
            let reply = Reply::from(json!({})).header("location", "a\r\nb: c");
            (Response::of_reply(app, request, &reply, 200), None)
        })
    })
    .await;
    assert_eq!(answer["statusCode"], 500);
    assert!(answer["body"].as_str().unwrap().contains("INTERNAL"));
}
