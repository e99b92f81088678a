//! Deserializes JSON, a query or a path into typed input, with errors that name the field and the problem.
//!
//! serde's own messages mention Rust types and lines; a client needs a field and a machine-readable code. This is a
//! deserializer over parsed JSON whose error type has both. It also defines equivalences: `null` is an absent field,
//! `1.0` is the integer 1, and values in a query are text.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::StringDeserializer;
use serde::de::{
    self, Deserialize as _, DeserializeOwned, DeserializeSeed, Deserializer, Expected, IntoDeserializer,
    MapAccess, SeqAccess, Unexpected, Visitor,
};

use crate::domain::json::{self, Json};
use crate::domain::text::Invalid;
use crate::error::{Error, Result};

use super::request::Request;

/// Input of a route that takes none; whatever comes is ignored.
#[derive(Clone, Copy, Debug, Default, serde::Deserialize, schemars::JsonSchema)]
pub struct Nothing {}

/// Reads a JSON body of at most `limit` bytes; see [`super::limit`].
///
/// # Errors
/// [`Error::UnsupportedMediaType`] if it is declared as another type or as encoded, [`Error::PayloadTooLarge`],
/// [`Error::Malformed`] if it is not a JSON object, [`Error::Invalid`] with the invalid field.
pub fn body<T: DeserializeOwned>(request: &Request, limit: impl FnOnce() -> usize) -> Result<T> {
    // A body without a declared type is treated as JSON.
    if !request.header("content-type").is_none_or(is_json) {
        return Err(Error::UnsupportedMediaType("the body must be application/json"));
    }
    let encoding = request.header("content-encoding").map(str::trim);
    if !encoding.is_none_or(|encoding| encoding.is_empty() || encoding.eq_ignore_ascii_case("identity")) {
        return Err(Error::UnsupportedMediaType(
            "the body must come without a Content-Encoding",
        ));
    }
    let bytes = request.body();
    // A small body is within every limit, so the type need not be inspected.
    if bytes.len() > super::limit::USUAL_BYTES {
        let limit_bytes = limit();
        if bytes.len() > limit_bytes {
            return Err(Error::PayloadTooLarge { limit_bytes });
        }
    }
    object(bytes)
}

/// Whether a media type is one of JSON.
fn is_json(content_type: &str) -> bool {
    let media_type = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    media_type == "application/json"
        || (media_type.starts_with("application/") && media_type.ends_with("+json"))
}

/// Reads a JSON object.
pub fn object<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    match Json::parse(bytes) {
        Ok(value @ Json::Object(_)) => typed(value, false).map_err(Error::from),
        Ok(_) => Err(Error::Malformed("the body must be a JSON object".into())),
        // The position of the syntax error, without quoting the body.
        Err(broken) => Err(Error::Malformed(format!("the body is not JSON: {broken}").into())),
    }
}

/// Reads the parameters of a query, in which numbers and booleans are text.
pub fn query<T: DeserializeOwned>(parameters: &[(String, String)]) -> Result<T> {
    typed(written_out(parameters), true).map_err(Error::from)
}

/// Reads a query as two types; each ignores the fields of the other.
pub fn both<'de, A: DeserializeOwned, B: DeserializeOwned, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<(A, B), D::Error> {
    let values = BTreeMap::<String, String>::deserialize(deserializer)?;
    let values: Vec<(String, String)> = values.into_iter().collect();
    let refused = |error: Error| match error {
        Error::Invalid { field, invalid } => {
            de::Error::custom(format!("{}@{field}: {}", invalid.issue, invalid.reason))
        }
        other => de::Error::custom(other),
    };
    Ok((query(&values).map_err(refused)?, query(&values).map_err(refused)?))
}

/// Reads the parameters of a path. An invalid id refers to nothing: 404.
pub fn path<T: DeserializeOwned>(parameters: &[(String, String)]) -> Result<T> {
    typed(written_out(parameters), true).map_err(|error| Error::NotFound(error.noun.unwrap_or("resource")))
}

/// An object of texts; of several equal names the last one counts.
fn written_out(parameters: &[(String, String)]) -> Json {
    let mut fields: Vec<(String, Json)> = Vec::with_capacity(parameters.len());
    for (name, value) in parameters {
        let value = Json::Text(value.clone());
        match fields.iter_mut().find(|(known, _)| known == name) {
            Some((_, earlier)) => *earlier = value,
            None => fields.push((name.clone(), value)),
        }
    }
    Json::Object(fields)
}

fn typed<T: DeserializeOwned>(value: Json, written_out: bool) -> Result<T, InputError> {
    T::deserialize(Input { value, written_out })
}

impl From<InputError> for Error {
    fn from(error: InputError) -> Self {
        let field = if error.field.is_empty() {
            Cow::Borrowed("body")
        } else {
            Cow::Owned(error.field)
        };
        Self::Invalid {
            field,
            invalid: error.invalid,
        }
    }
}
/// A value to be deserialized.
struct Input {
    value: Json,
    /// Whether numbers and booleans are text.
    written_out: bool,
}

/// What is invalid, and where.
#[derive(Debug)]
struct InputError {
    field: String,
    invalid: Invalid,
    /// The noun of the id type, if an id is invalid.
    noun: Option<&'static str>,
}

impl InputError {
    fn new(issue: impl Into<Cow<'static, str>>, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            field: String::new(),
            invalid: Invalid::new(issue, reason),
            noun: None,
        }
    }

    /// The error of a number that is not an integer.
    fn not_whole() -> Self {
        Self::new("wrong_type", "must be a whole number")
    }

    /// The same error, prefixed with the name of an enclosing field.
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
    /// Parses what [`Invalid`]'s `Display` produces, or [`both`], which includes the field.
    fn custom<T: fmt::Display>(message: T) -> Self {
        let text = message.to_string();
        let parts = text.split_once(": ").map(|(head, reason)| {
            let (issue, field) = head.split_once('@').unwrap_or((head, ""));
            (issue, field, reason)
        });
        match parts {
            Some((issue, field, reason))
                if issue
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'_') =>
            {
                Self {
                    field: field.to_owned(),
                    ..Self::new(issue.to_owned(), reason.to_owned())
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

macro_rules! whole_number {
    ($($method:ident => $type:ty, $visit:ident;)*) => {
        $(
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InputError> {
                let number = match &self.value {
                    Json::Number(text) => json::whole(text).ok_or_else(|| match text.parse::<f64>() {
                        // An integer out of all bounds.
                        Ok(number) if number.fract() == 0.0 || number.is_infinite() => out_of_range(),
                        _ => InputError::not_whole(),
                    })?,
                    Json::Text(text) if self.written_out => written_whole(text).ok_or_else(InputError::not_whole)?,
                    _ => return self.deserialize_any(visitor),
                };
                visitor.$visit(<$type>::try_from(number).map_err(|_| out_of_range())?)
            }
        )*
    };
}

fn out_of_range() -> InputError {
    InputError::new("out_of_range", "is out of range")
}

/// An integer in a query: digits, and possibly a fraction of zeros.
fn written_whole(text: &str) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_nothing = !fraction.is_empty() && fraction.bytes().all(|digit| digit == b'0');
    if is_nothing { whole.parse().ok() } else { None }
}

impl<'de> Deserializer<'de> for Input {
    type Error = InputError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InputError> {
        match self.value {
            Json::Null => visitor.visit_unit(),
            Json::Bool(value) => visitor.visit_bool(value),
            Json::Number(text) => {
                let number =
                    json::exact(&text).map_err(|inexact| InputError::new("inexact", inexact.to_string()))?;
                if let Some(number) = number.as_u64() {
                    visitor.visit_u64(number)
                } else if let Some(number) = number.as_i64() {
                    visitor.visit_i64(number)
                } else {
                    visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN))
                }
            }
            Json::Text(text) => visitor.visit_string(text),
            Json::List(values) => visitor.visit_seq(Values {
                values: values.into_iter().enumerate(),
                written_out: self.written_out,
            }),
            Json::Object(fields) => visitor.visit_map(Fields {
                left: fields.into_iter(),
                current: None,
                written_out: self.written_out,
            }),
        }
    }

    /// A field that is null counts as absent, whether it has a default or is an `Option`.
    fn deserialize_struct<V: Visitor<'de>>(
        mut self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, InputError> {
        let mut nulls = Vec::new();
        if let Json::Object(fields) = &mut self.value {
            fields.retain(|(name, value)| {
                let is_null = *value == Json::Null;
                if is_null {
                    nulls.push(name.clone());
                }
                !is_null
            });
        }
        self.deserialize_any(visitor).map_err(|error| {
            let was_null = error.invalid.issue == "missing" && nulls.contains(&error.field);
            if was_null {
                InputError::new("wrong_type", "must not be null").within(&error.field)
            } else {
                error
            }
        })
    }

    /// Ignored values may hold any number.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InputError> {
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InputError> {
        match self.value {
            Json::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InputError> {
        match &self.value {
            Json::Text(text) if self.written_out => match text.to_ascii_lowercase().as_str() {
                // Python writes booleans capitalized, others as numbers.
                "true" | "1" => visitor.visit_bool(true),
                "false" | "0" => visitor.visit_bool(false),
                _ => Err(InputError::new("wrong_type", "must be true or false")),
            },
            _ => self.deserialize_any(visitor),
        }
    }

    whole_number! {
        deserialize_i8 => i8, visit_i8;
        deserialize_i16 => i16, visit_i16;
        deserialize_i32 => i32, visit_i32;
        deserialize_i64 => i64, visit_i64;
        deserialize_u8 => u8, visit_u8;
        deserialize_u16 => u16, visit_u16;
        deserialize_u32 => u32, visit_u32;
        deserialize_u64 => u64, visit_u64;
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, InputError> {
        // Id types are recognized by their noun: see `domain::ids`.
        visitor.visit_newtype_struct(self).map_err(|error| InputError {
            noun: error.noun.or(Some(name)),
            ..error
        })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, InputError> {
        match self.value {
            Json::Text(text) => {
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
        char f32 f64 str string bytes byte_buf unit unit_struct seq tuple tuple_struct map identifier
    }
}

struct Fields {
    left: std::vec::IntoIter<(String, Json)>,
    current: Option<(String, Json)>,
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
        let (name, value) = self.current.take().unwrap_or((String::new(), Json::Null));
        seed.deserialize(Input {
            value,
            written_out: self.written_out,
        })
        .map_err(|error| error.within(&name))
    }
}

struct Values {
    values: std::iter::Enumerate<std::vec::IntoIter<Json>>,
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
