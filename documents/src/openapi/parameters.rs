//! Parameters: each with a description and a schema, and with an example if the route has one.

use serde_json::{Value, json};
use shared::domain::text::ClientMessageId;
use shared::http::{AnyEndpoint, Example, Idempotency};

use super::schemas::{Schemas, never_null};

/// All parameters of an endpoint.
pub(crate) struct Parameters {
    /// In OpenAPI's format.
    pub(crate) list: Vec<Value>,
    /// Whether there are any in the path.
    pub(crate) in_path: bool,
    /// Whether there are any in the query.
    pub(crate) in_query: bool,
    /// Whether there is a cursor.
    pub(crate) has_cursor: bool,
}

/// The parameters of an endpoint.
pub(crate) fn of(entry: &AnyEndpoint, example: &Example, schemas: &mut Schemas) -> Parameters {
    let name = entry.route.name;
    let path = schemas.parameters(name, entry.path);
    let query = schemas.parameters(name, entry.query);
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
    if entry.route.is_conditional() {
        found.list.push(json!({
            "name": "If-Match",
            "in": "header",
            "required": false,
            "description": "The `ETag`s of the versions that the request applies to, or `*` for any; otherwise 412.",
            "schema": { "type": "string" }
        }));
        found.list.push(json!({
            "name": "If-None-Match",
            "in": "header",
            "required": false,
            "description": "The `ETag`s of the versions that the request does not apply to, or `*` for all: 304 for \
                            GET, otherwise 412.",
            "schema": { "type": "string" }
        }));
    }
    found
}

/// The header `Idempotency-Key`, if the route accepts it.
fn key(entry: &AnyEndpoint, example: &Example) -> Option<Value> {
    let description = match entry.route.idempotency {
        Idempotency::OfMethod | Idempotency::Refused => return None,
        Idempotency::Harmless => "Accepted and ignored: repeating the request is harmless.".to_owned(),
        Idempotency::Taken => {
            let fields = ["client_message_id", "client_reference"];
            let field = fields.into_iter().find(|field| example.body.get(field).is_some());
            let beside = field.map_or_else(String::new, |field| {
                format!(" The same as `{field}` in the body; if both are given they must be equal.")
            });
            let text = "Repeating a request with the same key creates nothing again; the response is the first result \
                        in its current state. The same key with other content is 422. The header is a single line \
                        without commas.";
            format!("{text}{beside}")
        }
    };
    Some(json!({
        "name": "Idempotency-Key",
        "in": "header",
        "required": false,
        "description": description,
        "schema": {
            "type": "string", "minLength": 1, "maxLength": ClientMessageId::MAX_LENGTH, "pattern": "^[!-+\\--~]+$"
        }
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
        // A parameter is present or absent; a query cannot contain null.
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
        let mut written = json!({
            "name": name,
            "in": place,
            "required": place == "path" || required.contains(&name.as_str()),
            "description": description,
            "schema": schema
        });
        // "Try it out" sends all examples together. So only the route's own examples are included, which are
        // consistent, and none for values from the server, such as cursors.
        if let (Some(fields), Some(value)) = (written.as_object_mut(), example.parameters.get(name)) {
            fields.insert("example".to_owned(), value.clone());
        }
        written
    };
    properties.into_iter().flatten().map(parameter).collect()
}

fn take_description(schema: &mut Value) -> Option<Value> {
    schema.as_object_mut()?.shift_remove("description")
}
