//! Validates real responses against the API document.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::{Value, json};

/// The API document.
pub(crate) static VALIDATOR: LazyLock<Validator> =
    LazyLock::new(|| Validator::new(&documents::openapi::document(&local::functions())));

/// Compiles a schema that may refer to components of its document.
///
/// # Errors
/// What is wrong with the schema.
pub fn compile(document: &Value, schema: &Value) -> Result<jsonschema::Validator, String> {
    let draft = if document.get("asyncapi").is_some() {
        jsonschema::Draft::Draft7
    } else {
        jsonschema::Draft::Draft202012
    };
    let schemas = document
        .pointer("/components/schemas")
        .cloned()
        .unwrap_or_default();
    let root = json!({ "components": { "schemas": schemas }, "allOf": [schema] });
    jsonschema::options()
        .with_draft(draft)
        .should_validate_formats(true)
        .build(&root)
        .map_err(|error| error.to_string())
}

/// Validates responses against a document; compiles every schema once.
pub struct Validator {
    operations: Vec<Operation>,
    error: Expected,
}

struct Operation {
    method: String,
    segments: Vec<String>,
    answers: HashMap<u16, Expected>,
}

/// The expected body of a response.
enum Expected {
    /// None.
    Nothing,
    /// A file that is not JSON.
    File,
    /// JSON, with a schema if there is one.
    Json(Box<Result<jsonschema::Validator, String>>),
}

impl Validator {
    /// A validator for the responses of an OpenAPI document.
    pub fn new(document: &Value) -> Self {
        let mut operations = Vec::new();
        let paths = document.get("paths").and_then(Value::as_object);
        for (path, item) in paths.into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                let responses = operation.get("responses").and_then(Value::as_object);
                let answer = |(status, response): (&String, &Value)| {
                    Some((
                        status.parse().ok()?,
                        expected(document, resolve(document, response)),
                    ))
                };
                operations.push(Operation {
                    method: method.to_ascii_uppercase(),
                    segments: segments(path),
                    answers: responses.into_iter().flatten().filter_map(answer).collect(),
                });
            }
        }
        let error = json!({ "$ref": "#/components/schemas/Error" });
        Self {
            operations,
            error: Expected::Json(Box::new(compile(document, &error))),
        }
    }

    /// Validates a response. `body` is its JSON; anything else counts as none.
    ///
    /// # Errors
    /// How the response differs from the document.
    pub fn check(
        &self,
        method: &str,
        raw_path: &str,
        status: u16,
        body: Option<&Value>,
    ) -> Result<(), String> {
        let path = raw_path.split('?').next().unwrap_or_default();
        let at = |problem: String| format!("{method} {path} → {status}: {problem}");
        let path = segments(path);
        let matching = || {
            self.operations
                .iter()
                .filter(|operation| operation.matches(&path))
        };
        if matching().next().is_none() {
            return self.refused(404, status, body).map_err(at);
        }
        // What a path answers that has fewer parameters is all that is answered there.
        let fewest = matching().map(Operation::parameters).min();
        let with_method = matching()
            .filter(|operation| Some(operation.parameters()) == fewest)
            .filter(|operation| operation.method.eq_ignore_ascii_case(method));
        // Static segments win over parameters, from the left.
        let Some(operation) = with_method.max_by_key(|operation| operation.statics()) else {
            return self.refused(405, status, body).map_err(at);
        };
        match operation.answers.get(&status) {
            Some(expected) => expected.check(body).map_err(at),
            None => Err(at("the document does not list this status".to_owned())),
        }
    }

    /// Requests that match no operation are refused with one status.
    fn refused(&self, expected: u16, status: u16, body: Option<&Value>) -> Result<(), String> {
        if status != expected {
            return Err(format!(
                "the document knows no such operation, so this should be {expected}"
            ));
        }
        self.error.check(body)
    }
}

impl Operation {
    fn matches(&self, path: &[String]) -> bool {
        let matches = |(pattern, segment): (&String, &String)| {
            pattern == segment || (pattern.starts_with('{') && !segment.is_empty())
        };
        self.segments.len() == path.len() && self.segments.iter().zip(path).all(matches)
    }

    fn parameters(&self) -> usize {
        self.statics().into_iter().filter(|is_static| !is_static).count()
    }

    fn statics(&self) -> Vec<bool> {
        self.segments
            .iter()
            .map(|segment| !segment.starts_with('{'))
            .collect()
    }
}

impl Expected {
    fn check(&self, body: Option<&Value>) -> Result<(), String> {
        match (self, body) {
            (Self::Nothing, None) | (Self::File, _) => Ok(()),
            (Self::Nothing, Some(_)) => Err("there should be no body".to_owned()),
            (Self::Json(_), None) => Err("the body is missing".to_owned()),
            (Self::Json(schema), Some(body)) => match schema.as_ref() {
                Err(error) => Err(format!("the document's schema is broken: {error}")),
                Ok(schema) => {
                    let problems: Vec<String> = schema
                        .iter_errors(body)
                        .map(|error| format!("{} at {}", error, error.instance_path()))
                        .collect();
                    if problems.is_empty() {
                        Ok(())
                    } else {
                        Err(problems.join("; "))
                    }
                }
            },
        }
    }
}

fn expected(document: &Value, response: &Value) -> Expected {
    let Some(content) = response.get("content") else {
        return Expected::Nothing;
    };
    match content.pointer("/application~1json/schema") {
        Some(schema) => Expected::Json(Box::new(compile(document, schema))),
        None => Expected::File,
    }
}

/// The target of a reference within the document, or the value itself.
fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let reference = value
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| reference.strip_prefix('#'));
    reference
        .and_then(|pointer| document.pointer(pointer))
        .unwrap_or(value)
}

/// The segments of a path; a trailing slash is ignored.
fn segments(path: &str) -> Vec<String> {
    path.trim_end_matches('/')
        .split('/')
        .skip(1)
        .map(str::to_owned)
        .collect()
}
