//! The OpenAPI 3.1 document, generated from the list of functions alone.

pub(crate) mod errors;
pub mod named;
mod operation;
mod parameters;
mod prose;
pub(crate) mod schemas;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use shared::http::{AnyEndpoint, Tag};
use shared::lambda::{Function, Trigger};

use schemas::Schemas;

/// The document of every route of these functions.
pub fn document(functions: &[Function]) -> Value {
    let mut entries: Vec<&AnyEndpoint> = functions.iter().filter_map(route).collect();
    // By tag, then in the order in which people look for them, not in the order of the functions.
    entries.sort_by_key(|entry| (entry.route.tag, entry.route.path, entry.route.method));
    let mut schemas = Schemas::of_openapi();
    errors::schemas(&mut schemas);

    let mut paths = Map::new();
    let mut refusals = BTreeSet::new();
    for entry in &entries {
        let built = operation::build(entry, &mut schemas);
        refusals.extend(built.refusals);
        for (path, operation) in built.by_path {
            let item = paths.entry(path).or_insert_with(|| json!({}));
            if let Some(item) = item.as_object_mut() {
                if entry.methods().contains(&"HEAD") {
                    item.insert("head".to_owned(), operation::head(&operation));
                }
                item.insert(entry.route.method.as_str().to_ascii_lowercase(), operation);
            }
        }
    }
    named::add(&mut schemas);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tidings",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "A messaging API: conversations, mail, notifications and files.",
            "description": prose::front_page(),
            "license": { "name": "MIT or Apache 2.0", "identifier": "MIT OR Apache-2.0" }
        },
        "servers": [{ "url": "/", "description": "The server of this document." }],
        "tags": Tag::ALL.map(|tag| json!({ "name": tag.name(), "description": tag.description() })),
        "security": [{ "bearer": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas.into_components(),
            "responses": errors::responses(refusals),
            "headers": headers(),
            "securitySchemes": { "bearer": {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "JWT",
                "description": prose::BEARER
            } }
        }
    })
}

/// The route of a function, if it has one that is documented.
fn route(function: &Function) -> Option<&AnyEndpoint> {
    match &function.trigger {
        Trigger::Http(entry) if is_documented(entry) => Some(entry),
        Trigger::Http(_)
        | Trigger::Frame(_)
        | Trigger::Connection(_)
        | Trigger::Queue(_)
        | Trigger::Schedule(_) => None,
    }
}

/// Whether a route is documented: all but the one for unmatched requests.
pub fn is_documented(entry: &AnyEndpoint) -> bool {
    entry.route.path.starts_with('/')
}

fn headers() -> Value {
    let header = |description: &str, schema: Value, example: Value| json!({ "description": description, "schema": schema, "example": example });
    json!({
        "RequestId": header(
            "The id of the request. Quote it when you report a problem.",
            json!({ "type": "string" }),
            errors::REQUEST_ID.into(),
        ),
        "RateLimitLimit": header(
            "The number of requests allowed by the limit that is closest to being reached.",
            json!({ "type": "integer", "minimum": 1 }),
            100.into(),
        ),
        "RateLimitRemaining": header(
            "The number of requests left.",
            json!({ "type": "integer", "minimum": 0 }),
            97.into(),
        ),
        "RateLimitReset": header(
            "When the limit is fully reset, in seconds since 1970.",
            json!({ "type": "integer", "minimum": 0 }),
            1_768_473_060.into(),
        ),
        "IdempotencyReplayed": header(
            "`true` if the message had been sent before under the same `client_message_id`; otherwise absent.",
            json!({ "type": "string", "const": "true" }),
            "true".into(),
        ),
        "ETag": header(
            "The version of the resource, for `If-Match`.",
            json!({ "type": "string" }),
            "\"1\"".into(),
        ),
        "RetryAfter": header(
            "The number of seconds to wait before trying again.",
            json!({ "type": "integer", "minimum": 1 }),
            12.into(),
        ),
        "WwwAuthenticate": header("Always `Bearer`.", json!({ "type": "string" }), "Bearer".into())
    })
}
