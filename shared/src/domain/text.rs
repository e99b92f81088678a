//! Texts that clients choose, parsed once on input.
//!
//! Lengths count Unicode scalar values; nothing is trimmed, escaped or normalized (contract §1, *Text*).

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

/// Why a value was refused: a machine-readable code, and the rest of a sentence that begins with the field's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The code, e.g. `too_long`.
    pub issue: Cow<'static, str>,
    /// E.g. `is 2001 characters long; at most 2000 are allowed`.
    pub reason: Cow<'static, str>,
}

impl Invalid {
    /// A refusal.
    pub fn new(issue: impl Into<Cow<'static, str>>, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            issue: issue.into(),
            reason: reason.into(),
        }
    }
}

/// `issue: reason`, the form in which a refusal passes through serde; [`crate::http::input`] parses it.
impl fmt::Display for Invalid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.issue, self.reason)
    }
}

impl std::error::Error for Invalid {}

/// A text of `MIN` to `MAX` Unicode scalar values, without control characters except newline, carriage return and tab.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Text<const MIN: usize, const MAX: usize>(String);

/// The content of a message in a conversation (S1-N04).
pub type MessageText = Text<1, 2000>;
/// The name of a group (contract §2).
pub type ConversationName = Text<1, 100>;
/// The description of a group. The contract sets no limit; without one, every read of the conversation would be more
/// expensive.
pub type ConversationDescription = Text<0, 500>;

impl<const MIN: usize, const MAX: usize> Text<MIN, MAX> {
    /// Parses a text.
    pub fn parse(text: String) -> Result<Self, Invalid> {
        let length = text.chars().count();
        if length < MIN {
            let reason = if length == 0 {
                Cow::Borrowed("must not be empty")
            } else {
                format!("is {length} characters long; at least {MIN} are needed").into()
            };
            return Err(Invalid::new("too_short", reason));
        }
        if length > MAX {
            let reason = format!("is {length} characters long; at most {MAX} are allowed");
            return Err(Invalid::new("too_long", reason));
        }
        let forbidden = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
        if text.chars().any(forbidden) {
            return Err(Invalid::new(
                "control_character",
                "must not contain control characters",
            ));
        }
        Ok(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Consumes it.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl<const MIN: usize, const MAX: usize> fmt::Debug for Text<MIN, MAX> {
    /// Shows only the length: user content must not be logged.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Text({} bytes)", self.0.len())
    }
}

impl<'de, const MIN: usize, const MAX: usize> Deserialize<'de> for Text<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl<const MIN: usize, const MAX: usize> JsonSchema for Text<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Text{MIN}To{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": MIN, "maxLength": MAX })
    }
}

/// A [`Text`] without line breaks.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Line<const MIN: usize, const MAX: usize>(Text<MIN, MAX>);

impl<const MIN: usize, const MAX: usize> Line<MIN, MAX> {
    /// Parses a line.
    pub fn parse(text: String) -> Result<Self, Invalid> {
        let text = Text::parse(text)?;
        if text.as_str().contains(['\n', '\r']) {
            return Err(Invalid::new("line_break", "must not contain line breaks"));
        }
        Ok(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl<const MIN: usize, const MAX: usize> fmt::Debug for Line<MIN, MAX> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl<'de, const MIN: usize, const MAX: usize> Deserialize<'de> for Line<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl<const MIN: usize, const MAX: usize> JsonSchema for Line<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Line{MIN}To{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": MIN, "maxLength": MAX, "pattern": "^[^\\r\\n]*$" })
    }
}

/// A reason in free text. It must not be blank.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Reason<const MAX: usize>(Text<1, MAX>);

impl<const MAX: usize> Reason<MAX> {
    /// Parses a reason.
    pub fn parse(text: String) -> Result<Self, Invalid> {
        let text = Text::parse(text)?;
        if text.as_str().trim().is_empty() {
            return Err(Invalid::new("too_short", "must not be blank"));
        }
        Ok(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl<const MAX: usize> fmt::Debug for Reason<MAX> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for Reason<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl<const MAX: usize> JsonSchema for Reason<MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("ReasonTo{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "maxLength": MAX, "pattern": "\\S" })
    }
}

/// The client's id of a request that may be retried: 1 to 128 visible ASCII characters, `!` to `~`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ClientMessageId(String);

impl ClientMessageId {
    /// The maximum length in characters.
    pub const MAX_LENGTH: usize = 128;

    /// Parses an id.
    pub fn parse(text: String) -> Result<Self, Invalid> {
        let length = text.chars().count();
        if length == 0 {
            return Err(Invalid::new("too_short", "must not be empty"));
        }
        if length > Self::MAX_LENGTH {
            let reason = format!(
                "is {length} characters long; at most {} are allowed",
                Self::MAX_LENGTH
            );
            return Err(Invalid::new("too_long", reason));
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Invalid::new(
                "wrong_format",
                "must consist of visible ASCII characters",
            ));
        }
        Ok(Self(text))
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for ClientMessageId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for ClientMessageId {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ClientMessageId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "maxLength": Self::MAX_LENGTH, "pattern": "^[!-~]+$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issue(text: &str) -> String {
        MessageText::parse(text.to_owned())
            .unwrap_err()
            .issue
            .into_owned()
    }

    #[test]
    fn a_message_has_1_to_2000_characters_however_many_bytes() {
        assert!(MessageText::parse("é".repeat(2000)).is_ok());
        assert!(MessageText::parse("👩‍🚀".repeat(666)).is_ok());
        assert_eq!(issue(""), "too_short");
        assert_eq!(issue(&"a".repeat(2001)), "too_long");
    }

    #[test]
    fn control_characters_are_refused_but_for_line_ends_and_tabs() {
        assert!(MessageText::parse("a\tb\r\nc".to_owned()).is_ok());
        for text in ["\0", "a\u{7f}", "\u{85}", "\u{1b}[31m"] {
            assert_eq!(issue(text), "control_character");
        }
    }

    #[test]
    fn a_line_has_no_line_ends() {
        type Subject = Line<1, 255>;
        assert!(Subject::parse("Tea\tat four?".to_owned()).is_ok());
        for text in ["a\nb", "a\r\nBcc: b", "\r", "a\n"] {
            assert_eq!(Subject::parse(text.to_owned()).unwrap_err().issue, "line_break");
        }
        assert_eq!(Subject::parse(String::new()).unwrap_err().issue, "too_short");
    }

    #[test]
    fn a_reason_says_something() {
        assert_eq!(
            Reason::<9>::parse(" spam ".to_owned()).unwrap().as_str(),
            " spam "
        );
        for text in ["", " ", "\n\t", "\u{a0}\u{3000}"] {
            assert_eq!(
                Reason::<9>::parse(text.to_owned()).unwrap_err().issue,
                "too_short",
                "{text:?}"
            );
        }
        assert_eq!(Reason::<9>::parse("x".repeat(10)).unwrap_err().issue, "too_long");
    }

    #[test]
    fn a_client_message_id_is_visible_ascii() {
        assert!(ClientMessageId::parse("!~a-1".to_owned()).is_ok());
        for text in ["", "a b", "é", &"x".repeat(129)] {
            assert!(ClientMessageId::parse(text.to_owned()).is_err(), "{text}");
        }
    }
}
