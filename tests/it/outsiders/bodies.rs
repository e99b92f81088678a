//! What is refused: bodies that are no JSON object, too large, undeclared or of wrong types.

use schemars::generate::SchemaSettings;
use serde_json::{Value, json};
use shared::http::Entry;

use super::{Stage, routes, shape};

/// The most that a body may hold (contract §1).
const LIMIT: usize = 256 * 1024;

fn with_body() -> Vec<Entry> {
    let entries: Vec<Entry> = routes()
        .into_iter()
        .filter(|entry| !entry.example.body.is_null())
        .collect();
    assert!(entries.len() >= 3, "the table is empty");
    entries
}

fn request(stage: &Stage, entry: &Entry, template: &str) -> reqwest::RequestBuilder {
    stage
        .ada
        .request(entry.route.method.as_str(), &stage.path(entry, template))
}

/// S1-N04, S1-N06
#[tokio::test]
async fn what_is_no_json_object_is_malformed() {
    let stage = Stage::set().await;
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
                let request = request(&stage, &entry, &template);
                let request = request
                    .header("content-type", "application/json")
                    .body(body.to_vec());
                shape(&stage.ada.send(request).await, 400, "MALFORMED_REQUEST", &at);
            }
        }
    }
}

/// S1-N04: neither recursion nor repetition brings a function down.
#[tokio::test]
async fn what_is_nested_without_end_is_malformed() {
    let stage = Stage::set().await;
    for entry in with_body() {
        let deep = format!("{{\"x\":{}", "[".repeat(100_000));
        let request = request(&stage, &entry, entry.route.path);
        let request = request.header("content-type", "application/json").body(deep);
        shape(
            &stage.ada.send(request).await,
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

/// Contract §1 *413*
#[tokio::test]
async fn a_body_may_hold_256_kib_and_no_byte_more() {
    let stage = Stage::set().await;
    for entry in with_body() {
        for template in entry.route.paths() {
            let request = |body: String| {
                request(&stage, &entry, &template)
                    .header("content-type", "application/json")
                    .body(body)
            };
            let body = stage.body(&entry);
            let answer = stage.ada.send(request(padded(&body, LIMIT))).await;
            assert_eq!(answer.status, entry.route.success, "{template}: {}", answer.text);
            let answer = stage.ada.send(request(padded(&body, LIMIT + 1))).await;
            shape(&answer, 413, "PAYLOAD_TOO_LARGE", &template);
        }
    }
}

/// Contract §1 *415*
#[tokio::test]
async fn a_body_that_is_declared_as_something_else_is_unsupported() {
    let stage = Stage::set().await;
    for entry in with_body() {
        for template in entry.route.paths() {
            let body = stage.body(&entry).to_string();
            for media_type in [
                "text/plain",
                "application/x-www-form-urlencoded",
                "multipart/form-data; boundary=x",
            ] {
                let request = request(&stage, &entry, &template);
                let request = request.header("content-type", media_type).body(body.clone());
                shape(
                    &stage.ada.send(request).await,
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
                let request = request(&stage, &entry, &template);
                let request = request.header("content-type", media_type).body(body.clone());
                let answer = stage.ada.send(request).await;
                assert_eq!(
                    answer.status, entry.route.success,
                    "{template}: {media_type}: {}",
                    answer.text
                );
            }
        }
    }
}

/// The routes that take any of several fields and need none.
const NEEDS_NOTHING: [&str; 2] = ["mark_notifications_read", "update_mail"];

/// The fields that a body must have, by its schema.
fn required(entry: &Entry) -> Vec<String> {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let schema = (entry.body)(&mut generator).to_value();
    let schema = match schema["$ref"].as_str() {
        Some(reference) => generator.definitions()[reference.rsplit('/').next().unwrap()].clone(),
        None => schema,
    };
    let names = schema["required"].as_array().into_iter().flatten();
    names.map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// S1-N04
#[tokio::test]
async fn a_field_that_is_missing_is_named() {
    let stage = Stage::set().await;
    for entry in with_body() {
        let required = required(&entry);
        assert_eq!(
            required.is_empty(),
            NEEDS_NOTHING.contains(&entry.route.name),
            "{}",
            entry.route.name
        );
        for name in required {
            let mut body = stage.body(&entry);
            body.as_object_mut().unwrap().remove(&name);
            let request = request(&stage, &entry, entry.route.path).json(&body);
            stage.ada.send(request).await.blames(&name, "missing");
        }
    }
}

/// S1-N04, S1-N06: every field with every type that is not its own.
#[tokio::test]
async fn a_field_of_a_wrong_type_is_named_and_not_quoted() {
    let stage = Stage::set().await;
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
            let good = stage.body(&entry);
            for (name, example) in good.as_object().unwrap() {
                for value in &values {
                    let may_be_null = value.is_null() && !required.contains(name);
                    if kind(value) == kind(example) || may_be_null {
                        continue;
                    }
                    let at = format!("{template}: {name} is {value}");
                    let mut body = good.clone();
                    body[name] = value.clone();
                    let answer = stage
                        .ada
                        .send(request(&stage, &entry, &template).json(&body))
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
    let stage = Stage::set().await;
    for entry in &routes() {
        for template in entry.route.paths() {
            let numbers = entry.example.parameters.as_object().into_iter().flatten();
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
                    let bare = stage.path(entry, &template);
                    let bare = bare.split('?').next().unwrap();
                    let path = format!("{bare}?{name}={value}");
                    let request = stage.ada.request(entry.route.method.as_str(), &path);
                    let answer = stage.ada.send(request).await;
                    let body = shape(&answer, 422, "VALIDATION_ERROR", &path);
                    assert_eq!(body["error"]["details"]["field"], json!(name), "{path}");
                }
            }
        }
    }
}
