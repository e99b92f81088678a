//! JSON in which numbers keep the text that they were written with.
//!
//! [`serde_json::Value`] reads a number into 64 bits: `1e400` is an error wherever it stands, `0.10000000000000000001`
//! becomes another number, and some doubles are read a last digit off. What clients send is read into [`Json`]
//! instead, so that a number is judged where it is used and by what it says.

use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

/// How deep values may lie within each other, as in `serde_json`.
pub const DEEPEST: usize = 128;

/// A JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as it was written.
    Number(String),
    /// A text.
    Text(String),
    /// An array.
    List(Vec<Self>),
    /// An object: each name once, with its last value.
    Object(Vec<(String, Self)>),
}

/// What was to be read is no JSON.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// It breaks the grammar of RFC 8259.
    #[error("it breaks at line {}, column {}", .0.line(), .0.column())]
    Grammar(serde_json::Error),
    /// A text in it is no Unicode: half of a surrogate pair stands alone.
    #[error("a text in it is not Unicode")]
    Text,
    /// Values lie deeper within each other than [`DEEPEST`].
    #[error("it is nested more than {DEEPEST} levels deep")]
    Depth,
}

/// A number that a double cannot hold: it would come back as another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("holds a number that a 64-bit floating-point number cannot hold exactly; send it as a text")]
pub struct Inexact;

impl Json {
    /// Reads JSON.
    ///
    /// # Errors
    /// [`Broken`] if it is none.
    pub fn parse(bytes: &[u8]) -> Result<Self, Broken> {
        let raw: &RawValue = serde_json::from_slice(bytes).map_err(Broken::Grammar)?;
        Self::of(raw, DEEPEST)
    }

    /// A value whose grammar was checked. Each level is scanned once for each that it lies under.
    fn of(raw: &RawValue, levels: usize) -> Result<Self, Broken> {
        let text = raw.get();
        let below = || levels.checked_sub(1).ok_or(Broken::Depth);
        Ok(match text.as_bytes().first() {
            Some(b'{') => {
                let levels = below()?;
                let Fields(fields) = serde_json::from_str(text).map_err(|_| Broken::Text)?;
                let mut places: HashMap<String, usize> = HashMap::with_capacity(fields.len());
                let mut object: Vec<(String, Self)> = Vec::with_capacity(fields.len());
                for (name, raw) in fields {
                    let value = Self::of(raw, levels)?;
                    let known = places.get(&name).and_then(|place| object.get_mut(*place));
                    if let Some((_, earlier)) = known {
                        *earlier = value;
                    } else {
                        places.insert(name.clone(), object.len());
                        object.push((name, value));
                    }
                }
                Self::Object(object)
            }
            Some(b'[') => {
                let levels = below()?;
                let values: Vec<&RawValue> = serde_json::from_str(text).map_err(|_| Broken::Text)?;
                let values = values.into_iter().map(|raw| Self::of(raw, levels));
                Self::List(values.collect::<Result<_, _>>()?)
            }
            Some(b'"') => Self::Text(serde_json::from_str(text).map_err(|_| Broken::Text)?),
            Some(b't') => Self::Bool(true),
            Some(b'f') => Self::Bool(false),
            Some(b'n') => Self::Null,
            _ => Self::Number(text.to_owned()),
        })
    }

    /// The same value with numbers of 64 bits.
    ///
    /// # Errors
    /// [`Inexact`] if one of them would become another number.
    pub fn into_value(self) -> Result<Value, Inexact> {
        Ok(match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Number(text) => Value::Number(exact(&text)?),
            Self::Text(text) => Value::String(text),
            Self::List(values) => Value::Array(
                values
                    .into_iter()
                    .map(Self::into_value)
                    .collect::<Result<_, _>>()?,
            ),
            Self::Object(fields) => {
                let field = |(name, value): (String, Self)| Ok((name, value.into_value()?));
                Value::Object(fields.into_iter().map(field).collect::<Result<Map<_, _>, _>>()?)
            }
        })
    }
}

/// A number in 64 bits: a whole one if it is written as such and fits, else the double that it is.
///
/// # Errors
/// [`Inexact`] if it is none of these.
pub fn exact(text: &str) -> Result<Number, Inexact> {
    if let Ok(number) = text.parse::<u64>() {
        return Ok(number.into());
    }
    if let Ok(number) = text.parse::<i64>() {
        return Ok(number.into());
    }
    let double: f64 = text.parse().map_err(|_| Inexact)?;
    let number = Number::from_f64(double).ok_or(Inexact)?;
    // The shortest decimal that means this double is what everybody gets to read. Where two are as short and as near,
    // writers differ: of …427.25, whose neighbours are an eighth away, Rust and JavaScript write …427.2, `serde_json`
    // …427.3.
    let shortest = [format!("{double:e}"), number.to_string()];
    if shortest.iter().any(|shortest| decimal(text) == decimal(shortest)) {
        Ok(number)
    } else {
        Err(Inexact)
    }
}

/// A whole number, however it is written: `1`, `1.0` and `1e0` are one (JSON Schema 2020-12 §6.1.1 of *Validation*).
pub fn whole(text: &str) -> Option<i128> {
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let number: f64 = text.parse().ok()?;
    // All whole doubles below 2^64 are whole numbers of 128 bits.
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and within bounds")]
    (number.fract() == 0.0 && number.abs() < 18_446_744_073_709_551_616.0).then_some(number as i128)
}

/// The value that a number's text stands for: its sign, its digits without zeros around them, and the power of ten of
/// the last one; none where the exponent is beyond all bounds.
fn decimal(text: &str) -> Option<(bool, String, i64)> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0').trim_end_matches('0').to_owned();
    if significant.is_empty() {
        // Zero is zero, whatever its sign and its exponent.
        return Some((false, significant, 0));
    }
    let zeros = digits.len() - digits.trim_end_matches('0').len();
    let shift = i64::try_from(zeros).ok()? - i64::try_from(fraction.len()).ok()?;
    let exponent = exponent.trim_start_matches('+').parse::<i64>().ok()?;
    Some((negative, significant, exponent.checked_add(shift)?))
}

/// The fields of an object, as they stand there.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Fields<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Names)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(text: &str) -> Result<Value, Inexact> {
        Json::parse(text.as_bytes()).unwrap().into_value()
    }

    proptest! {
        /// `serde_json` reads one double in some thousands a last digit off.
        #[test]
        fn a_double_comes_back_as_it_went(number in any::<f64>().prop_filter("JSON knows finite ones", |number| number.is_finite())) {
            let text = Value::from(number).to_string();
            let read = value(&text).unwrap();
            prop_assert_eq!(read.as_f64().unwrap().to_bits(), number.to_bits());
            prop_assert_eq!(read.to_string(), text);
        }

        /// Doubles that lie halfway between two decimals of the same length: writers differ in which they take.
        #[test]
        fn of_two_shortest_decimals_both_are_read(eighths in 1_u64 << 52..1 << 53) {
            #[expect(clippy::cast_precision_loss, reason = "53 bits are held exactly")]
            let number = eighths as f64 / 8.0;
            for text in [Value::from(number).to_string(), format!("{number}")] {
                let read = value(&text).unwrap();
                prop_assert_eq!(read.as_f64().unwrap().to_bits(), number.to_bits());
            }
        }

        #[test]
        fn a_whole_number_comes_back_as_it_went(number in any::<i64>(), large in any::<u64>()) {
            prop_assert_eq!(value(&number.to_string()).unwrap(), Value::from(number));
            prop_assert_eq!(value(&large.to_string()).unwrap(), Value::from(large));
        }

        #[test]
        fn what_serde_json_writes_is_read(text in "\\PC{0,20}", number in any::<i32>(), flag in any::<bool>()) {
            let written = serde_json::json!({ &text: [number, flag, null_or(flag)], "x": { "y": text } });
            prop_assert_eq!(value(&written.to_string()).unwrap(), written);
        }

        #[test]
        fn no_bytes_end_the_parser(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            drop(Json::parse(&bytes).map(Json::into_value));
        }
    }

    fn null_or(flag: bool) -> Value {
        if flag { Value::Null } else { Value::from("x") }
    }

    #[test]
    fn a_number_that_no_double_holds_is_none() {
        for text in [
            "1e400",
            "-1e999999999999999999999",
            "0.10000000000000000001",
            "12345678901234567890123",
            "18446744073709551616",
            "9007199254740993.0",
            "1e-400",
        ] {
            assert_eq!(value(text), Err(Inexact), "{text}");
            assert_eq!(value(&format!(r#"{{"a":[{text}]}}"#)), Err(Inexact), "{text}");
        }
        for text in [
            "0", "-0", "0.1", "1.10", "1E2", "1e+2", "100e-2", "0e999", "5e-324", "1e23",
        ] {
            assert!(value(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_whole_number_may_be_written_in_any_way() {
        for (text, number) in [
            ("1", 1),
            ("1.0", 1),
            ("1e0", 1),
            ("-2.50e1", -25),
            ("1E3", 1000),
            ("0.0", 0),
        ] {
            assert_eq!(whole(text), Some(number), "{text}");
        }
        for text in ["1.5", "1e400", "1e-1", "x"] {
            assert_eq!(whole(text), None, "{text}");
        }
    }

    #[test]
    fn of_equal_names_the_last_counts() {
        assert_eq!(
            value(r#"{"a":1,"b":2,"a":3}"#).unwrap(),
            serde_json::json!({ "a": 3, "b": 2 })
        );
    }

    #[test]
    fn what_is_broken_is_said() {
        let broken = |text: &str| Json::parse(text.as_bytes()).unwrap_err();
        for text in ["", " ", "{", "[1,]", "01", "\"\u{1}\"", "{\"a\":1} x", "nul"] {
            assert!(matches!(broken(text), Broken::Grammar(_)), "{text}");
        }
        for text in [r#""\ud800""#, r#"{"\udc00":1}"#, r#"[{"a":"\ud800x"}]"#] {
            assert!(matches!(broken(text), Broken::Text), "{text}");
        }
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(Json::parse(nested(DEEPEST).as_bytes()).is_ok());
        assert!(matches!(broken(&nested(DEEPEST + 1)), Broken::Depth));
        assert!(matches!(broken(&nested(100_000)), Broken::Depth));
    }
}
