//! One operation per route and path.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use shared::http::{Entry, Method, Route};
use shared::store::rates::Bucket;

use super::errors::{self, header};
use super::parameters::{self, Parameters};
use super::prose;
use super::schemas::{Schemas, pascal};

/// The parts of the API, in the order in which the document shows them.
pub(super) const TAGS: [(&str, &str); 12] = [
    (
        "conversations",
        "Direct and group conversations: open them, list them, mark them as read.",
    ),
    ("messages", "The messages of a conversation: send, list, delete."),
    (
        "person-to-person",
        "Messages between two people, with receipts, for credits. They stand in the direct conversation of the two.",
    ),
    (
        "credits",
        "What messages between people cost: a balance and its ledger.",
    ),
    (
        "mail",
        "Subjects and bodies, in folders, with flags of one's own side.",
    ),
    ("notifications", "What one is to be told of, and what one missed."),
    (
        "files",
        "What messages bring along: upload it, complete it, download it.",
    ),
    (
        "events",
        "What happened, in order: to catch up after a gap, or to live without a WebSocket.",
    ),
    ("users", "The people who take part."),
    ("authentication", "Credentials for the WebSocket."),
    (
        "administration",
        "Moderation, search, figures, export, and the audit log of all that.",
    ),
    (
        "system",
        "Health, and the documentation that you are reading. No token needed.",
    ),
];

/// The operations of a route.
pub(super) struct Built {
    /// One per path.
    pub(super) by_path: Vec<(String, Value)>,
    /// The statuses with which it refuses.
    pub(super) refusals: BTreeSet<u16>,
}

/// The number of the tag of a route.
pub(super) fn tag(entry: &Entry) -> usize {
    let path = entry.route.path;
    let name = match path {
        _ if entry.is_public => "system",
        _ if path.starts_with("/api/admin/") => "administration",
        _ if path.contains("/events") => "events",
        _ if path.contains("/credits") => "credits",
        _ if path.contains("/notifications") => "notifications",
        _ if entry.route.name.contains("mail") => "mail",
        _ if path.starts_with("/api/v2/messages/") => "person-to-person",
        _ if path.contains("/files") => "files",
        _ if path.contains("/messages") => "messages",
        _ if path.contains("/users") => "users",
        _ if path.contains("/auth/") => "authentication",
        _ => "conversations",
    };
    TAGS.iter().position(|(tag, _)| *tag == name).unwrap_or_default()
}

/// Writes the operations of a route.
pub(super) fn build(entry: &Entry, schemas: &mut Schemas) -> Built {
    let route = &entry.route;
    let parameters = parameters::of(entry, schemas);
    let body = schemas.input(route.name, entry.body);
    let output = schemas.output(route.name, entry.output);
    let refusals = refusals(entry, &parameters, body.is_some());
    let operation = |path: String| {
        let is_alias = path != route.path;
        let mut operation = Map::new();
        operation.insert("operationId".to_owned(), operation_id(route, is_alias).into());
        operation.insert(
            "tags".to_owned(),
            json!([TAGS.get(tag(entry)).map(|(name, _)| name)]),
        );
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
            // What may stand in the query stands in the body under the same names.
            let example = match &entry.example.body {
                Value::Null => &entry.example.parameters,
                body => body,
            };
            let content = json!({ "schema": schema, "example": example });
            let is_required = !route.is_body_optional;
            let body = json!({ "required": is_required, "content": { "application/json": content } });
            operation.insert("requestBody".to_owned(), body);
        }
        operation.insert(
            "responses".to_owned(),
            responses(entry, &path, output.as_ref(), &refusals),
        );
        (path, Value::Object(operation))
    };
    Built {
        by_path: route.paths().into_iter().map(operation).collect(),
        refusals,
    }
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

/// The statuses with which a route can refuse.
fn refusals(entry: &Entry, parameters: &Parameters, has_body: bool) -> BTreeSet<u16> {
    let mut statuses = BTreeSet::from([500, 503]);
    if !entry.is_public {
        statuses.extend([401, 429]);
    }
    if entry.route.needs.is_some() {
        statuses.insert(403);
    }
    if entry.route.is_versioned && entry.route.method == Method::Put {
        statuses.insert(412);
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
    statuses.extend(prose::note(entry.route.name).map_or(&[] as &[u16], |note| note.refusals));
    statuses
}

fn responses(entry: &Entry, path: &str, output: Option<&Value>, refusals: &BTreeSet<u16>) -> Value {
    let route = &entry.route;
    let mut successes: Vec<u16> = route.also.into_iter().chain([route.success]).collect();
    successes.sort_unstable();
    let mut responses = Map::new();
    for status in successes {
        responses.insert(status.to_string(), success(entry, path, status, output));
    }
    for status in refusals {
        let reference = json!({ "$ref": format!("#/components/responses/{}", errors::name(*status)) });
        responses.insert(status.to_string(), reference);
    }
    Value::Object(responses)
}

fn success(entry: &Entry, path: &str, status: u16, output: Option<&Value>) -> Value {
    let mut headers = Map::from_iter([header("X-Request-Id", "RequestId")]);
    if !entry.is_public {
        headers.extend(errors::rate_limit_headers());
    }
    if entry.route.buckets.contains(&Bucket::Sends) {
        headers.extend([header("Idempotency-Replayed", "IdempotencyReplayed")]);
    }
    if entry.route.is_versioned {
        headers.extend([header("ETag", "ETag")]);
    }
    let mut response = Map::new();
    response.insert("description".to_owned(), prose::success(entry, status).into());
    response.insert("headers".to_owned(), headers.into());
    if let Some(schema) = output.filter(|_| !matches!(status, 204 | 304)) {
        response.insert("content".to_owned(), content(entry, path, schema));
    }
    Value::Object(response)
}

fn content(entry: &Entry, path: &str, schema: &Value) -> Value {
    let answer = &entry.example.answer;
    if let Value::String(text) = answer {
        // A file, and no JSON.
        let content = json!({ "schema": schema, "example": answer });
        return if text.trim_start().starts_with('<') {
            json!({ "text/html": content })
        } else {
            json!({ "text/javascript": content.clone(), "text/css": content })
        };
    }
    if !Route::is_enveloped(path) {
        return json!({ "application/json": { "schema": schema, "example": answer } });
    }
    let envelope = json!({
        "title": format!("{}Envelope", pascal(entry.route.name)),
        "type": "object",
        "required": ["success", "data", "error"],
        "properties": {
            "success": { "type": "boolean", "const": true, "description": "Always true." },
            "data": schema,
            "error": { "type": "null", "description": "Always null." }
        }
    });
    let answer = json!({ "success": true, "data": answer, "error": null });
    json!({ "application/json": { "schema": envelope, "example": answer } })
}
