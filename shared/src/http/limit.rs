//! The size limit of a JSON body: the size of the largest valid value of its type with every character escaped.
//!
//! JSON may write any character as `\uXXXX` (RFC 8259 §7), and some clients do so for everything that is not ASCII: a
//! mail of 50,000 `é` has 100 KB as UTF-8 and 300 KB as ASCII. So the limit is computed from the bounds in the schema
//! of the route's body.

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::Value;

/// The limit of every JSON body at least (contract §1).
pub const USUAL_BYTES: usize = 256 * 1024;

/// Limits are rounded up to multiples of this, to leave room for whitespace and unknown fields.
const STEP_BYTES: usize = 64 * 1024;

/// The schema keyword for the maximum size of a value in bytes, as UTF-8 without whitespace.
pub const MAX_BYTES: &str = "x-maxBytes";

/// A character outside the basic plane takes two escapes.
const ESCAPED_CHARACTER: usize = 12;
/// A byte of UTF-8 takes at most one escape, since only one-byte characters have an escape of their own.
const ESCAPED_BYTE: usize = 6;
/// A number with 17 digits, sign, point and exponent.
const NUMBER: usize = 25;
/// `false`.
const WORD: usize = 5;

/// The maximum size of a body of this type, in bytes.
pub fn of(schema: fn(&mut SchemaGenerator) -> Schema) -> usize {
    need(schema)
        .map_or(USUAL_BYTES, |need| need.next_multiple_of(STEP_BYTES))
        .max(USUAL_BYTES)
}

/// The size of the largest valid value when escaped, in bytes; none if the schema has no bound.
pub fn need(schema: fn(&mut SchemaGenerator) -> Schema) -> Option<usize> {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let schema = schema(&mut generator).to_value();
    let definitions = Value::Object(generator.take_definitions(true));
    largest(&schema, &definitions)
}

fn largest(schema: &Value, definitions: &Value) -> Option<usize> {
    let get = |name: &str| schema.get(name);
    let number = |name: &str| {
        get(name)
            .and_then(Value::as_u64)
            .and_then(|number| usize::try_from(number).ok())
    };
    if let Some(reference) = get("$ref").and_then(Value::as_str) {
        let name = reference.rsplit('/').next()?;
        return largest(definitions.get(name)?, definitions);
    }
    if let Some(bytes) = number(MAX_BYTES) {
        return Some(bytes * ESCAPED_BYTE + 2);
    }
    if let Some(constant) = get("const") {
        return Some(constant.to_string().len() * ESCAPED_BYTE);
    }
    if let Some(values) = get("enum").and_then(Value::as_array) {
        return values
            .iter()
            .map(|value| value.to_string().len() * ESCAPED_BYTE)
            .max();
    }
    for choice in ["anyOf", "oneOf", "allOf"] {
        if let Some(choices) = get(choice).and_then(Value::as_array) {
            let sizes: Option<Vec<usize>> = choices
                .iter()
                .map(|choice| largest(choice, definitions))
                .collect();
            return sizes?.into_iter().max();
        }
    }
    let kinds = match get("type")? {
        Value::String(kind) => vec![kind.as_str()],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => return None,
    };
    let of_kind = |kind: &str| match kind {
        "null" | "boolean" => Some(WORD),
        "integer" | "number" => Some(NUMBER),
        "string" if get("format").and_then(Value::as_str) == Some("uuid") => Some(36 * ESCAPED_BYTE + 2),
        "string" => Some(number("maxLength")? * ESCAPED_CHARACTER + 2),
        "array" => Some(number("maxItems")? * (largest(get("items")?, definitions)? + 1) + 2),
        "object" => {
            let fields = get("properties").and_then(Value::as_object);
            let field = |(name, value): (&String, &Value)| {
                Some(name.len() * ESCAPED_BYTE + largest(value, definitions)? + 4)
            };
            fields
                .into_iter()
                .flatten()
                .map(field)
                .sum::<Option<usize>>()
                .map(|sum| sum + 2)
        }
        _ => None,
    };
    let sizes: Option<Vec<usize>> = kinds.into_iter().map(of_kind).collect();
    sizes?.into_iter().max()
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;

    use super::*;
    use crate::domain::ids::UserId;
    use crate::domain::list::List;
    use crate::domain::mail::{MailBody, Subject};
    use crate::domain::text::Text;

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema matters")]
    struct Small {
        a: Option<Text<1, 10>>,
        b: List<UserId, 0, 3>,
        c: bool,
    }

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema matters")]
    struct Mail {
        subject: Subject,
        body: MailBody,
    }

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema matters")]
    struct Unbounded {
        text: String,
    }

    #[test]
    fn the_largest_value_is_the_sum_of_its_parts() {
        let (a, b, c) = (6 + 122 + 4, 6 + 3 * 219 + 2 + 4, 6 + 5 + 4);
        assert_eq!(need(SchemaGenerator::subschema_for::<Small>), Some(a + b + c + 2));
        assert_eq!(of(SchemaGenerator::subschema_for::<Small>), USUAL_BYTES);
    }

    #[test]
    fn what_is_counted_in_bytes_takes_six_for_each() {
        let need = need(SchemaGenerator::subschema_for::<Mail>).unwrap();
        assert!((600_000..610_000).contains(&need), "{need}");
        assert_eq!(of(SchemaGenerator::subschema_for::<Mail>), 640 * 1024);
    }

    #[test]
    fn without_a_bound_it_is_the_usual_limit() {
        assert_eq!(need(SchemaGenerator::subschema_for::<Unbounded>), None);
        assert_eq!(of(SchemaGenerator::subschema_for::<Unbounded>), USUAL_BYTES);
    }
}
