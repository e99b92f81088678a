//! The documentation page's "Try it out": it sends all examples of an operation together.

use harness::World;
use serde_json::Value;

use super::{fields, list, openapi_document, operations, text};

/// A value as it stands in a path or a query.
fn written(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[tokio::test]
async fn the_examples_of_every_operation_are_accepted_together() {
    let world = World::start().await;
    let root = world.with_roles("root", &["super_admin"]).await;
    let document = openapi_document();
    let mut tried = 0;
    for (path, method, operation) in operations(&document) {
        let mut filled = path.to_owned();
        let mut query = Vec::new();
        let mut headers = Vec::new();
        for parameter in list(operation, "parameters") {
            let name = text(parameter, "name");
            let Some(example) = parameter.get("example") else {
                assert_ne!(
                    parameter["required"], true,
                    "{method} {path}: {name} has no example"
                );
                continue;
            };
            match text(parameter, "in") {
                "path" => filled = filled.replace(&format!("{{{name}}}"), &written(example)),
                "query" => query.push((name, written(example))),
                _ => headers.push((name, written(example))),
            }
        }
        let mut request = root.request(&method.to_uppercase(), &filled).query(&query);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        if let Some((_, content)) = fields(&operation["requestBody"], "content").next() {
            request = request.json(&content["example"]);
        }
        let answer = root.send(request).await;
        // What the examples speak of need not exist in an empty world.
        let is_accepted = answer.status < 400 || matches!(answer.status, 402 | 404);
        assert!(is_accepted, "{method} {path}: {} {}", answer.status, answer.text);
        tried += 1;
    }
    assert!(tried > 60, "{tried}");
}
