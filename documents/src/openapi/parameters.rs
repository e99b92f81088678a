//! Parameters: each with a description, a schema and an example.

use serde_json::{Value, json};
use shared::domain::text::ClientMessageId;
use shared::http::{Entry, Example, Idempotency};

use super::operation::is_conditional;
use super::schemas::{Schemas, never_null};

/// What a cursor or a token may look like; nobody reads one.
const OPAQUE: &str = "kR2vQ9x0TzWm4bJc8LpYd1";

/// Every parameter of an endpoint, and whether the query takes any, and whether one of them is a cursor.
pub(crate) struct Parameters {
    /// As OpenAPI writes them.
    pub(crate) list: Vec<Value>,
    /// Whether there are any in the path.
    pub(crate) in_path: bool,
    /// Whether there are any in the query.
    pub(crate) in_query: bool,
    /// Whether one says where to go on.
    pub(crate) has_cursor: bool,
}

/// The parameters of an endpoint.
pub(crate) fn of(entry: &Entry, example: &Example, schemas: &mut Schemas) -> Parameters {
    let name = entry.route.name;
    let path = schemas.inline_input(name, entry.path);
    let query = schemas.inline_input(name, entry.query);
    let in_path = parameters(example, schemas, "path", &path);
    let in_query = parameters(example, schemas, "query", &query);
    let is_cursor = |parameter: &Value| {
        parameter
            .get("name")
            .and_then(Value::as_str)
            .is_some_and(|name| matches!(name, "cursor" | "after" | "page"))
    };
    let mut found = Parameters {
        in_path: !in_path.is_empty(),
        in_query: !in_query.is_empty(),
        has_cursor: in_query.iter().any(is_cursor),
        list: [in_path, in_query].concat(),
    };
    found.list.extend(key(entry, example));
    if is_conditional(&entry.route) {
        found.list.push(json!({
            "name": "If-Match",
            "in": "header",
            "required": false,
            "description": "The `ETag`s of the versions that the request is meant for, or `*` for any; else 412.",
            "schema": { "type": "string" },
            "example": "\"2\""
        }));
        found.list.push(json!({
            "name": "If-None-Match",
            "in": "header",
            "required": false,
            "description": "The `ETag`s of the versions that the request is not meant for, or `*` for all: 304 for a \
                            GET, else 412.",
            "schema": { "type": "string" },
            "example": "\"1\""
        }));
    }
    found
}

/// The header `Idempotency-Key`, where it may be there.
fn key(entry: &Entry, example: &Example) -> Option<Value> {
    let (field, description) = match entry.route.idempotency {
        Idempotency::OfMethod | Idempotency::Refused => return None,
        Idempotency::Harmless => (
            None,
            "Changes nothing: a repeat is harmless by itself.".to_owned(),
        ),
        Idempotency::Taken => {
            let fields = ["client_message_id", "client_reference"];
            let field = fields.into_iter().find(|field| example.body.get(field).is_some());
            let beside = field.map_or_else(String::new, |field| {
                format!(" The same as `{field}` in the body; where both are given they must agree.")
            });
            let text = "Under one key one thing is made, however often the request is sent; the first answer comes \
                        back, as it is now. The same key with other content is 422. One header line, without a comma.";
            (field, format!("{text}{beside}"))
        }
    };
    let own = field.and_then(|field| example.body.get(field)).cloned();
    Some(json!({
        "name": "Idempotency-Key",
        "in": "header",
        "required": false,
        "description": description,
        "schema": {
            "type": "string", "minLength": 1, "maxLength": ClientMessageId::MAX_LENGTH, "pattern": "^[!-+\\--~]+$"
        },
        "example": own.unwrap_or_else(|| OPAQUE.into())
    }))
}

fn parameters(example: &Example, schemas: &Schemas, place: &str, object: &Value) -> Vec<Value> {
    let required: Vec<&str> = object
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let properties = object.get("properties").and_then(Value::as_object);
    let parameter = |(name, property): (&String, &Value)| {
        let mut schema = property.clone();
        // A parameter is there or is not; null is nothing that a query can say.
        never_null(&mut schema);
        let description = take_description(&mut schema);
        if let Some(only) = schema
            .pointer("/allOf/0")
            .filter(|only| only.get("$ref").is_some())
        {
            schema = only.clone();
        }
        let description = description
            .or_else(|| schemas.resolve(&schema).get("description").cloned())
            .unwrap_or_default();
        let value = example.parameters.get(name).cloned();
        let value = value
            .or_else(|| fallback(name, schemas.resolve(&schema)))
            .unwrap_or_default();
        json!({
            "name": name,
            "in": place,
            "required": place == "path" || required.contains(&name.as_str()),
            "description": description,
            "schema": schema,
            "example": value
        })
    };
    properties.into_iter().flatten().map(parameter).collect()
}

fn take_description(schema: &mut Value) -> Option<Value> {
    schema.as_object_mut()?.shift_remove("description")
}

/// An example for a parameter that the route's own example leaves out.
fn fallback(name: &str, schema: &Value) -> Option<Value> {
    if matches!(name, "cursor" | "after") {
        return Some(OPAQUE.into());
    }
    let first = |list: &str| schema.get(list).and_then(|values| values.get(0));
    let value = schema
        .get("default")
        .or_else(|| first("examples"))
        .or_else(|| first("enum"));
    value.or_else(|| schema.get("minimum")).cloned().or_else(|| {
        match schema.get("type").and_then(Value::as_str) {
            Some("boolean") => Some(false.into()),
            _ => None,
        }
    })
}
