//! From JSON, a query or a path to typed input, with errors that name the field and what is wrong with it.
//!
//! serde's own messages speak of Rust types and lines; a client needs a field and a machine word. So this is
//! a deserializer of its own over parsed JSON whose error type collects both.

use std::borrow::Cow;
use std::fmt;

use serde::de::value::StringDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, Expected, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, Visitor,
};
use serde_json::Value;

use crate::domain::text::Invalid;
use crate::error::{Error, Result};

/// The largest JSON body (contract §1).
pub const BODY_LIMIT_BYTES: usize = 256 * 1024;

/// Input that a route does not take: it ignores whatever comes.
#[derive(Clone, Copy, Debug, Default, serde::Deserialize, schemars::JsonSchema)]
pub struct Nothing {}

/// Reads a JSON body.
pub fn body<T: DeserializeOwned>(content_type: Option<&str>, bytes: &[u8]) -> Result<T> {
    let is_json = |content_type: &str| {
        let media_type = content_type
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        media_type == "application/json"
            || (media_type.starts_with("application/") && media_type.ends_with("+json"))
    };
    // A body without a declared type is taken for what this API speaks.
    if !content_type.is_none_or(is_json) {
        return Err(Error::UnsupportedMediaType);
    }
    if bytes.len() > BODY_LIMIT_BYTES {
        return Err(Error::PayloadTooLarge {
            limit_bytes: BODY_LIMIT_BYTES,
        });
    }
    object(bytes)
}

/// Reads a JSON object.
pub fn object<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    match serde_json::from_slice(bytes) {
        Ok(value @ Value::Object(_)) => typed(value, false),
        Ok(_) => Err(Error::Malformed("the body must be a JSON object".into())),
        Err(error) => Err(Error::Malformed(
            format!("the body is no JSON: {}", position(&error)).into(),
        )),
    }
}

/// Reads text parameters, as a path or a query has them: numbers and booleans are written out.
pub fn parameters<T: DeserializeOwned>(parameters: &[(String, String)]) -> Result<T> {
    let object = parameters
        .iter()
        .map(|(name, value)| (name.clone(), Value::String(value.clone())))
        .collect();
    typed(Value::Object(object), true)
}

/// Where the JSON breaks, without quoting it.
fn position(error: &serde_json::Error) -> String {
    format!("it breaks at line {}, column {}", error.line(), error.column())
}

fn typed<T: DeserializeOwned>(value: Value, written_out: bool) -> Result<T> {
    T::deserialize(Input { value, written_out }).map_err(|error| {
        let field = if error.field.is_empty() {
            Cow::Borrowed("body")
        } else {
            Cow::Owned(error.field)
        };
        Error::Invalid {
            field,
            invalid: error.invalid,
        }
    })
}

/// A value on its way to a type.
struct Input {
    value: Value,
    /// Whether numbers and booleans come as text.
    written_out: bool,
}

/// What is wrong, and where.
#[derive(Debug)]
struct InputError {
    field: String,
    invalid: Invalid,
}

impl InputError {
    fn new(issue: &'static str, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            field: String::new(),
            invalid: Invalid::new(issue, reason),
        }
    }

    /// The same error, one level further out.
    fn within(mut self, name: &str) -> Self {
        self.field = if self.field.is_empty() {
            name.to_owned()
        } else {
            format!("{name}.{}", self.field)
        };
        self
    }
}

impl fmt::Display for InputError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.field, self.invalid.reason)
    }
}

impl std::error::Error for InputError {}

impl de::Error for InputError {
    /// Takes apart what [`Invalid`]'s Display put together.
    fn custom<T: fmt::Display>(message: T) -> Self {
        let text = message.to_string();
        match text.split_once(": ") {
            Some((issue, reason))
                if issue
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'_') =>
            {
                Self {
                    field: String::new(),
                    invalid: Invalid::new(issue.to_owned(), reason.to_owned()),
                }
            }
            _ => Self::new("invalid", "is not valid"),
        }
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = expected.to_string();
        let is_integer = expected.len() <= 4 && (expected.starts_with('i') || expected.starts_with('u'));
        let expected = if is_integer {
            "a whole number".to_owned()
        } else {
            expected
        };
        Self::new(
            "wrong_type",
            format!("must be {}", expected.replace("struct ", "an object of ")),
        )
    }

    fn invalid_value(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Self::new("out_of_range", "is out of range")
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::new("unknown_value", format!("must be one of {}", expected.join(", ")))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new("missing", "is missing").within(field)
    }
}

macro_rules! number {
    ($($method:ident => $type:ty, $visit:ident;)*) => {
        $(
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InputError> {
                match self.value {
                    Value::String(text) if self.written_out => match text.parse::<$type>() {
                        Ok(number) => visitor.$visit(number),
                        Err(_) => Err(InputError::new("wrong_type", "must be a number")),
                    },
                    _ => self.deserialize_any(visitor),
                }
            }
        )*
    };
}

impl<'de> Deserializer<'de> for Input {
    type Error = InputError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InputError> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::Number(number) => {
                if let Some(number) = number.as_u64() {
                    visitor.visit_u64(number)
                } else if let Some(number) = number.as_i64() {
                    visitor.visit_i64(number)
                } else {
                    visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN))
                }
            }
            Value::String(text) => visitor.visit_string(text),
            Value::Array(values) => visitor.visit_seq(Values {
                values: values.into_iter().enumerate(),
                written_out: self.written_out,
            }),
            Value::Object(fields) => visitor.visit_map(Fields {
                left: fields.into_iter(),
                current: None,
                written_out: self.written_out,
            }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InputError> {
        match self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InputError> {
        match self.value {
            Value::String(text) if self.written_out => match text.as_str() {
                "true" => visitor.visit_bool(true),
                "false" => visitor.visit_bool(false),
                _ => Err(InputError::new("wrong_type", "must be true or false")),
            },
            _ => self.deserialize_any(visitor),
        }
    }

    number! {
        deserialize_i8 => i8, visit_i8;
        deserialize_i16 => i16, visit_i16;
        deserialize_i32 => i32, visit_i32;
        deserialize_i64 => i64, visit_i64;
        deserialize_u8 => u8, visit_u8;
        deserialize_u16 => u16, visit_u16;
        deserialize_u32 => u32, visit_u32;
        deserialize_u64 => u64, visit_u64;
        deserialize_f32 => f32, visit_f32;
        deserialize_f64 => f64, visit_f64;
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, InputError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, InputError> {
        match self.value {
            Value::String(text) => {
                let deserializer: StringDeserializer<InputError> = text.into_deserializer();
                deserializer.deserialize_enum(name, variants, visitor)
            }
            _ => Err(InputError::new(
                "wrong_type",
                format!("must be one of {}", variants.join(", ")),
            )),
        }
    }

    serde::forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

struct Fields {
    left: serde_json::map::IntoIter,
    current: Option<(String, Value)>,
    written_out: bool,
}

impl<'de> MapAccess<'de> for Fields {
    type Error = InputError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, InputError> {
        self.current = self.left.next();
        match &self.current {
            Some((name, _)) => {
                let name: StringDeserializer<InputError> = name.clone().into_deserializer();
                seed.deserialize(name).map(Some)
            }
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, InputError> {
        let (name, value) = self.current.take().unwrap_or_default();
        seed.deserialize(Input {
            value,
            written_out: self.written_out,
        })
        .map_err(|error| error.within(&name))
    }
}

struct Values {
    values: std::iter::Enumerate<std::vec::IntoIter<Value>>,
    written_out: bool,
}

impl<'de> SeqAccess<'de> for Values {
    type Error = InputError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, InputError> {
        let Some((index, value)) = self.values.next() else {
            return Ok(None);
        };
        let input = Input {
            value,
            written_out: self.written_out,
        };
        seed.deserialize(input)
            .map(Some)
            .map_err(|error| error.within(&index.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;
    use crate::domain::ids::UserId;
    use crate::domain::message::ContentType;
    use crate::domain::text::MessageText;

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only whether it parses matters")]
    struct Body {
        content: MessageText,
        #[serde(default)]
        content_type: ContentType,
        member_ids: Option<Vec<UserId>>,
        page: Option<u32>,
        wanted: Option<bool>,
    }

    fn problem(value: &Value) -> (String, String, String) {
        match object::<Body>(value.to_string().as_bytes()).unwrap_err() {
            Error::Invalid { field, invalid } => (
                field.into_owned(),
                invalid.issue.into_owned(),
                invalid.reason.into_owned(),
            ),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn a_wrong_field_is_named_with_what_is_wrong() {
        let cases = [
            (json!({}), "content", "missing"),
            (json!({ "content": 5 }), "content", "wrong_type"),
            (json!({ "content": null }), "content", "wrong_type"),
            (json!({ "content": "" }), "content", "too_short"),
            (
                json!({ "content": "a", "content_type": "smell" }),
                "content_type",
                "unknown_value",
            ),
            (
                json!({ "content": "a", "content_type": 3 }),
                "content_type",
                "wrong_type",
            ),
            (
                json!({ "content": "a", "member_ids": ["x"] }),
                "member_ids.0",
                "wrong_format",
            ),
            (
                json!({ "content": "a", "member_ids": "x" }),
                "member_ids",
                "wrong_type",
            ),
            (json!({ "content": "a", "page": -1 }), "page", "out_of_range"),
            (json!({ "content": "a", "page": "1" }), "page", "wrong_type"),
            (json!({ "content": "a", "page": 1.5 }), "page", "wrong_type"),
        ];
        for (value, field, issue) in cases {
            let (found_field, found_issue, reason) = problem(&value);
            assert_eq!(
                (found_field.as_str(), found_issue.as_str()),
                (field, issue),
                "{value}: {reason}"
            );
        }
    }

    #[test]
    fn what_is_no_object_is_malformed() {
        for text in ["", "{", "[]", "null", "\"x\"", "\u{0}"] {
            assert!(
                matches!(object::<Body>(text.as_bytes()), Err(Error::Malformed(_))),
                "{text}"
            );
        }
        let deep = "[".repeat(100_000);
        assert!(matches!(
            object::<Body>(deep.as_bytes()),
            Err(Error::Malformed(_))
        ));
    }

    #[test]
    fn unknown_fields_are_ignored_and_a_query_writes_numbers_out() {
        assert!(object::<Body>(br#"{"content":"a","x":{"y":[1]}}"#).is_ok());
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let query = [pair("content", "a"), pair("page", "7"), pair("wanted", "true")];
        assert_eq!(parameters::<Body>(&query).unwrap().page, Some(7));
        assert!(parameters::<Body>(&[pair("content", "a"), pair("page", "seven")]).is_err());
    }

    #[test]
    fn a_body_is_declared_as_json_or_not_at_all() {
        let bytes = br#"{"content":"a"}"#;
        for good in [
            None,
            Some("application/json"),
            Some("Application/JSON; charset=utf-8"),
            Some("application/x+json"),
        ] {
            assert!(body::<Body>(good, bytes).is_ok(), "{good:?}");
        }
        for bad in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/jsonp",
            "",
        ] {
            assert!(
                matches!(body::<Body>(Some(bad), bytes), Err(Error::UnsupportedMediaType)),
                "{bad}"
            );
        }
    }
}
