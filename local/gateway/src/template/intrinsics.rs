//! How templates write things: tags in their long form, the parts of `!Sub`, and local stand-ins.

use serde_json::{Map, Value, json};
use serde_yaml_ng::Value as Yaml;

use super::TemplateError;
use super::resource::Resource;
use crate::server::{ACCOUNT, REGION};

/// The error of a value, before it is known which resource it belongs to.
pub(super) type Fault = String;

/// Says which resource an error belongs to.
pub(super) fn blame(resource: &str, message: impl Into<String>) -> TemplateError {
    TemplateError {
        resource: Some(resource.to_owned()),
        message: message.into(),
    }
}

/// Turns YAML into JSON, and every tag into the object that it is short for.
pub(super) fn long_form(yaml: &Yaml) -> Result<Value, Fault> {
    Ok(match yaml {
        Yaml::Null => Value::Null,
        Yaml::Bool(flag) => (*flag).into(),
        Yaml::Number(number) => serde_json::to_value(number).map_err(|error| error.to_string())?,
        Yaml::String(text) => text.as_str().into(),
        Yaml::Sequence(values) => Value::Array(values.iter().map(long_form).collect::<Result<_, _>>()?),
        Yaml::Mapping(fields) => {
            let fields = fields.iter().map(|(name, value)| {
                let name = scalar(&long_form(name)?).map_err(|_| "a key is no text".to_owned())?;
                Ok::<_, Fault>((name, long_form(value)?))
            });
            Value::Object(fields.collect::<Result<_, _>>()?)
        }
        Yaml::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            let tag = tag.trim_start_matches('!');
            let value = long_form(&tagged.value)?;
            match tag {
                "Ref" | "Condition" => json!({ tag: value }),
                "GetAtt" => match value.as_str().and_then(|text| text.split_once('.')) {
                    Some((id, attribute)) => json!({ "Fn::GetAtt": [id, attribute] }),
                    None => json!({ "Fn::GetAtt": value }),
                },
                other => json!({ format!("Fn::{other}"): value }),
            }
        }
    })
}

/// Recognizes an intrinsic function: an object of one field with a reserved name.
pub(super) fn function(fields: &Map<String, Value>) -> Option<(&str, &Value)> {
    let (name, argument) = fields.iter().next().filter(|_| fields.len() == 1)?;
    // `Condition` is a function only where its argument is a name; policies have a field of that name.
    let known = name == "Ref" || name.starts_with("Fn::") || (name == "Condition" && argument.is_string());
    known.then_some((name.as_str(), argument))
}

/// Reads the argument of `Fn::GetAtt`.
pub(super) fn attribute(argument: &Value) -> Option<(&str, &str)> {
    match argument {
        Value::String(text) => text.split_once('.'),
        Value::Array(parts) => match parts.as_slice() {
            [Value::String(id), Value::String(attribute)] => Some((id, attribute)),
            _ => None,
        },
        _ => None,
    }
}

/// The variables that a `Fn::Sub` brings along.
pub(super) type Variables<'a> = Option<&'a Map<String, Value>>;

/// Reads the argument of `Fn::Sub`: the text, and the variables of its own.
pub(super) fn substitution(argument: &Value) -> Result<(&str, Variables<'_>), Fault> {
    match argument {
        Value::String(template) => Ok((template, None)),
        Value::Array(parts) => match parts.as_slice() {
            [Value::String(template), Value::Object(variables)] => Ok((template, Some(variables))),
            _ => Err("Sub takes a text and its variables".to_owned()),
        },
        _ => Err("Sub takes a text".to_owned()),
    }
}

/// A part of the text of `Fn::Sub`.
pub(super) enum Piece<'a> {
    Text(&'a str),
    Name(&'a str),
    /// `${!Name}`, which stays as `${Name}`.
    Literal(&'a str),
}

pub(super) fn pieces(template: &str) -> Vec<Piece<'_>> {
    let (mut pieces, mut rest) = (Vec::new(), template);
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, tail)) = after.split_once('}') else {
            break;
        };
        pieces.push(Piece::Text(before));
        pieces.push(match name.strip_prefix('!') {
            Some(literal) => Piece::Literal(literal),
            None => Piece::Name(name.trim()),
        });
        rest = tail;
    }
    pieces.push(Piece::Text(rest));
    pieces
}

/// Reads a list of exactly so many arguments.
pub(super) fn arguments<const N: usize>(argument: &Value) -> Result<[&Value; N], Fault> {
    let list: Vec<&Value> = match argument {
        Value::Array(values) => values.iter().collect(),
        single => vec![single],
    };
    list.try_into()
        .map_err(|list: Vec<_>| format!("{N} arguments are expected, not {}", list.len()))
}

/// Reads a scalar as text; parameters and environment variables are text whatever they look like.
pub(super) fn scalar(value: &Value) -> Result<String, Fault> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        // A list where text is asked for is what `!Ref` to a list parameter gives.
        Value::Array(values) => Ok(values
            .iter()
            .map(scalar)
            .collect::<Result<Vec<_>, _>>()?
            .join(",")),
        Value::Null | Value::Object(_) => Err("text is expected".to_owned()),
    }
}

/// Returns a field that is text.
pub(super) fn text<'v>(value: &'v Value, field: &str) -> Option<&'v str> {
    value.get(field).and_then(Value::as_str)
}

/// Reads a whole number, which a parameter gives as text.
pub(super) fn number(properties: &Value, field: &str) -> Result<Option<u64>, Fault> {
    let read = match properties.get(field) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::String(digits)) => digits.trim().parse().ok(),
        Some(_) => None,
    };
    read.map(Some)
        .ok_or_else(|| format!("{field} is no whole number"))
}

/// Reads a flag, which a parameter gives as text.
pub(super) fn flag(properties: &Value, field: &str) -> Result<bool, Fault> {
    match properties.get(field) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(Value::String(word)) if word == "true" => Ok(true),
        Some(Value::String(word)) if word == "false" => Ok(false),
        Some(_) => Err(format!("{field} is neither true nor false")),
    }
}

/// Reads a list of texts: a list, or one text with commas as a parameter gives it.
pub(super) fn list(properties: &Value, field: &str) -> Result<Vec<String>, Fault> {
    let split = |text: &str| {
        text.split(',')
            .map(str::trim)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let values = match properties.get(field) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::String(text)) => split(text),
        Some(Value::Array(values)) => {
            let texts = values.iter().map(scalar).collect::<Result<Vec<_>, _>>()?;
            texts.iter().flat_map(|text| split(text)).collect()
        }
        Some(_) => return Err(format!("{field} is no list")),
    };
    Ok(values.into_iter().filter(|value| !value.is_empty()).collect())
}

/// What a resource's attribute is on the desk, unless the desk says otherwise.
pub(super) fn stand_in(resource: &Resource<'_>, attribute: &str) -> String {
    let Resource {
        logical_id,
        kind,
        name,
    } = *resource;
    match (kind, attribute) {
        ("AWS::SQS::Queue", "Ref" | "QueueUrl") => {
            format!("https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}")
        }
        ("AWS::SQS::Queue", "QueueName") | (_, "Ref") => name.to_owned(),
        ("AWS::SQS::Queue", "Arn") => format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"),
        ("AWS::Serverless::Function" | "AWS::Lambda::Function", "Arn") => {
            format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}")
        }
        ("AWS::DynamoDB::Table", "Arn") => format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"),
        ("AWS::S3::Bucket", "Arn") => format!("arn:aws:s3:::{name}"),
        _ => format!("{logical_id}.{attribute}"),
    }
}

/// The pseudo parameters, as the desk has them.
pub(super) fn pseudo(name: &str) -> Option<&'static str> {
    Some(match name {
        "AWS::AccountId" => ACCOUNT,
        "AWS::Region" => REGION,
        "AWS::Partition" => "aws",
        "AWS::URLSuffix" => "amazonaws.com",
        "AWS::StackName" => "local",
        "AWS::StackId" => "arn:aws:cloudformation:us-east-1:000000000000:stack/local/0",
        _ => return None,
    })
}
