//! Nested stacks: the resources of a nested template, put into the template that names it.
//!
//! On AWS a nested stack sees nothing of its parent but what comes in as parameters. Here each `!Ref` to a parameter
//! becomes the expression that the parent passes, and the resources of both stand in one document, so that nothing
//! that reads it needs to know of stacks.
//! From the page on `AWS::CloudFormation::Stack`; `TemplateURL` is a path beside the template, as `sam deploy` takes it.

use serde_json::{Map, Value, json};

use super::intrinsics::{Fault, Piece, blame, function, long_form, pieces, substitution, text};
use super::{Sources, TemplateError};

const STACK: &str = "AWS::CloudFormation::Stack";
const FUNCTION: &str = "AWS::Serverless::Function";

/// Replaces every nested stack of a template, in long form, by its resources and conditions.
pub(super) fn inline(root: &mut Value, sources: &Sources<'_>) -> Result<(), TemplateError> {
    let stacks: Vec<(String, Value)> = fields(root, "Resources")
        .filter(|(_, resource)| text(resource, "Type") == Some(STACK))
        .map(|(id, resource)| (id.clone(), resource["Properties"].clone()))
        .collect();
    for (id, properties) in stacks {
        let child = read(&properties, sources).map_err(|fault| blame(&id, fault))?;
        let parameters = parameters(&child, &properties).map_err(|fault| blame(&id, fault))?;
        for section in ["Conditions", "Resources"] {
            for (name, value) in fields(&child, section) {
                let mut value = value.clone();
                if section == "Resources" {
                    with_globals(&mut value, &child);
                }
                let value = substitute(&value, &parameters).map_err(|fault| blame(name, fault))?;
                insert(root, section, name, value).map_err(|fault| blame(&id, fault))?;
            }
        }
    }
    Ok(())
}

fn read(properties: &Value, sources: &Sources<'_>) -> Result<Value, Fault> {
    let url = text(properties, "TemplateURL").ok_or("TemplateURL is no path")?;
    let yaml = (sources.templates)(url).ok_or_else(|| format!("there is no template {url}"))?;
    let raw = serde_yaml_ng::from_str(&yaml).map_err(|error| format!("{url}: {error}"))?;
    long_form(&raw).map_err(|fault| format!("{url}: {fault}"))
}

/// The expression of each parameter: what the parent passes, else its default.
fn parameters(child: &Value, properties: &Value) -> Result<Map<String, Value>, Fault> {
    let mut passed = properties["Parameters"].as_object().cloned().unwrap_or_default();
    let mut parameters = Map::new();
    for (name, declared) in fields(child, "Parameters") {
        let value = passed.remove(name).or_else(|| declared.get("Default").cloned());
        let value = value.ok_or_else(|| format!("the parameter {name} is not passed and has no default"))?;
        parameters.insert(name.clone(), value);
    }
    match passed.keys().next() {
        Some(unknown) => Err(format!("the nested template has no parameter {unknown}")),
        None => Ok(parameters),
    }
}

/// Gives a function what the `Globals` of its own template give it.
fn with_globals(resource: &mut Value, child: &Value) {
    if text(resource, "Type") != Some(FUNCTION) {
        return;
    }
    let Some(Value::Object(own)) = resource.get_mut("Properties") else {
        return;
    };
    for (name, global) in child
        .pointer("/Globals/Function")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        match own.get_mut(name) {
            None => {
                own.insert(name.clone(), global.clone());
            }
            Some(value) => merge(value, global),
        }
    }
}

/// Objects are merged, and what a function says itself stays.
fn merge(own: &mut Value, global: &Value) {
    if let (Value::Object(own), Value::Object(global)) = (own, global) {
        for (name, value) in global {
            match own.get_mut(name) {
                None => {
                    own.insert(name.clone(), value.clone());
                }
                Some(own) => merge(own, value),
            }
        }
    }
}

/// Puts the parent's expressions in the place of parameters.
fn substitute(value: &Value, parameters: &Map<String, Value>) -> Result<Value, Fault> {
    Ok(match value {
        Value::Array(values) => {
            let values = values.iter().map(|value| substitute(value, parameters));
            Value::Array(values.collect::<Result<_, _>>()?)
        }
        Value::Object(object) => match function(object) {
            Some(("Ref", Value::String(id))) => match parameters.get(id) {
                Some(expression) => expression.clone(),
                None => own(id).map(|()| value.clone())?,
            },
            Some(("Fn::Sub", argument)) => {
                let (template, variables) = substitution(argument)?;
                let mut all = Map::new();
                for (name, value) in variables.into_iter().flatten() {
                    all.insert(name.clone(), substitute(value, parameters)?);
                }
                for piece in pieces(template) {
                    let Piece::Name(name) = piece else { continue };
                    if all.contains_key(name) {
                        continue;
                    }
                    match parameters.get(name) {
                        Some(expression) => {
                            all.insert(name.to_owned(), expression.clone());
                        }
                        None => own(name)?,
                    }
                }
                json!({ "Fn::Sub": [template, all] })
            }
            _ => {
                let fields = object
                    .iter()
                    .map(|(name, value)| Ok::<_, Fault>((name.clone(), substitute(value, parameters)?)));
                Value::Object(fields.collect::<Result<_, _>>()?)
            }
        },
        plain => plain.clone(),
    })
}

/// Refuses what means another thing in a nested stack than beside its parent.
fn own(name: &str) -> Result<(), Fault> {
    match name {
        "AWS::StackName" | "AWS::StackId" => Err(format!(
            "{name} is the nested stack's own on AWS: pass the parent's as a parameter"
        )),
        _ => Ok(()),
    }
}

fn insert(root: &mut Value, section: &str, name: &str, value: Value) -> Result<(), Fault> {
    let fields = root
        .as_object_mut()
        .map(|root| root.entry(section).or_insert_with(|| json!({})));
    let Some(Value::Object(fields)) = fields else {
        return Err(format!("{section} is no object"));
    };
    match fields.get(name) {
        None => {
            fields.insert(name.to_owned(), value);
            Ok(())
        }
        // Two stacks may ask the same of the parameters that both are passed.
        Some(known) if section == "Conditions" && *known == value => Ok(()),
        Some(_) => Err(format!("{name} is the name of two {section}")),
    }
}

fn fields<'v>(document: &'v Value, section: &str) -> impl Iterator<Item = (&'v String, &'v Value)> {
    document
        .get(section)
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
}
