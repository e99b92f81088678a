//! The documents are valid and complete, and their examples true.

mod clients;
mod shapes;
mod trying;

use std::collections::BTreeSet;

use documents::{asyncapi, openapi};
use harness::validator::{Validator, compile};
use serde_json::{Value, json};
use shared::domain::frame::Frame;
use shared::lambda::Trigger;

/// The routes that need no token. Adding one is a decision.
const PUBLIC: [&str; 10] = [
    "get_asyncapi",
    "get_conversations_health",
    "get_docs",
    "get_docs_asset",
    "get_health",
    "get_openapi",
    "get_readiness",
    "get_redoc",
    "get_redoc_asset",
    "get_ws_health",
];

fn openapi_document() -> Value {
    openapi::document(&harness::functions())
}

fn asyncapi_document() -> Value {
    asyncapi::document(&harness::functions())
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

fn list<'a>(value: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    value[field].as_array().into_iter().flatten()
}

fn fields<'a>(value: &'a Value, field: &str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    value[field]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.as_str(), value))
}

/// Every operation with its path and method.
fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let of_path = |(path, _)| {
        fields(&document["paths"], path).map(move |(method, operation)| (path, method, operation))
    };
    fields(document, "paths").flat_map(of_path).collect()
}

/// Every reference within.
fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(object) => {
            found.extend(object.get("$ref").and_then(Value::as_str));
            object.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(reference) => document
            .pointer(reference.trim_start_matches('#'))
            .unwrap_or(&Value::Null),
        None => value,
    }
}

/// Fails unless the example is one of the schema.
fn check_example(document: &Value, at: &str, schema: &Value, example: &Value) {
    let validator = compile(document, schema).unwrap_or_else(|error| panic!("{at}: {error}"));
    let problems: Vec<String> = validator
        .iter_errors(example)
        .map(|error| format!("{error} at {}", error.instance_path()))
        .collect();
    assert!(problems.is_empty(), "{at}: {problems:?}\n{example:#}");
}

/// Fails unless every media type has a schema and examples of it.
fn check_content(document: &Value, at: &str, body: &Value) {
    for (media_type, content) in fields(body, "content") {
        let at = format!("{at} as {media_type}");
        assert!(!content["schema"].is_null(), "{at}: there is no schema");
        let one = content.get("example").filter(|example| !example.is_null());
        let examples: Vec<&Value> = one
            .into_iter()
            .chain(fields(content, "examples").map(|(_, example)| &example["value"]))
            .collect();
        assert!(!examples.is_empty(), "{at}: there is no example");
        for example in examples {
            check_example(document, &at, &content["schema"], example);
        }
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_component_is_used() {
    for document in [openapi_document(), asyncapi_document()] {
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        for reference in &found {
            let target = reference
                .strip_prefix('#')
                .and_then(|pointer| document.pointer(pointer));
            assert!(target.is_some(), "{reference} leads nowhere");
        }
        for (kind, _) in fields(&document, "components").filter(|(kind, _)| *kind != "securitySchemes") {
            for (name, _) in fields(&document["components"], kind) {
                let pointer = format!("#/components/{kind}/{name}");
                if openapi::named::NAMES.contains(&name) {
                    continue;
                }
                assert!(found.contains(pointer.as_str()), "{pointer} is used nowhere");
            }
        }
    }
}

#[test]
fn every_route_is_documented_once_under_each_of_its_paths() {
    let document = openapi_document();
    let mut documented: Vec<(String, String)> = operations(&document)
        .iter()
        .map(|(path, method, _)| (method.to_ascii_uppercase(), (*path).to_owned()))
        .collect();
    let mut declared = Vec::new();
    for function in harness::functions() {
        if let Trigger::Http(entry) = &function.trigger
            && entry.route.path != "$default"
        {
            for path in entry.route.paths() {
                let methods = entry.methods().into_iter();
                declared.extend(methods.map(|method| (method.to_owned(), path.clone())));
            }
        }
    }
    documented.sort();
    declared.sort();
    assert_eq!(documented, declared);

    let names: Vec<&str> = operations(&document)
        .iter()
        .map(|(_, _, operation)| text(operation, "operationId"))
        .collect();
    assert_eq!(
        names.iter().collect::<BTreeSet<_>>().len(),
        names.len(),
        "{names:?}"
    );
}

#[test]
fn every_parameter_is_declared_and_explained() {
    let document = openapi_document();
    for (path, _, operation) in operations(&document) {
        let at = text(operation, "operationId");
        let in_template: BTreeSet<&str> = path
            .split('/')
            .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
            .collect();
        let in_path = list(operation, "parameters").filter(|parameter| parameter["in"] == "path");
        assert_eq!(
            in_path
                .map(|parameter| text(parameter, "name"))
                .collect::<BTreeSet<_>>(),
            in_template,
            "{at}"
        );

        let mut names = BTreeSet::new();
        for parameter in list(operation, "parameters") {
            let at = format!("{at}, parameter {}", text(parameter, "name"));
            assert!(
                names.insert((text(parameter, "in"), text(parameter, "name"))),
                "{at}: it is there twice"
            );
            assert!(
                !text(parameter, "description").is_empty(),
                "{at}: there is no description"
            );
            assert!(
                parameter["in"] != "path" || parameter["required"] == true,
                "{at}: it must be required"
            );
            // One that may be left out is, unless the route has an example of it: they are sent together.
            if parameter["required"] == true || parameter.get("example").is_some() {
                check_example(&document, &at, &parameter["schema"], &parameter["example"]);
            }
            let is_given_by_the_server = matches!(text(parameter, "name"), "cursor" | "after");
            assert!(
                !is_given_by_the_server || parameter.get("example").is_none(),
                "{at}: it is made up"
            );
        }
    }
}

#[test]
fn every_operation_explains_itself_and_its_examples_are_true() {
    let document = openapi_document();
    let tags: BTreeSet<&str> = list(&document, "tags").map(|tag| text(tag, "name")).collect();
    for (path, method, operation) in operations(&document) {
        let name = text(operation, "operationId");
        assert!(
            !text(operation, "summary").is_empty(),
            "{name}: there is no summary"
        );
        assert!(
            !text(operation, "description").is_empty(),
            "{name}: there is no description"
        );
        assert!(
            list(operation, "tags").all(|tag| tags.contains(tag.as_str().unwrap())),
            "{name}: an unknown tag"
        );
        check_content(&document, &format!("{name}, request"), &operation["requestBody"]);
        for (status, response) in fields(operation, "responses") {
            let response = resolve(&document, response);
            let at = format!("{name}, {status}");
            assert!(
                !text(response, "description").is_empty(),
                "{at}: there is no description"
            );
            assert!(
                !response["headers"]["X-Request-Id"].is_null(),
                "{at}: X-Request-Id is not declared"
            );
            if method != "head" {
                assert_eq!(
                    response["content"].is_null(),
                    matches!(status, "204" | "304"),
                    "{at}: a body or none"
                );
            }
            check_content(&document, &at, response);
        }
        let success = fields(operation, "responses").find(|(status, _)| status.starts_with('2'));
        let example = &success.unwrap().1["content"]["application/json"]["example"];
        let is_enveloped = ["success", "data", "error"]
            .iter()
            .all(|part| example.get(part).is_some());
        assert_eq!(
            is_enveloped,
            path.starts_with("/api/v1/") && name != "delete_message_v1" && method != "head",
            "{name}: the envelope"
        );
    }
}

#[test]
fn a_token_is_needed_but_for_a_few_routes() {
    let document = openapi_document();
    assert_eq!(document["security"], json!([{ "bearer": [] }]));
    let mut public = BTreeSet::new();
    for (_, _, operation) in operations(&document) {
        // HEAD is what GET is, and the other path what the first is.
        let name = text(operation, "operationId").trim_end_matches("_head");
        let name = name.trim_end_matches("_v1");
        assert!(
            operation["security"].is_null() || operation["security"] == json!([]),
            "{name}"
        );
        let responses = &operation["responses"];
        assert_eq!(
            responses["401"].is_null(),
            operation["security"] == json!([]),
            "{name}: 401"
        );
        assert_eq!(
            responses["429"].is_null(),
            responses["401"].is_null(),
            "{name}: 429"
        );
        if operation["security"] == json!([]) {
            public.insert(name);
        }
    }
    assert_eq!(public, BTreeSet::from(PUBLIC));
}

#[test]
fn an_answer_is_held_against_its_own_operation() {
    let document = openapi_document();
    let validator = Validator::new(&document);
    let id = "11111111-1111-4111-8111-111111111111";
    let health = json!({ "status": "ok", "service": "conversations" });
    validator
        .check("GET", "/api/conversations/health", 200, Some(&health))
        .unwrap();
    let enveloped = json!({ "success": true, "data": health, "error": null });
    validator
        .check("GET", "/api/v1/conversations/health/", 200, Some(&enveloped))
        .unwrap();
    validator
        .check(
            "DELETE",
            &format!("/api/conversations/{id}/messages/{id}"),
            204,
            None,
        )
        .unwrap();
    validator.check("GET", "/docs", 200, None).unwrap();

    let not_found = &document["components"]["responses"]["NotFound"];
    let not_found = &not_found["content"]["application/json"]["examples"]["not_found"]["value"];
    validator.check("GET", "/nowhere", 404, Some(not_found)).unwrap();
    validator
        .check("GET", &format!("/api/conversations/{id}"), 404, Some(not_found))
        .unwrap();

    let wrong = [
        ("GET", "/api/v1/conversations/health", 200, Some(&health)),
        ("GET", "/api/conversations/health", 200, None),
        ("GET", "/api/conversations/health", 418, Some(&health)),
        ("GET", "/api/conversations/x", 200, Some(&health)),
        ("PUT", "/api/conversations/health", 200, Some(&health)),
        ("GET", "/nowhere", 404, Some(&health)),
        ("GET", "/nowhere", 200, None),
    ];
    for (method, path, status, body) in wrong {
        assert!(
            validator.check(method, path, status, body).is_err(),
            "{method} {path} {status}"
        );
    }
}

#[test]
fn every_message_of_the_socket_has_a_schema_and_true_examples() {
    let document = asyncapi_document();
    for (name, message) in fields(&document["components"], "messages") {
        for field in ["name", "title", "summary", "description"] {
            assert!(!text(message, field).is_empty(), "{name}: there is no {field}");
        }
        assert!(message["payload"].is_object(), "{name}: there is no schema");
        assert!(
            list(message, "examples").count() > 0,
            "{name}: there is no example"
        );
        for example in list(message, "examples") {
            check_example(&document, name, &message["payload"], &example["payload"]);
        }
        // What is one message is no other one.
        let wrong = json!({ "type": "wrong" });
        assert!(
            !compile(&document, &message["payload"]).unwrap().is_valid(&wrong),
            "{name}"
        );
    }
}

#[test]
fn every_frame_that_there_is_is_a_message_of_the_socket() {
    let document = asyncapi_document();
    let messages = &document["components"]["messages"];
    let schema = schemars::generate::SchemaSettings::default()
        .for_serialize()
        .into_generator();
    let schema = schema.into_root_schema_for::<Frame>().to_value();
    let variants = list(&schema, "anyOf").chain(list(&schema, "oneOf"));
    let types: Vec<&str> = variants
        .filter_map(|variant| variant["properties"]["type"]["const"].as_str())
        .collect();
    assert!(types.contains(&"new_message"), "{schema:#}");
    for frame_type in types {
        assert!(
            messages[format!("server_{frame_type}")].is_object(),
            "{frame_type} is missing"
        );
    }
    assert!(messages["server_truncated"].is_object());
    assert!(messages["client_ping"].is_object());
    for function in harness::functions() {
        if let Trigger::Frame(entry) = &function.trigger {
            let is_message = messages[format!("client_{}", entry.key)].is_object();
            assert_eq!(is_message, entry.key != "$default", "{}", entry.key);
        }
    }
    for (name, operation) in fields(&document, "operations") {
        let expected = if name.starts_with("receive_") {
            "receive"
        } else {
            "send"
        };
        assert_eq!(operation["action"], expected, "{name}");
    }
}
