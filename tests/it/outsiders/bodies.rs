//! Refused bodies: not a JSON object, too large, undeclared, or with fields of wrong types.

use schemars::generate::SchemaSettings;
use serde_json::{Value, json};
use shared::http::{AnyEndpoint, limit};

use super::{Fixture, routes, shape};

fn with_body() -> Vec<AnyEndpoint> {
    let entries: Vec<AnyEndpoint> = routes()
        .into_iter()
        .filter(|entry| !(entry.example)().body.is_null())
        .collect();
    assert!(entries.len() >= 3, "the table is empty");
    entries
}

fn request(fixture: &Fixture, entry: &AnyEndpoint, template: &str) -> reqwest::RequestBuilder {
    fixture
        .ada
        .request(entry.route.method.as_str(), &fixture.path(entry, template))
}

/// S1-N04, S1-N06
#[tokio::test]
async fn a_body_that_is_not_a_json_object_is_malformed() {
    let fixture = Fixture::new().await;
    let bodies: [&[u8]; 12] = [
        b"",
        b" ",
        b"{",
        b"{\"content\":\"a\"",
        b"{\"content\":\"a\"} and more",
        b"{'content':'a'}",
        b"{\"content\":\"\\ud800\"}",
        b"{\"content\":\"\xff\xfe\"}",
        b"[]",
        b"null",
        b"\"text\"",
        b"7",
    ];
    for entry in with_body() {
        for template in entry.route.paths() {
            for body in bodies {
                let at = format!("{template}: {}", String::from_utf8_lossy(body));
                let request = request(&fixture, &entry, &template);
                let request = request
                    .header("content-type", "application/json")
                    .body(body.to_vec());
                shape(&fixture.ada.send(request).await, 400, "MALFORMED_REQUEST", &at);
            }
        }
    }
}

/// S1-N04: neither recursion nor repetition brings a function down.
#[tokio::test]
async fn a_body_nested_too_deeply_is_malformed() {
    let fixture = Fixture::new().await;
    for entry in with_body() {
        let deep = format!("{{\"x\":{}", "[".repeat(100_000));
        let request = request(&fixture, &entry, entry.route.path);
        let request = request.header("content-type", "application/json").body(deep);
        shape(
            &fixture.ada.send(request).await,
            400,
            "MALFORMED_REQUEST",
            entry.route.path,
        );
    }
}

/// The body padded by a field that nobody knows, to an exact length.
fn padded(body: &Value, length: usize) -> String {
    let mut body = body.clone();
    body["padding"] = json!("");
    let missing = length - body.to_string().len();
    body["padding"] = json!("x".repeat(missing));
    body.to_string()
}

/// Contract §1 *413*: every part of a body has a bound, and the limit of a body is what they come to.
#[test]
fn the_limit_of_a_body_follows_from_its_type() {
    for entry in with_body() {
        let (name, limit) = (entry.route.name, limit::of(entry.body));
        let need =
            limit::need(entry.body).unwrap_or_else(|| panic!("{name}: a part of the body has no bound"));
        assert!(need <= limit, "{name}");
        assert_eq!(
            limit,
            if name == "send_mail" {
                640 * 1024
            } else {
                256 * 1024
            },
            "{name}"
        );
    }
}

/// Contract §1 *413*
#[tokio::test]
async fn a_body_may_hold_what_its_type_needs_and_no_byte_more() {
    let fixture = Fixture::new().await;
    for entry in with_body() {
        for template in entry.route.paths() {
            let request = |body: String| {
                request(&fixture, &entry, &template)
                    .header("content-type", "application/json")
                    .body(body)
            };
            let body = fixture.body(&entry);
            let answer = fixture
                .ada
                .send(request(padded(&body, limit::of(entry.body))))
                .await;
            assert_eq!(answer.status, entry.route.success, "{template}: {}", answer.text);
            let answer = fixture
                .ada
                .send(request(padded(&body, limit::of(entry.body) + 1)))
                .await;
            shape(&answer, 413, "PAYLOAD_TOO_LARGE", &template);
        }
    }
}

/// Contract §1 *415*
#[tokio::test]
async fn a_body_that_is_declared_as_something_else_is_unsupported() {
    let fixture = Fixture::new().await;
    for entry in with_body() {
        for template in entry.route.paths() {
            let body = fixture.body(&entry).to_string();
            for media_type in [
                "text/plain",
                "application/x-www-form-urlencoded",
                "multipart/form-data; boundary=x",
            ] {
                let request = request(&fixture, &entry, &template);
                let request = request.header("content-type", media_type).body(body.clone());
                shape(
                    &fixture.ada.send(request).await,
                    415,
                    "UNSUPPORTED_MEDIA_TYPE",
                    &format!("{template}: {media_type}"),
                );
            }
            for media_type in [
                "application/json",
                "Application/JSON; charset=utf-8",
                "application/vnd.x+json",
            ] {
                let request = request(&fixture, &entry, &template);
                let request = request.header("content-type", media_type).body(body.clone());
                let answer = fixture.ada.send(request).await;
                assert_eq!(
                    answer.status, entry.route.success,
                    "{template}: {media_type}: {}",
                    answer.text
                );
            }
        }
    }
}

/// Contract §1 *415*: nobody unpacks a body (RFC 9110 §15.5.16).
#[tokio::test]
async fn a_body_that_is_encoded_is_unsupported() {
    let fixture = Fixture::new().await;
    for entry in with_body() {
        for template in entry.route.paths() {
            let body = fixture.body(&entry).to_string();
            let request = |encoding: &str, body: Vec<u8>| {
                request(&fixture, &entry, &template)
                    .header("content-type", "application/json")
                    .header("content-encoding", encoding)
                    .body(body)
            };
            for encoding in ["gzip", "br", "GZIP, identity", "x"] {
                let answer = fixture
                    .ada
                    .send(request(encoding, b"\x1f\x8b\x08".to_vec()))
                    .await;
                shape(
                    &answer,
                    415,
                    "UNSUPPORTED_MEDIA_TYPE",
                    &format!("{template}: {encoding}"),
                );
            }
            let answer = fixture.ada.send(request("identity", body.into_bytes())).await;
            assert_eq!(answer.status, entry.route.success, "{template}: {}", answer.text);
        }
    }
}

/// Contract §1: `null` for an optional field is its absence.
#[tokio::test]
async fn a_field_that_may_be_left_out_may_be_null() {
    let fixture = Fixture::new().await;
    let mut seen = 0;
    for entry in with_body() {
        let required = required(&entry);
        let mut body = fixture.body(&entry);
        for name in properties(&entry)
            .into_iter()
            .filter(|name| !required.contains(name))
        {
            body[name] = Value::Null;
            seen += 1;
        }
        // An unknown field may be anything, also what no number of 64 bits holds.
        let text = body.to_string();
        let text = format!(r#"{{"unknown":[1e400,{{"x":null}}],{}"#, &text[1..]);
        let request = request(&fixture, &entry, entry.route.path).header("content-type", "application/json");
        let answer = fixture.ada.send(request.body(text)).await;
        let good = if NEEDS_SOME.contains(&entry.route.name) {
            422
        } else {
            entry.route.success
        };
        assert_eq!(answer.status, good, "{}: {}", entry.route.name, answer.text);
    }
    assert!(seen > 10, "the table is empty");
}

/// The routes whose example needs one of the fields that may be left out: an id, a reason for what is held against
/// somebody.
const NEEDS_SOME: [&str; 2] = ["mark_notifications_read", "moderate_message"];

/// JSON Schema: `1.0` is an integer.
#[tokio::test]
async fn an_integer_may_be_written_with_a_fraction_of_nothing() {
    let fixture = Fixture::new().await;
    let mut seen = 0;
    for entry in with_body() {
        let body = fixture.body(&entry);
        for (name, value) in body.as_object().unwrap() {
            let Some(number) = value.as_u64() else { continue };
            seen += 1;
            for written in [format!("{number}.0"), format!("{number}0e-1")] {
                let mut body = body.clone();
                body[name] = json!("HERE");
                let text = body.to_string().replace(r#""HERE""#, &written);
                let request =
                    request(&fixture, &entry, entry.route.path).header("content-type", "application/json");
                let answer = fixture.ada.send(request.body(text)).await;
                assert_eq!(
                    answer.status, entry.route.success,
                    "{name} is {written}: {}",
                    answer.text
                );
            }
        }
    }
    assert!(seen > 1, "the table is empty");
}

/// The routes that take any of several fields and need none.
const NEEDS_NOTHING: [&str; 2] = ["mark_notifications_read", "update_mail"];

/// The schema of a body.
fn schema(entry: &AnyEndpoint) -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let schema = (entry.body)(&mut generator).to_value();
    match schema["$ref"].as_str() {
        Some(reference) => generator.definitions()[reference.rsplit('/').next().unwrap()].clone(),
        None => schema,
    }
}

/// The fields that a body may have, by its schema.
fn properties(entry: &AnyEndpoint) -> Vec<String> {
    schema(entry)["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.clone())
        .collect()
}

/// The fields that a body must have, by its schema.
fn required(entry: &AnyEndpoint) -> Vec<String> {
    let schema = schema(entry);
    let names = schema["required"].as_array().into_iter().flatten();
    names.map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// S1-N04
#[tokio::test]
async fn a_field_that_is_missing_is_named() {
    let fixture = Fixture::new().await;
    for entry in with_body() {
        let required = required(&entry);
        assert_eq!(
            required.is_empty(),
            NEEDS_NOTHING.contains(&entry.route.name),
            "{}",
            entry.route.name
        );
        for name in required {
            let mut body = fixture.body(&entry);
            body.as_object_mut().unwrap().remove(&name);
            let request = request(&fixture, &entry, entry.route.path).json(&body);
            fixture.ada.send(request).await.blames(&name, "missing");
        }
    }
}

/// S1-N04, S1-N06: every field with every type that is not its own.
#[tokio::test]
async fn a_field_of_a_wrong_type_is_named_and_not_quoted() {
    let fixture = Fixture::new().await;
    let values = [
        json!(null),
        json!(true),
        json!(-4.5),
        json!("text"),
        json!(["seen"]),
        json!({ "seen": 1 }),
    ];
    let kind = |value: &Value| std::mem::discriminant(value);
    for entry in with_body() {
        let required = required(&entry);
        for template in entry.route.paths() {
            let good = fixture.body(&entry);
            for (name, example) in good.as_object().unwrap() {
                for value in &values {
                    let may_be_null = value.is_null() && !required.contains(name);
                    if kind(value) == kind(example) || may_be_null {
                        continue;
                    }
                    let at = format!("{template}: {name} is {value}");
                    let mut body = good.clone();
                    body[name] = value.clone();
                    let answer = fixture
                        .ada
                        .send(request(&fixture, &entry, &template).json(&body))
                        .await;
                    let error = shape(&answer, 422, "VALIDATION_ERROR", &at)["error"].clone();
                    let details = &error["details"];
                    assert_eq!(
                        (&details["field"], &details["issue"]),
                        (&json!(name), &json!("wrong_type")),
                        "{at}"
                    );
                    assert!(details["value"].is_null(), "{at}: {error}");
                    assert!(
                        !error["message"].as_str().unwrap().contains("seen"),
                        "{at}: {error}"
                    );
                }
            }
        }
    }
}

/// S1-N04: a query is checked likewise.
#[tokio::test]
async fn a_parameter_of_a_wrong_type_is_named() {
    let fixture = Fixture::new().await;
    for entry in &routes() {
        for template in entry.route.paths() {
            let example = (entry.example)();
            let numbers = example.parameters.as_object().into_iter().flatten();
            for (name, _) in numbers.filter(|(_, example)| example.is_number()) {
                for value in [
                    "",
                    "x",
                    "1.5",
                    "-1",
                    "1e3",
                    "%31%00",
                    "99999999999999999999",
                    "true",
                ] {
                    let bare = fixture.path(entry, &template);
                    let bare = bare.split('?').next().unwrap();
                    let path = format!("{bare}?{name}={value}");
                    let request = fixture.ada.request(entry.route.method.as_str(), &path);
                    let answer = fixture.ada.send(request).await;
                    let body = shape(&answer, 422, "VALIDATION_ERROR", &path);
                    assert_eq!(body["error"]["details"]["field"], json!(name), "{path}");
                }
            }
        }
    }
}

/// Python writes its booleans in capitals, others as numbers.
#[tokio::test]
async fn a_boolean_of_a_query_may_be_written_in_several_ways() {
    let fixture = Fixture::new().await;
    let mut seen = 0;
    for entry in &routes() {
        for template in entry.route.paths() {
            let example = (entry.example)();
            let booleans = example.parameters.as_object().into_iter().flatten();
            for (name, _) in booleans.filter(|(_, example)| example.is_boolean()) {
                let bare = fixture.path(entry, &template);
                let bare = bare.split('?').next().unwrap();
                for (value, is_good) in [
                    ("True", true),
                    ("1", true),
                    ("False", true),
                    ("0", true),
                    ("2", false),
                    ("", false),
                ] {
                    let path = format!("{bare}?{name}={value}");
                    let answer = fixture
                        .ada
                        .send(fixture.ada.request(entry.route.method.as_str(), &path))
                        .await;
                    let status = if is_good { entry.route.success } else { 422 };
                    assert_eq!(answer.status, status, "{path}: {}", answer.text);
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 10, "the table is empty");
}
