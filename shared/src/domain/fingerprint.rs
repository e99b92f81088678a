//! Fingerprints: hashes by which two requests with one idempotency key are compared.
//!
//! They hash values, not texts. The members of a JSON object have no order (RFC 8259 §4), and some encoders write them
//! in a different order in each process; `1` and `1.0` are the same number.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// How many bytes of a hash are kept.
const LENGTH: usize = 16;

/// The first bytes of a SHA-256.
pub fn of_bytes(parts: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Vec<u8> {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into_iter().take(LENGTH).collect()
}

/// The fingerprint of a value.
pub fn of_value(value: &Value) -> Vec<u8> {
    of_bytes([canonical(value)])
}

/// The canonical text of a value: without whitespace, object members sorted by their bytes, each number in one form.
pub fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Number(number) if number.is_f64() => {
            let number = number.as_f64().unwrap_or_default();
            // A whole double is written without a point, and zero without a sign.
            text.push_str(&(number + 0.0).to_string());
        }
        Value::Array(values) => {
            text.push('[');
            for (place, value) in values.iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                write(value, text);
            }
            text.push(']');
        }
        Value::Object(fields) => {
            let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            text.push('{');
            for (place, (name, value)) in fields.into_iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                text.push_str(&Value::String(name.clone()).to_string());
                text.push(':');
                write(value, text);
            }
            text.push('}');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            text.push_str(&value.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, json};

    use super::*;

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "[a-c\"é]{0,3}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec(("[a-f]{1,2}", inner), 0..5)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    /// The same value with the members of every object reversed, and integers written as doubles where these are exact.
    fn written_otherwise(value: &Value) -> Value {
        match value {
            Value::Object(fields) => {
                let fields: Map<String, Value> = fields
                    .iter()
                    .rev()
                    .map(|(name, value)| (name.clone(), written_otherwise(value)))
                    .collect();
                Value::Object(fields)
            }
            Value::Array(values) => values.iter().map(written_otherwise).collect(),
            Value::Number(number) => match number.as_i64() {
                Some(whole) if whole.unsigned_abs() < 1 << 53 => {
                    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
                    let double = whole as f64;
                    Value::from(double)
                }
                _ => value.clone(),
            },
            other => other.clone(),
        }
    }

    proptest! {
        #[test]
        fn a_value_has_one_fingerprint_however_it_is_written(value in values()) {
            prop_assert_eq!(of_value(&value), of_value(&written_otherwise(&value)));
        }

        #[test]
        fn another_value_has_another_canonical_form(one in values(), other in values()) {
            // Values are equal, apart from representation, exactly if their canonical forms are equal.
            prop_assert_eq!(written_otherwise(&one) == written_otherwise(&other), canonical(&one) == canonical(&other));
        }
    }

    #[test]
    fn numbers_are_compared_as_numbers() {
        for (one, other) in [("1", "1.0"), ("100", "1e2"), ("0", "-0.0"), ("0.5", "5e-1")] {
            let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
            assert_eq!(canonical(&read(one)), canonical(&read(other)), "{one} {other}");
        }
        for (one, other) in [
            ("1", "2"),
            ("9007199254740993", "9007199254740992"),
            ("1", "\"1\""),
            ("0", "null"),
        ] {
            let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
            assert_ne!(canonical(&read(one)), canonical(&read(other)), "{one} {other}");
        }
    }

    #[test]
    fn order_matters_in_lists_alone() {
        assert_eq!(
            canonical(&json!({ "b": [{ "d": 1, "c": 2 }], "a": null })),
            r#"{"a":null,"b":[{"c":2,"d":1}]}"#
        );
        assert_ne!(canonical(&json!([1, 2])), canonical(&json!([2, 1])));
    }
}
