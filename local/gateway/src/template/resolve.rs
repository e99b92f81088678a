//! The intrinsic functions of templates, resolved against parameters and local stand-ins.
//!
//! The short forms (`!Ref X`) become the long ones (`{"Ref": "X"}`) first, so there is one thing to resolve. From
//! "Intrinsic function reference" of the AWS guide; `Fn::Transform`, `Fn::ImportValue` and
//! `Fn::ForEach` are not supported.

mod parameters;
mod references;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use serde_yaml_ng::Value as Yaml;

use super::intrinsics::{
    Fault, Piece, arguments, attribute, blame, function, long_form, pieces, pseudo, scalar, stand_in,
    substitution, text,
};
use super::resource::Resource;
use super::{Sources, TemplateError, nested};

/// How deep references may lead to references.
const DEPTH: usize = 24;

/// A template in long form, and how to resolve what stands in it.
pub(super) struct Document<'a> {
    root: Value,
    sources: &'a Sources<'a>,
}

impl<'a> Document<'a> {
    pub(super) fn new(raw: &Yaml, sources: &'a Sources<'a>) -> Result<Self, TemplateError> {
        let general = |message: String| TemplateError {
            resource: None,
            message,
        };
        let mut root = long_form(raw).map_err(general)?;
        if !root.get("Resources").is_some_and(Value::is_object) {
            return Err(general("the template has no Resources".to_owned()));
        }
        let parameters = root.get("Parameters").and_then(Value::as_object);
        for (name, parameter) in parameters.into_iter().flatten() {
            if let Some(given) = (sources.parameters)(name) {
                parameters::check(name, parameter, &given).map_err(general)?;
            }
        }
        nested::inline(&mut root, sources)?;
        Ok(Self { root, sources })
    }

    /// Returns a value of the template as it stands there, by its path.
    pub(super) fn raw(&self, pointer: &str) -> Option<&Value> {
        self.root.pointer(pointer)
    }

    /// Returns the resources of one type whose condition holds, with their unresolved properties.
    pub(super) fn resources(&self, kind: &str) -> Result<Vec<(&str, &Value)>, TemplateError> {
        let mut found = Vec::new();
        for (id, resource) in self
            .all()
            .filter(|(_, resource)| text(resource, "Type") == Some(kind))
        {
            let wanted = match text(resource, "Condition") {
                Some(name) => self.condition(name, 0).map_err(|fault| blame(id, fault))?,
                None => true,
            };
            if wanted {
                found.push((id.as_str(), resource.get("Properties").unwrap_or(&Value::Null)));
            }
        }
        Ok(found)
    }

    /// Resolves a value; what refers to nothing disappears with the property that holds it.
    pub(super) fn resolve(&self, value: &Value) -> Result<Value, Fault> {
        self.value(value, 0).map(|value| value.unwrap_or(Value::Null))
    }

    /// Resolves a value to text.
    pub(super) fn text(&self, value: &Value) -> Result<String, Fault> {
        scalar(&self.resolve(value)?)
    }

    fn all(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.root
            .get("Resources")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
    }

    fn resource(&self, id: &str) -> Option<&Value> {
        self.root.get("Resources")?.get(id)
    }

    fn kind(&self, id: &str) -> Option<&str> {
        text(self.resource(id)?, "Type")
    }

    /// Resolves a value; `None` is `AWS::NoValue`.
    fn value(&self, value: &Value, depth: usize) -> Result<Option<Value>, Fault> {
        if depth > DEPTH {
            return Err("the references lead in a circle".to_owned());
        }
        match value {
            Value::Array(values) => {
                let resolved = values
                    .iter()
                    .filter_map(|value| self.value(value, depth + 1).transpose());
                Ok(Some(Value::Array(resolved.collect::<Result<_, _>>()?)))
            }
            Value::Object(fields) => {
                if let Some((name, argument)) = function(fields) {
                    return self.call(name, argument, depth + 1);
                }
                let mut resolved = Map::new();
                for (name, value) in fields {
                    if let Some(value) = self.value(value, depth + 1)? {
                        resolved.insert(name.clone(), value);
                    }
                }
                Ok(Some(Value::Object(resolved)))
            }
            plain => Ok(Some(plain.clone())),
        }
    }

    fn call(&self, name: &str, argument: &Value, depth: usize) -> Result<Option<Value>, Fault> {
        let result: Value = match name {
            "Ref" => {
                let id = argument.as_str().ok_or("Ref names nothing")?;
                if id == "AWS::NoValue" {
                    return Ok(None);
                }
                self.reference(id, depth)?
            }
            "Fn::GetAtt" => {
                let (id, attribute) = attribute(argument).ok_or("GetAtt names no attribute")?;
                self.attribute(id, attribute, depth)?.into()
            }
            "Fn::Sub" => self.substitute(argument, depth)?.into(),
            "Fn::Join" => {
                let [delimiter, values] = arguments(argument)?;
                let values = self.strings(values, depth)?;
                values.join(&self.string(delimiter, depth)?).into()
            }
            "Fn::Split" => {
                let [delimiter, text] = arguments(argument)?;
                let (delimiter, text) = (self.string(delimiter, depth)?, self.string(text, depth)?);
                json!(text.split(&delimiter).collect::<Vec<_>>())
            }
            "Fn::Select" => {
                let [index, values] = arguments(argument)?;
                let index: usize = self
                    .string(index, depth)?
                    .parse()
                    .map_err(|_| "Select takes a number")?;
                self.strings(values, depth)?
                    .get(index)
                    .cloned()
                    .ok_or("Select goes beyond the list")?
                    .into()
            }
            "Fn::FindInMap" => {
                let [map, first, second] = arguments(argument)?;
                let mut place = self.root.get("Mappings").ok_or("the template has no Mappings")?;
                for key in [map, first, second] {
                    let key = self.string(key, depth)?;
                    place = place
                        .get(&key)
                        .ok_or_else(|| format!("the mapping has no {key}"))?;
                }
                place.clone()
            }
            "Fn::Base64" => STANDARD.encode(self.string(argument, depth)?).into(),
            "Fn::If" => return self.value(self.branch(argument, depth)?, depth),
            "Condition" => self
                .condition(argument.as_str().unwrap_or_default(), depth)?
                .into(),
            "Fn::Equals" => {
                let [left, right] = arguments(argument)?;
                (self.string(left, depth)? == self.string(right, depth)?).into()
            }
            "Fn::Not" => {
                let [inner] = arguments(argument)?;
                (!self.truth(inner, depth)?).into()
            }
            "Fn::And" | "Fn::Or" => {
                let wanted = name == "Fn::Or";
                let mut decided = false;
                for value in argument.as_array().ok_or("And and Or take a list")? {
                    decided |= self.truth(value, depth)? == wanted;
                }
                (decided == wanted).into()
            }
            other => return Err(format!("{other} is not supported")),
        };
        Ok(Some(result))
    }

    fn reference(&self, id: &str, depth: usize) -> Result<Value, Fault> {
        if let Some(parameter) = self
            .root
            .get("Parameters")
            .and_then(|parameters| parameters.get(id))
        {
            let value = (self.sources.parameters)(id)
                .map(Value::String)
                .or_else(|| parameter.get("Default").cloned());
            let value =
                value.ok_or_else(|| format!("the parameter {id} has neither a value nor a default"))?;
            let kind = text(parameter, "Type").unwrap_or("String");
            return Ok(match &value {
                Value::String(list) if kind.starts_with("List<") || kind == "CommaDelimitedList" => {
                    json!(
                        list.split(',')
                            .map(str::trim)
                            .filter(|item| !item.is_empty())
                            .collect::<Vec<_>>()
                    )
                }
                _ => value,
            });
        }
        if id.starts_with("AWS::") {
            return (self.sources.parameters)(id)
                .or_else(|| pseudo(id).map(str::to_owned))
                .map(Value::String)
                .ok_or_else(|| format!("{id} is not known here"));
        }
        self.attribute(id, "Ref", depth).map(Value::String)
    }

    fn attribute(&self, id: &str, attribute: &str, depth: usize) -> Result<String, Fault> {
        // What SAM makes of a resource, such as a function's role, has that resource's logical id as its start.
        let generated = || self.all().any(|(known, _)| id.starts_with(known)) || id == "ServerlessHttpApi";
        let kind = match self.kind(id) {
            Some(kind) => kind,
            None if generated() => "",
            None => return Err(format!("{id} is neither a parameter nor a resource")),
        };
        let name = self.name(id, kind, depth)?;
        let resource = Resource {
            logical_id: id,
            kind,
            name: &name,
        };
        Ok((self.sources.attributes)(&resource, attribute).unwrap_or_else(|| stand_in(&resource, attribute)))
    }

    fn name(&self, id: &str, kind: &str, depth: usize) -> Result<String, Fault> {
        let property = match kind {
            "AWS::Serverless::Function" | "AWS::Lambda::Function" => "FunctionName",
            "AWS::SQS::Queue" => "QueueName",
            "AWS::DynamoDB::Table" => "TableName",
            "AWS::S3::Bucket" => "BucketName",
            _ => return Ok(id.to_owned()),
        };
        let given = self
            .resource(id)
            .and_then(|resource| resource.get("Properties")?.get(property));
        let name = match given {
            Some(name) => self.value(name, depth + 1)?,
            None => None,
        };
        name.as_ref().map_or_else(|| Ok(id.to_owned()), scalar)
    }

    /// Returns the name under which a resource is deployed.
    pub(super) fn deployed_name(&self, id: &str) -> Result<String, Fault> {
        self.name(id, self.kind(id).unwrap_or_default(), 0)
    }

    fn substitute(&self, argument: &Value, depth: usize) -> Result<String, Fault> {
        let (template, variables) = substitution(argument)?;
        let mut text = String::new();
        for piece in pieces(template) {
            match piece {
                Piece::Text(plain) => text.push_str(plain),
                Piece::Literal(name) => {
                    text.push_str("${");
                    text.push_str(name);
                    text.push('}');
                }
                Piece::Name(name) => {
                    let value = match variables.and_then(|variables| variables.get(name)) {
                        Some(value) => self.string(value, depth)?,
                        None => match name.split_once('.') {
                            Some((id, attribute)) => self.attribute(id, attribute, depth)?,
                            None => scalar(&self.reference(name, depth)?)?,
                        },
                    };
                    text.push_str(&value);
                }
            }
        }
        Ok(text)
    }

    fn string(&self, value: &Value, depth: usize) -> Result<String, Fault> {
        scalar(&self.value(value, depth)?.unwrap_or_default())
    }

    fn strings(&self, value: &Value, depth: usize) -> Result<Vec<String>, Fault> {
        let value = self.value(value, depth)?.unwrap_or_default();
        value
            .as_array()
            .ok_or("a list is expected")?
            .iter()
            .map(scalar)
            .collect()
    }

    fn branch<'v>(&self, argument: &'v Value, depth: usize) -> Result<&'v Value, Fault> {
        let [condition, then, otherwise] = arguments(argument)?;
        let holds = self.condition(condition.as_str().ok_or("If names no condition")?, depth)?;
        Ok(if holds { then } else { otherwise })
    }

    fn condition(&self, name: &str, depth: usize) -> Result<bool, Fault> {
        let conditions = self
            .root
            .get("Conditions")
            .and_then(|conditions| conditions.get(name));
        self.truth(
            conditions.ok_or_else(|| format!("the condition {name} does not exist"))?,
            depth + 1,
        )
    }

    fn truth(&self, value: &Value, depth: usize) -> Result<bool, Fault> {
        self.value(value, depth)?
            .and_then(|value| value.as_bool())
            .ok_or_else(|| "a condition is expected".to_owned())
    }
}
