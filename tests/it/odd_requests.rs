//! Odd requests that a client can send but that a URI, a header or a body cannot hold: each gets an ordinary response,
//! from the gateway, from a function and from a process, and no process dies.
//!
//! `lambda_http` panics on some of them; `shared/src/http/event.rs` sanitizes them first.

use std::time::Duration;

use harness::{Person, World, events};
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Values of the raw query, with the status of the answer.
fn queries() -> Vec<(String, u64)> {
    let mut queries: Vec<(String, u64)> = [
        "a b",
        "a=\"b\"",
        "a=<b>",
        "a=b#c",
        "a=\u{0}\u{1}\u{7f}",
        "a=\t",
        "a=é",
        "a=%zz",
        "%",
        "[]{}|\\^`",
        "&&==",
        "?",
    ]
    .map(|query| (query.to_owned(), 200))
    .to_vec();
    queries.push(("a".repeat(59_000), 200));
    queries.push(("a".repeat(70_000), 400));
    queries.push(("\"".repeat(40_000), 400));
    queries
}

/// Invalid hosts.
const HOSTS: [&str; 10] = [
    "a b", "[::", "a:99999", "a:b", "<a>", "", "xn--", "a/b?c#d", "%", "..",
];

/// Every odd event, with a description and the expected status.
fn odd_events(caller: &Person) -> Vec<(String, Value, u64)> {
    let mut odd = Vec::new();
    let mut add = |what: String, status: u64, change: &dyn Fn(&mut Value)| {
        let mut event = events::by(caller, "get-me");
        change(&mut event);
        odd.push((what, event, status));
    };
    for (query, status) in queries() {
        let name: String = query.chars().take(20).collect();
        add(format!("query {name:?}"), status, &|event| {
            event["rawQueryString"] = json!(query);
        });
    }
    for host in HOSTS {
        add(format!("host {host:?}"), 200, &|event| {
            event["headers"]["host"] = json!(host);
        });
        add(format!("domain {host:?}"), 200, &|event| {
            event["headers"].as_object_mut().unwrap().remove("host");
            event["requestContext"]["domainName"] = json!(host);
        });
    }
    for scheme in ["", "ht tp", "//", "\u{e9}"] {
        add(format!("scheme {scheme:?}"), 200, &|event| {
            event["headers"]["x-forwarded-proto"] = json!(scheme);
        });
    }
    let long = "/".to_owned() + &"é".repeat(30_000);
    for (path, status) in [
        ("", 200),
        ("no/slash", 200),
        (":99999", 200),
        ("//", 200),
        ("/a b\"<>\u{0}", 200),
        ("/a?b#c", 200),
        ("/\u{202e}", 200),
        (long.as_str(), 400),
    ] {
        let name: String = path.chars().take(20).collect();
        add(format!("path {name:?}"), status, &|event| {
            event["rawPath"] = json!(path);
        });
    }
    for (value, status) in [("é", 200), ("\u{ff}", 200), ("a\r\nb: c", 400), ("\u{0}", 400)] {
        add(format!("header {value:?}"), status, &|event| {
            event["headers"]["x-odd"] = json!(value);
        });
    }
    add("header name".to_owned(), 400, &|event| {
        event["headers"]["a b"] = json!("c");
    });
    for stage in ["prod", "é", "a b", "<>"] {
        add(format!("stage {stage:?}"), 200, &|event| {
            event["requestContext"]["stage"] = json!(stage);
        });
    }
    for cookies in [json!(["a=b"]), json!(["\u{0}"]), json!(["é"]), json!([])] {
        add(format!("cookies {cookies}"), 200, &|event| {
            event["cookies"] = cookies.clone();
        });
    }
    for (body, status) in [("not base64!", 400), ("////", 200), ("e30=", 200), ("", 200)] {
        add(format!("base64 {body:?}"), status, &|event| {
            event["body"] = json!(body);
            event["isBase64Encoded"] = json!(true);
        });
    }
    odd
}

/// Sends every odd event to the function, and lists wrong responses.
pub(crate) async fn answer_every_odd_event(world: &World) {
    let ada = world.person("ada").await;
    let functions = harness::functions();
    let get_me = functions
        .iter()
        .find(|function| function.name == "get_me")
        .unwrap();
    for (what, event, status) in odd_events(&ada) {
        let answer = events::invoke(world, get_me, &event.to_string()).await;
        assert_eq!(answer["statusCode"], status, "{what}: {answer}");
    }
}

#[tokio::test]
async fn every_odd_event_gets_an_ordinary_answer() {
    let world = World::with(&[("RATE_LIMIT_REQUESTS_PER_MINUTE", "0")]).await;
    answer_every_odd_event(&world).await;
}

/// What is encoded for the URI is read as the client wrote it.
#[tokio::test]
async fn a_raw_query_is_read_as_it_was_written() {
    let world = World::start().await;
    let ada = world.with_roles("ada", &["admin"]).await;
    let text = "q=a \"b\" <c> %23 é+d|{}";
    let mut event = events::by(&ada, "search-messages");
    event["rawQueryString"] = json!(text);
    let functions = harness::functions();
    let search = functions
        .iter()
        .find(|function| function.name == "search_messages")
        .unwrap();
    let answer = events::invoke(&world, search, &event.to_string()).await;
    assert_eq!(answer["statusCode"], 200, "{answer}");
    let audited = ada.get("/api/admin/audit").await.is(200);
    let entries = audited["entries"].as_array().unwrap();
    let searched = entries
        .iter()
        .any(|entry| entry.to_string().contains(r#"a \"b\" <c> # é d|{}"#));
    assert!(searched, "{audited}");
}

/// One raw request, and its response.
async fn raw(world: &World, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(world.desk().http_url().trim_start_matches("http://"))
        .await
        .unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    // The server closes the connection, as requested or because the request is invalid.
    tokio::time::timeout(Duration::from_mins(1), stream.read_to_end(&mut answer))
        .await
        .expect("the server answers and closes")
        .ok();
    String::from_utf8_lossy(&answer).into_owned()
}

/// If a function died, the desk would return 500.
#[tokio::test]
async fn the_gateway_answers_every_odd_request() {
    let world = World::with(&[("RATE_LIMIT_REQUESTS_PER_MINUTE", "0")]).await;
    let ada = world.person("ada").await;
    let good = format!("Authorization: Bearer {}\r\nConnection: close\r\n", ada.token);
    let mut requests: Vec<Vec<u8>> = Vec::new();
    for (query, _) in queries() {
        requests.push(format!("GET /api/v1/users/me?{query} HTTP/1.1\r\nHost: a\r\n{good}\r\n").into_bytes());
    }
    for host in HOSTS {
        requests.push(format!("GET /api/v1/users/me HTTP/1.1\r\nHost: {host}\r\n{good}\r\n").into_bytes());
    }
    for value in [b"\xc3\xa9".as_slice(), b"\xff\xfe", b"\x01"] {
        let head = format!("GET /api/v1/users/me HTTP/1.1\r\nHost: a\r\n{good}X-Forwarded-Proto: ");
        requests.push([head.as_bytes(), value, b"\r\n\r\n"].concat());
    }
    for request in requests {
        let answer = raw(&world, &request).await;
        let shown = String::from_utf8_lossy(&request[..request.len().min(80)]).into_owned();
        let status: u16 = answer
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .unwrap_or_else(|| panic!("{shown}: {answer}"));
        assert!((200..500).contains(&status), "{shown}: {answer}");
    }
    ada.get("/api/v1/users/me").await.is(200);
}

/// Property: whatever is sent, no panic, and no internal error.
#[test]
fn no_event_of_the_http_api_ends_a_function() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let world = runtime.block_on(World::with(&[("RATE_LIMIT_REQUESTS_PER_MINUTE", "0")]));
    let functions = harness::functions();
    let health = functions
        .iter()
        .find(|function| function.name == "get_health")
        .unwrap();
    let recorded: Value = serde_json::from_str(&events::recorded()["get-health"]).unwrap();
    let text = ".{0,40}";
    let texts = (text, text, text, text, proptest::option::of(text), any::<bool>());
    proptest!(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }, |((path, query, host, header, body, is_base64) in texts)| {
        let mut event = recorded.clone();
        event["rawPath"] = json!(path);
        event["rawQueryString"] = json!(query);
        event["headers"]["host"] = json!(host);
        event["headers"]["x-odd"] = json!(header);
        event["headers"]["x-forwarded-proto"] = json!(header);
        event["body"] = json!(body);
        event["isBase64Encoded"] = json!(is_base64);
        let answer = runtime.block_on(events::invoke(&world, health, &event.to_string()));
        let status = answer["statusCode"].as_u64().unwrap();
        prop_assert!((200..500).contains(&status), "{}", answer);
    });
}
