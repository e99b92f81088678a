//! Shapes that generators of typed clients understand.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{asyncapi_document, fields, list, openapi_document, operations, resolve, text};

/// The components of both documents, each with the document that it is of.
fn components() -> Vec<(Value, Vec<(String, Value)>)> {
    let of = |document: Value| {
        let components = fields(&document["components"], "schemas");
        let components = components.map(|(name, schema)| (name.to_owned(), schema.clone()));
        let components = components.collect();
        (document, components)
    };
    vec![of(openapi_document()), of(asyncapi_document())]
}

/// Every schema within another, with the way to it. What stands under `properties` has names of its own choice.
fn nested<'a>(at: &str, schema: &'a Value, found: &mut Vec<(String, &'a Value)>) {
    for (name, property) in fields(schema, "properties") {
        found.push((format!("{at}.{name}"), property));
        nested(&format!("{at}.{name}"), property, found);
    }
    for choices in ["oneOf", "anyOf", "allOf"] {
        for (number, choice) in list(schema, choices).enumerate() {
            found.push((format!("{at}.{number}"), choice));
            nested(&format!("{at}.{number}"), choice, found);
        }
    }
    for item in ["items", "additionalProperties"] {
        if schema[item].is_object() {
            found.push((format!("{at}[]"), &schema[item]));
            nested(&format!("{at}[]"), &schema[item], found);
        }
    }
}

/// Generators name a type by its title, and spell it their own way: `message_status` and `MessageStatus` are one.
#[test]
fn every_schema_has_a_title_that_no_other_has() {
    for (_, components) in components() {
        let mut titles = BTreeSet::new();
        for (name, schema) in &components {
            assert_eq!(text(schema, "title"), name);
            let spelled = name.replace('_', "").to_lowercase();
            assert!(
                titles.insert(spelled),
                "{name}: another one is called almost the same"
            );
        }
    }
}

/// To what has no name a generator gives one such as `AnonymousSchema_12`.
#[test]
fn no_object_and_no_choice_of_words_is_without_a_name() {
    for (document, components) in components() {
        for (name, schema) in &components {
            let mut found = Vec::new();
            nested(name, schema, &mut found);
            for (at, schema) in found {
                assert!(schema["properties"].is_null(), "{at}: an object without a name");
                assert!(schema["enum"].is_null(), "{at}: a choice of words without a name");
            }
        }
        for (_, _, operation) in operations(&document) {
            let answers = fields(operation, "responses").map(|(_, response)| resolve(&document, response));
            for body in answers.chain([&operation["requestBody"]]) {
                let schema = &body["content"]["application/json"]["schema"];
                let is_named = schema["properties"].is_null() && schema["enum"].is_null();
                assert!(is_named, "{}: {schema:#}", text(operation, "operationId"));
            }
        }
        for (name, message) in fields(&document["components"], "messages") {
            assert!(message["payload"]["$ref"].is_string(), "{name}");
        }
    }
}

#[test]
fn every_schema_of_the_socket_has_an_id_of_its_own() {
    let document = asyncapi_document();
    let mut ids = BTreeSet::new();
    for (name, schema) in fields(&document["components"], "schemas") {
        let id = text(schema, "$id");
        assert!(!id.is_empty() && ids.insert(id), "{name}: {id:?}");
    }
}

/// A member whose tag can be any text makes every other one possible for each tag, and TypeScript tell none apart.
#[test]
fn a_choice_by_tag_has_no_open_member() {
    let mut choices = 0;
    for (document, components) in components() {
        for (name, schema) in components
            .iter()
            .filter(|(_, schema)| schema["discriminator"].is_object())
        {
            choices += 1;
            let field = text(&schema["discriminator"], "propertyName");
            let mut tags = BTreeSet::new();
            for member in list(schema, "oneOf") {
                let target = resolve(&document, member);
                let tag = target["properties"][field]["const"].as_str();
                let tag = tag.unwrap_or_else(|| panic!("{name}: {member} is open"));
                assert!(
                    list(target, "required").any(|required| required == field),
                    "{name}: {tag}"
                );
                assert!(tags.insert(tag), "{name}: two members are {tag}");
                assert_eq!(
                    schema["discriminator"]["mapping"][tag], member["$ref"],
                    "{name}: {tag}"
                );
            }
            let mapped = fields(&schema["discriminator"], "mapping").count();
            assert_eq!(mapped, tags.len(), "{name}");
        }
    }
    assert!(choices >= 3, "events, mail and notifications are such choices");
    let truncated = &asyncapi_document()["components"]["schemas"]["Truncated"];
    assert_eq!(truncated["properties"]["truncated"]["const"], true);
}

/// openapi-typescript takes a field with a default for one that is always there, in requests too.
#[test]
fn no_schema_has_a_default() {
    for (_, components) in components() {
        for (name, schema) in &components {
            let mut found = vec![(name.clone(), schema)];
            nested(name, schema, &mut found);
            for (at, schema) in found {
                assert!(schema.get("default").is_none(), "{at}: say it in the description");
            }
        }
    }
    let body = &openapi_document()["components"]["schemas"]["SendMessageBody"]["properties"]["content_type"];
    assert!(
        text(body, "description").ends_with("Defaults to `text`."),
        "{body:#}"
    );
}
