//! Functions and the events that lead to them.

use serde_json::Value;

use super::intrinsics::{Fault, blame, flag, list, number, scalar, text};
use super::policies::statements;
use super::resolve::Document;
use super::{FunctionSpec, HttpRoute, QueueMapping, Schedule, TemplateError};

const FUNCTION: &str = "AWS::Serverless::Function";

/// An event source of a function.
pub(super) enum Event {
    Http(HttpRoute),
    HttpDefault(String),
    Queue(QueueMapping),
    Schedule(Schedule),
}

/// Reads the functions.
pub(super) fn functions(document: &Document<'_>) -> Result<Vec<FunctionSpec>, TemplateError> {
    let resources = document.resources(FUNCTION)?;
    resources
        .into_iter()
        .map(|(id, own)| function(document, id, own).map_err(|fault| blame(id, fault)))
        .collect()
}

/// Reads the functions' events that the desk can play.
pub(super) fn events(document: &Document<'_>) -> Result<Vec<Event>, TemplateError> {
    let mut events = Vec::new();
    for (id, properties) in document.resources(FUNCTION)? {
        for (name, source) in properties
            .get("Events")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let event = event(document, (id, name), source)
                .map_err(|fault| blame(id, format!("event {name}: {fault}")))?;
            events.extend(event);
        }
    }
    Ok(events)
}

fn function(document: &Document<'_>, id: &str, own: &Value) -> Result<FunctionSpec, Fault> {
    let globals = document.raw("/Globals/Function");
    let property = |name: &str| {
        own.get(name)
            .or_else(|| globals.and_then(|globals| globals.get(name)))
    };
    let resolved = |name: &str| property(name).map(|value| document.resolve(value)).transpose();

    let code = resolved("CodeUri")?.ok_or("CodeUri is missing")?;
    let code = code.as_str().ok_or("CodeUri is no path")?;
    let binary = code.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    if binary.is_empty() || binary == "." {
        return Err("CodeUri names no binary".to_owned());
    }
    let figures =
        serde_json::json!({ "Timeout": resolved("Timeout")?, "MemorySize": resolved("MemorySize")? });

    let mut environment = std::collections::BTreeMap::new();
    for source in [globals, Some(own)].into_iter().flatten() {
        let variables = source
            .pointer("/Environment/Variables")
            .map(|value| document.resolve(value))
            .transpose()?;
        for (name, value) in variables
            .as_ref()
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let value = scalar(value).map_err(|fault| format!("the variable {name}: {fault}"))?;
            environment.insert(name.clone(), value);
        }
    }
    Ok(FunctionSpec {
        logical_id: id.to_owned(),
        binary: binary.to_owned(),
        timeout_seconds: number(&figures, "Timeout")?.unwrap_or(3),
        memory_mb: number(&figures, "MemorySize")?.unwrap_or(128),
        environment,
        statements: statements(document, own)?,
    })
}

fn event(
    document: &Document<'_>,
    (function, name): (&str, &str),
    source: &Value,
) -> Result<Option<Event>, Fault> {
    let raw = source.get("Properties").unwrap_or(&Value::Null);
    Ok(match text(source, "Type") {
        Some("HttpApi") => Some(http(document, function, raw)?),
        Some("SQS") => Some(Event::Queue(mapping(document, function, raw)?)),
        Some("Schedule" | "ScheduleV2") => {
            let properties = document.resolve(raw)?;
            let expression =
                text(&properties, "Schedule").or_else(|| text(&properties, "ScheduleExpression"));
            Some(Event::Schedule(Schedule {
                logical_id: format!("{function}{name}"),
                function: function.to_owned(),
                expression: expression.ok_or("Schedule is missing")?.to_owned(),
                input: text(&properties, "Input").map(str::to_owned),
                is_enabled: text(&properties, "State") != Some("DISABLED"),
            }))
        }
        _ => None,
    })
}

fn http(document: &Document<'_>, function: &str, raw: &Value) -> Result<Event, Fault> {
    let path = raw.get("Path").map(|path| document.text(path)).transpose()?;
    let method = raw
        .get("Method")
        .map(|method| document.text(method))
        .transpose()?;
    let function = function.to_owned();
    match (path, method) {
        // An event without a path is SAM's way to say `$default`.
        (None, None) => Ok(Event::HttpDefault(function)),
        (Some(path), _) if path == "$default" => Ok(Event::HttpDefault(function)),
        (Some(path), Some(method)) => {
            let timeout_milliseconds = number(raw, "TimeoutInMillis")?;
            Ok(Event::Http(HttpRoute {
                method: verb(&method),
                path,
                function,
                timeout_milliseconds,
                throttle: None,
            }))
        }
        _ => Err("Path and Method belong together".to_owned()),
    }
}

/// Writes a method as routes have it.
pub(super) fn verb(method: &str) -> String {
    match method.to_ascii_uppercase().as_str() {
        "*" | "X-AMAZON-APIGATEWAY-ANY-METHOD" => "ANY".to_owned(),
        method => method.to_owned(),
    }
}

fn mapping(document: &Document<'_>, function: &str, raw: &Value) -> Result<QueueMapping, Fault> {
    let queue = raw.get("Queue").ok_or("Queue is missing")?;
    let queue = document
        .referenced(queue, "AWS::SQS::Queue")?
        .ok_or("Queue names no queue of this template")?;
    let properties = document.resolve(raw)?;
    let scaling = properties.get("ScalingConfig").unwrap_or(&Value::Null);
    if properties.get("Enabled").is_some() && !flag(&properties, "Enabled")? {
        return Err("a mapping that is not enabled is not supported".to_owned());
    }
    Ok(QueueMapping {
        function: function.to_owned(),
        queue,
        batch_size: number(&properties, "BatchSize")?.unwrap_or(10),
        window_seconds: number(&properties, "MaximumBatchingWindowInSeconds")?.unwrap_or(0),
        reports_batch_item_failures: list(&properties, "FunctionResponseTypes")?
            .iter()
            .any(|kind| kind == "ReportBatchItemFailures"),
        maximum_concurrency: number(scaling, "MaximumConcurrency")?,
    })
}
