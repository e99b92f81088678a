//! Beside the routes: paths and methods that there are not, headers that every answer has, other origins.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Response;
use reqwest::header::HeaderMap;
use serde_json::Value;

use super::{Fixture, nothing, routes, shape};

const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
/// What the documentation pages may load is their own business, and they are no private data.
const PAGES: [&str; 6] = [
    "/asyncapi.json",
    "/docs",
    "/docs/{asset}",
    "/openapi.json",
    "/redoc",
    "/redoc/{asset}",
];

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Insists on what every answer carries (contract §1 *Headers*).
#[track_caller]
fn carries_headers(headers: &HeaderMap, is_page: bool, at: &str) {
    assert!(
        header(headers, "x-request-id").is_some_and(|id| !id.is_empty()),
        "{at}"
    );
    let transport = header(headers, "strict-transport-security").unwrap_or_default();
    assert!(transport.starts_with("max-age="), "{at}: {transport}");
    assert_eq!(header(headers, "x-content-type-options"), Some("nosniff"), "{at}");
    assert_eq!(header(headers, "x-frame-options"), Some("DENY"), "{at}");
    let policy = header(headers, "content-security-policy").unwrap_or_default();
    if is_page {
        assert!(policy.starts_with("default-src 'none'"), "{at}: {policy}");
    } else {
        assert_eq!(policy, "default-src 'none'", "{at}");
        // What has a version may be kept by its client, which asks whether it still holds.
        let caching = if headers.contains_key("etag") {
            "private, no-cache"
        } else {
            "no-store"
        };
        assert_eq!(header(headers, "cache-control"), Some(caching), "{at}");
    }
    for told in ["server", "x-powered-by"] {
        assert_eq!(header(headers, told), None, "{at}");
    }
}

/// Every path that there is, with real ids, and the methods that it answers.
fn paths(fixture: &Fixture) -> BTreeMap<String, BTreeSet<&'static str>> {
    let mut paths: BTreeMap<String, BTreeSet<&'static str>> = BTreeMap::new();
    for entry in &routes() {
        for template in entry.route.paths() {
            let path = fixture.path(entry, &template);
            let path = path.split('?').next().unwrap().to_owned();
            paths.entry(path).or_default().extend(entry.methods());
        }
    }
    paths
}

/// Contract §1 *405*: for whom it may concern, with a token or without one.
#[tokio::test]
async fn another_method_than_a_path_answers_is_405_and_allow_names_those() {
    let fixture = Fixture::new().await;
    for (path, methods) in paths(&fixture) {
        // Where a word stands in the place of an id, the methods of the id are none of the word's.
        for method in METHODS.into_iter().filter(|method| !methods.contains(method)) {
            for path in [path.clone(), format!("{path}/")] {
                let at = format!("{method} {path}");
                for request in [
                    fixture.ada.request(method, &path),
                    fixture.ada.anonymous(method, &path),
                ] {
                    let response = request.send().await.unwrap();
                    assert_eq!(response.status(), 405, "{at}");
                    let allow = header(response.headers(), "allow").unwrap().to_owned();
                    let allowed: Vec<&str> = allow.split(", ").collect();
                    assert_eq!(allowed, methods.iter().copied().collect::<Vec<_>>(), "{at}");
                    carries_headers(response.headers(), false, &at);
                    check_body(method, response, "METHOD_NOT_ALLOWED", &at).await;
                }
            }
        }
    }
}

/// Contract §1: HEAD says what GET does, without the body (RFC 9110 §9.3.2).
#[tokio::test]
async fn head_answers_as_get_does_where_no_token_is_needed() {
    let fixture = Fixture::new().await;
    let mut seen = 0;
    for entry in routes().iter().filter(|entry| entry.is_public) {
        for template in entry.route.paths() {
            let path = fixture.path(entry, &template);
            for path in [path.clone(), format!("{path}/")] {
                let get = fixture.ada.anonymous("GET", &path).send().await.unwrap();
                let head = fixture.ada.anonymous("HEAD", &path).send().await.unwrap();
                assert_eq!(head.status(), get.status(), "{path}");
                let told = |response: &Response| {
                    let differs = ["x-request-id", "apigw-requestid", "date"];
                    let headers = response.headers().iter();
                    headers
                        .filter(|(name, _)| !differs.contains(&name.as_str()))
                        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                        .collect::<BTreeMap<_, _>>()
                };
                assert_eq!(told(&head), told(&get), "{path}");
                assert_eq!(head.bytes().await.unwrap().len(), 0, "{path}");
                assert!(!get.bytes().await.unwrap().is_empty(), "{path}");
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 22, "the table is empty");
    let missing = fixture
        .ada
        .anonymous("HEAD", "/docs/nothing.js")
        .send()
        .await
        .unwrap();
    assert_eq!(missing.status(), 404);
}

/// The raw path has the fixture in front of it, unless that is `$default`, and the mapping of a domain: neither changes
/// what is answered.
#[tokio::test]
async fn a_prefix_of_a_path_changes_no_response() {
    let fixture = Fixture::new().await;
    let functions = harness::functions();
    let of = |name: &str| functions.iter().find(|function| function.name == name).unwrap();
    for front in ["/prod", "/v9", "/a/b"] {
        let with_front = |event: &str, path: &str| {
            let mut event = harness::events::by(&fixture.ada, event);
            event["rawPath"] = format!("{front}{path}").into();
            event["requestContext"]["http"]["path"] = event["rawPath"].clone();
            event["requestContext"]["stage"] = "prod".into();
            event
        };
        let event = with_front("get-me", "/api/v1/users/me");
        let answer = harness::events::invoke(&fixture.world, of("get_me"), &event.to_string()).await;
        let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        assert_eq!(
            (&answer["statusCode"], &body["success"]),
            (&200.into(), &true.into())
        );

        for (method, path, status, allow) in [
            ("PUT", "/api/v2/messages/send", 405, Some("POST")),
            ("POST", "/health", 405, Some("GET, HEAD")),
            ("PUT", "/api/nothing", 404, None),
        ] {
            let mut event = with_front("reject-route", path);
            event["requestContext"]["http"]["method"] = method.into();
            let answer =
                harness::events::invoke(&fixture.world, of("reject_route"), &event.to_string()).await;
            assert_eq!(answer["statusCode"], status, "{front}{path}");
            assert_eq!(answer["headers"]["allow"].as_str(), allow, "{front}{path}");
        }

        // A route with an id, which matched a word.
        let mut event = with_front("get-mail", "/api/v2/messages/send");
        event["pathParameters"] = serde_json::json!({ "message_id": "send" });
        let answer = harness::events::invoke(&fixture.world, of("get_mail"), &event.to_string()).await;
        assert_eq!(
            (&answer["statusCode"], answer["headers"]["allow"].as_str()),
            (&405.into(), Some("POST"))
        );
    }
}

/// The body of a refusal; an answer to HEAD has none.
async fn check_body(method: &str, response: Response, code: &str, at: &str) {
    let text = response.text().await.unwrap();
    if method == "HEAD" {
        assert_eq!(text, "", "{at}");
    } else {
        let body: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(body["error"]["code"], code, "{at}: {text}");
    }
}

/// Contract §1 *404*
#[tokio::test]
async fn an_unknown_path_is_404_whatever_the_method() {
    let fixture = Fixture::new().await;
    let conversation = fixture.ids["conversation_id"].as_str().unwrap();
    let unknown = [
        "/api".to_owned(),
        "/api/".to_owned(),
        "/api/conversation".to_owned(),
        "/API/conversations".to_owned(),
        "/api/conversations/dm".to_owned() + "/a/b",
        format!("/api/conversations/{conversation}/messages/{}/x", nothing()),
        format!("/api/conversations/{conversation}/unknown"),
        format!("/api/v3/conversations/{conversation}"),
        "/api/v1/events".to_owned(),
        "/api/v1/ws/health".to_owned(),
        "/healthz".to_owned(),
        "/docs/a/b".to_owned(),
        "/favicon.ico".to_owned(),
        "/.env".to_owned(),
        "/%2e%2e/%2e%2e/etc/passwd".to_owned(),
        "/$default".to_owned(),
    ];
    for path in unknown {
        for method in METHODS {
            let at = format!("{method} {path}");
            for request in [
                fixture.ada.request(method, &path),
                fixture.ada.anonymous(method, &path),
            ] {
                let response = request.send().await.unwrap();
                assert_eq!(response.status(), 404, "{at}");
                carries_headers(response.headers(), false, &at);
                check_body(method, response, "NOT_FOUND", &at).await;
            }
        }
    }
}

/// Contract §1: static segments win over ids, so `dm` is no conversation.
#[tokio::test]
async fn allow_names_a_method_once_though_two_routes_fit() {
    let fixture = Fixture::new().await;
    let answer = fixture
        .ada
        .request("PUT", "/api/conversations/dm/messages")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 405);
    let allow = header(answer.headers(), "allow").unwrap();
    let mut methods: Vec<&str> = allow.split(", ").collect();
    methods.dedup();
    assert_eq!(methods.join(", "), allow);
}

/// Contract §1 *Headers*
#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let fixture = Fixture::new().await;
    for entry in &routes() {
        for template in entry.route.paths() {
            let at = format!("{} {template}", entry.route.method.as_str());
            let is_page = PAGES.contains(&template.as_str());
            for request in [
                fixture.anonymous(entry, &template),
                fixture.request(&fixture.eve, entry, &template),
                fixture.request(&fixture.ada, entry, &template),
            ] {
                let answer = fixture.ada.send(request).await;
                carries_headers(&answer.headers, is_page, &format!("{at} → {}", answer.status));
                // A repeated deletion, an opened conversation: whatever it is, it is no failure.
                assert!(answer.status < 500, "{at}: {}", answer.text);
            }
        }
    }
    let conversation = fixture.ids["conversation_id"].as_str().unwrap();
    let answer = fixture
        .ada
        .get(&format!(
            "/api/conversations/{conversation}?x={}",
            "y".repeat(4000)
        ))
        .await;
    carries_headers(&answer.headers, false, "a long query");
}

/// S1-E07, contract §1: a slash at the end means nothing.
#[tokio::test]
async fn every_route_answers_with_a_slash_at_the_end_too() {
    let fixture = Fixture::new().await;
    let mut entries = routes();
    // Deleting comes last, so that the message is there for the others.
    entries.sort_by_key(|entry| entry.route.method.as_str() == "DELETE");
    for entry in &entries {
        for template in entry.route.paths() {
            let path = fixture.path(entry, &template);
            let path = match path.split_once('?') {
                Some((path, query)) => format!("{path}/?{query}"),
                None => format!("{path}/"),
            };
            let request = fixture.ada.request(entry.route.method.as_str(), &path);
            let request = match fixture.body(entry) {
                Value::Null => request,
                body => request.json(&body),
            };
            let answer = fixture.ada.send(request).await;
            let good = [Some(entry.route.success), entry.route.also];
            assert!(good.contains(&Some(answer.status)), "{path}: {}", answer.text);
        }
    }
}

const FRIEND: &str = "https://app.example.org";
const SECOND_FRIEND: &str = "http://localhost:5173";
const FOREIGN: [&str; 6] = [
    "https://evil.example",
    "https://app.example.org.evil.example",
    "https://app.example.org:444",
    "http://app.example.org",
    "https://APP.example.org",
    "null",
];

fn cors_headers(headers: &HeaderMap) -> Vec<&str> {
    headers
        .keys()
        .map(reqwest::header::HeaderName::as_str)
        .filter(|name| name.starts_with("access-control-"))
        .collect()
}

/// Contract §1 *Headers*, S1-C01 (`FRONTEND_ORIGIN`)
#[tokio::test]
async fn only_the_listed_origins_may_read_answers() {
    let fixture = Fixture::set_with(&[("ALLOWED_ORIGINS", &format!("{FRIEND},{SECOND_FRIEND}"))]).await;
    for (path, status) in [
        ("/api/conversations", 200),
        ("/api/nothing", 404),
        ("/health", 200),
    ] {
        for origin in [FRIEND, SECOND_FRIEND] {
            let answer = fixture
                .ada
                .send(fixture.ada.request("GET", path).header("origin", origin))
                .await;
            assert_eq!(answer.status, status);
            assert_eq!(
                answer.header("access-control-allow-origin"),
                Some(origin),
                "{path}"
            );
            assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
            assert_eq!(
                answer.header("vary").map(str::to_ascii_lowercase).as_deref(),
                Some("origin")
            );
            let exposed = answer.header("access-control-expose-headers").unwrap();
            for name in [
                "x-request-id",
                "retry-after",
                "idempotency-replayed",
                "x-ratelimit-remaining",
            ] {
                assert!(
                    exposed.split(',').any(|exposed| exposed.trim() == name),
                    "{name} is not in {exposed}"
                );
            }
        }
        for origin in FOREIGN {
            let answer = fixture
                .ada
                .send(fixture.ada.request("GET", path).header("origin", origin))
                .await;
            assert_eq!(answer.status, status, "it is the browser that refuses");
            assert_eq!(cors_headers(&answer.headers), Vec::<&str>::new(), "{origin}");
        }
        assert_eq!(
            cors_headers(&fixture.ada.get(path).await.headers),
            Vec::<&str>::new()
        );
    }
    let anonymous = fixture
        .ada
        .anonymous("GET", "/api/conversations")
        .header("origin", FRIEND);
    let answer = fixture.ada.send(anonymous).await;
    shape(&answer, 401, "UNAUTHENTICATED", "a listed origin");
    assert_eq!(
        answer.header("access-control-allow-origin"),
        Some(FRIEND),
        "the page could not read why"
    );
}

/// Contract §1 *Headers*
#[tokio::test]
async fn a_preflight_is_answered_for_the_listed_origins_alone() {
    let fixture = Fixture::set_with(&[("ALLOWED_ORIGINS", FRIEND)]).await;
    let preflight = |path: &str, origin: &str, method: &str| {
        let request = fixture.ada.anonymous("OPTIONS", path).header("origin", origin);
        request
            .header("access-control-request-method", method)
            .header(
                "access-control-request-headers",
                "authorization,content-type,idempotency-key",
            )
            .send()
    };
    for entry in &routes() {
        let method = entry.route.method.as_str();
        for template in entry.route.paths() {
            let path = fixture.path(entry, &template);
            let answer = preflight(&path, FRIEND, method).await.unwrap();
            let headers = answer.headers();
            assert!(answer.status().is_success(), "{path}");
            assert_eq!(
                header(headers, "access-control-allow-origin"),
                Some(FRIEND),
                "{path}"
            );
            let allowed = header(headers, "access-control-allow-methods").unwrap();
            assert!(
                allowed.split(',').any(|allowed| allowed.trim() == method),
                "{method} is not in {allowed}"
            );
            let allowed = header(headers, "access-control-allow-headers")
                .unwrap()
                .to_ascii_lowercase();
            for name in ["authorization", "content-type", "idempotency-key"] {
                assert!(
                    allowed.split(',').any(|allowed| allowed.trim() == name),
                    "{name} is not in {allowed}"
                );
            }
            assert!(header(headers, "access-control-max-age").is_some());
            let answer = preflight(&path, "https://evil.example", method).await.unwrap();
            assert_eq!(cors_headers(answer.headers()), Vec::<&str>::new(), "{path}");
        }
    }
}

/// Contract §1 *Headers*: a desk that was told of no origin trusts none but what the template says.
#[tokio::test]
async fn no_origin_is_ever_allowed_by_a_star() {
    let fixture = Fixture::new().await;
    for origin in FOREIGN {
        let answer = fixture
            .ada
            .send(fixture.ada.request("GET", "/health").header("origin", origin))
            .await;
        assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
    }
}
