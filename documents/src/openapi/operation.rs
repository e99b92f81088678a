//! One operation per route and path.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use shared::http::{AnyEndpoint, Idempotency, Method, Route};

use super::errors::{self, header};
use super::parameters::{self, Parameters};
use super::prose;
use super::schemas::{Schemas, pascal};

/// The body of a successful response: its schema, if any, and an example.
type Output<'a> = (Option<&'a Value>, &'a Value);

/// The operations of a route.
pub(super) struct Built {
    /// One per path.
    pub(super) by_path: Vec<(String, Value)>,
    /// The error statuses.
    pub(super) refusals: BTreeSet<u16>,
}

/// Generates the operations of a route.
pub(super) fn build(entry: &AnyEndpoint, schemas: &mut Schemas) -> Built {
    let route = &entry.route;
    let example = (entry.example)();
    let parameters = parameters::of(entry, &example, schemas);
    let body = schemas.input(route.name, entry.body);
    let output = schemas.output(route.name, entry.output);
    let refusals = refusals(entry, &parameters, body.is_some());
    let enveloped = output.as_ref().filter(|_| !is_file(&example.answer));
    let is_enveloped = route.paths().iter().any(|path| Route::is_enveloped(path));
    let enveloped = enveloped
        .filter(|_| is_enveloped)
        .map(|data| envelope(route, data, schemas));
    let of_path = |path: &str| match &enveloped {
        Some(envelope) if Route::is_enveloped(path) => Some(envelope),
        _ => output.as_ref(),
    };
    let operation = |path: String| {
        let is_alias = path != route.path;
        let mut operation = Map::new();
        operation.insert("operationId".to_owned(), operation_id(route, is_alias).into());
        operation.insert("tags".to_owned(), json!([route.tag.name()]));
        operation.insert("summary".to_owned(), summary(route, is_alias).into());
        operation.insert(
            "description".to_owned(),
            prose::operation(entry, &path, output.is_some()).into(),
        );
        if entry.is_public {
            operation.insert("security".to_owned(), json!([]));
        }
        if !parameters.list.is_empty() {
            operation.insert("parameters".to_owned(), parameters.list.clone().into());
        }
        if let Some(schema) = &body {
            // Parameters that may be in the query are in the body under the same names.
            let body = match &example.body {
                Value::Null => &example.parameters,
                body => body,
            };
            let content = json!({ "schema": schema, "example": body });
            let is_required = !route.is_body_optional;
            let body = json!({ "required": is_required, "content": { "application/json": content } });
            operation.insert("requestBody".to_owned(), body);
        }
        operation.insert(
            "responses".to_owned(),
            responses(entry, &path, (of_path(&path), &example.answer), &refusals),
        );
        (path, Value::Object(operation))
    };
    Built {
        by_path: route.paths().into_iter().map(operation).collect(),
        refusals,
    }
}

/// The same operation for HEAD: the status and the headers, without a body.
pub(super) fn head(operation: &Value) -> Value {
    let mut head = operation.clone();
    let text = |name: &str| operation.get(name).and_then(Value::as_str).unwrap_or_default();
    let changed = [
        ("operationId", format!("{}_head", text("operationId"))),
        ("summary", format!("{} (headers only)", text("summary"))),
    ];
    for (name, value) in changed {
        if let Some(field) = head.get_mut(name) {
            *field = value.into();
        }
    }
    let responses = head.get_mut("responses").and_then(Value::as_object_mut);
    for (_, response) in responses.into_iter().flatten() {
        if let Some(response) = response.as_object_mut() {
            response.shift_remove("content");
        }
    }
    head
}

fn operation_id(route: &Route, is_alias: bool) -> String {
    if is_alias {
        format!("{}_v1", route.name)
    } else {
        route.name.to_owned()
    }
}

fn summary(route: &Route, is_alias: bool) -> String {
    if is_alias {
        format!("{} (v1)", route.summary)
    } else {
        route.summary.to_owned()
    }
}

/// The error statuses of a route.
fn refusals(entry: &AnyEndpoint, parameters: &Parameters, has_body: bool) -> BTreeSet<u16> {
    let mut statuses = BTreeSet::from([500, 503]);
    if !entry.is_public {
        statuses.extend([401, 429]);
    }
    if entry.route.needs.is_some() {
        statuses.insert(403);
    }
    if entry.route.is_conditional() {
        statuses.insert(412);
    }
    if entry.route.idempotency != Idempotency::OfMethod {
        statuses.insert(422);
    }
    if parameters.in_path {
        statuses.insert(404);
    }
    if has_body {
        statuses.extend([400, 413, 415, 422]);
    }
    if parameters.in_query {
        statuses.insert(422);
    }
    if parameters.has_cursor {
        statuses.insert(400);
    }
    statuses.extend(entry.route.refusals);
    statuses
}

fn responses(entry: &AnyEndpoint, path: &str, output: Output<'_>, refusals: &BTreeSet<u16>) -> Value {
    let route = &entry.route;
    let mut successes: Vec<u16> = route.also.into_iter().chain([route.success]).collect();
    successes.sort_unstable();
    let mut responses = Map::new();
    for status in successes {
        responses.insert(status.to_string(), success(entry, path, status, output));
    }
    if route.is_conditional() && route.method == Method::Get {
        let headers = Map::from_iter([header("X-Request-Id", "RequestId"), header("ETag", "ETag")]);
        let text = "The client has the current version. There is no body, and nothing was changed.";
        responses.insert(
            "304".to_owned(),
            json!({ "description": text, "headers": headers }),
        );
    }
    for status in refusals {
        let reference = json!({ "$ref": format!("#/components/responses/{}", errors::name(*status)) });
        responses.insert(status.to_string(), reference);
    }
    Value::Object(responses)
}

fn success(entry: &AnyEndpoint, path: &str, status: u16, (schema, answer): Output<'_>) -> Value {
    let mut headers = Map::from_iter([header("X-Request-Id", "RequestId")]);
    if !entry.is_public {
        headers.extend(errors::rate_limit_headers());
    }
    if entry.route.idempotency == Idempotency::Taken {
        headers.extend([header("Idempotency-Replayed", "IdempotencyReplayed")]);
    }
    if entry.route.is_versioned && status != 204 {
        headers.extend([header("ETag", "ETag")]);
    }
    let mut response = Map::new();
    response.insert("description".to_owned(), prose::success(entry, status).into());
    response.insert("headers".to_owned(), headers.into());
    if let Some(schema) = schema.filter(|_| !matches!(status, 204 | 304)) {
        response.insert("content".to_owned(), content(path, schema, answer));
    }
    Value::Object(response)
}

/// Whether a response is a file rather than JSON.
fn is_file(answer: &Value) -> bool {
    answer.is_string()
}

/// The schema of a successful response under `/api/v1`, as a reference.
fn envelope(route: &Route, data: &Value, schemas: &mut Schemas) -> Value {
    let name = format!("{}Envelope", pascal(route.name));
    let schema = json!({
        "type": "object",
        "required": ["success", "data", "error"],
        "properties": {
            "success": { "type": "boolean", "const": true, "description": "Always true." },
            "data": data,
            "error": { "type": "null", "description": "Always null." }
        }
    });
    schemas.add(&name, schema)
}

fn content(path: &str, schema: &Value, answer: &Value) -> Value {
    if let Some(text) = answer.as_str() {
        let content = json!({ "schema": schema, "example": answer });
        return if text.trim_start().starts_with('<') {
            json!({ "text/html": content })
        } else {
            json!({ "text/javascript": content.clone(), "text/css": content })
        };
    }
    let answer = if Route::is_enveloped(path) {
        json!({ "success": true, "data": answer, "error": null })
    } else {
        answer.clone()
    };
    json!({ "application/json": { "schema": schema, "example": answer } })
}
