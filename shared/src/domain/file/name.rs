//! File names: which are accepted, which are corrected, and which are refused.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};
use unicode_general_category::{GeneralCategory, get_general_category};
use unicode_normalization::UnicodeNormalization as _;

use super::MediaType;
use crate::domain::text::{Invalid, Text};

/// A file name that is safe to show and to save under: 1 to 255 characters in Unicode normalization form C.
///
/// Every new name passes [`FileName::parse`] and [`FileName::for_type`]; the API document of `create_file` describes
/// what these refuse and correct.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct FileName(String);

impl FileName {
    /// The maximum length in characters, before and after correction.
    pub const MAX_LENGTH: usize = 255;

    /// Parses a name: normalizes it to NFC, and removes surrounding white space and trailing dots.
    ///
    /// # Errors
    /// - `too_short`, `too_long`: it has fewer than 1 or more than [`FileName::MAX_LENGTH`] characters.
    /// - `control_character`: a control character, a separator of lines, or a character that changes the direction of
    ///   writing, which can make `txt.exe` look like `exe.txt` (Unicode Technical Report 36, §2.5).
    /// - `wrong_format`: it contains `/` or `\`.
    /// - `reserved_name`: it begins with a dot, as `..` and `.htaccess` do, or Windows takes it for a device.
    /// - `no_visible_character`: it has no visible character apart from its extension.
    pub fn parse(text: String) -> Result<Self, Invalid> {
        let text = Text::<1, { Self::MAX_LENGTH }>::parse(text)?.into_string();
        if text.chars().any(is_control) {
            return Err(Invalid::new(
                "control_character",
                "must not contain control characters or characters that change the direction of writing",
            ));
        }
        if text.contains(['/', '\\']) {
            return Err(Invalid::new(
                "wrong_format",
                "must not contain a slash or backslash",
            ));
        }
        let text: String = text.nfc().collect();
        let text = text.trim_start();
        if text.starts_with('.') {
            return Err(Invalid::new("reserved_name", "must not begin with a dot"));
        }
        // Windows removes trailing dots and blanks: `a.exe.` and `a.exe ` are both saved as `a.exe`.
        let text = text.trim_end_matches(|c: char| c == '.' || c.is_whitespace());
        if is_device(text) {
            let reason = "must not be the name of a device of Windows, such as CON or NUL.txt";
            return Err(Invalid::new("reserved_name", reason));
        }
        let stem = text.rsplit_once('.').map_or(text, |(stem, _)| stem);
        if !stem.chars().any(is_visible) {
            return Err(Invalid::new(
                "no_visible_character",
                "must have a visible character before its extension",
            ));
        }
        Self::within_limit(text.to_owned())
    }

    /// The name for a file of a type: unchanged if its extension fits the type, else with the type's own extension
    /// appended.
    ///
    /// # Errors
    /// `too_long`: there is no room for the extension.
    pub fn for_type(self, media_type: MediaType) -> Result<Self, Invalid> {
        let extensions = media_type.extensions();
        let has_one = self.0.rsplit_once('.').is_some_and(|(_, extension)| {
            extensions
                .iter()
                .any(|known| known.eq_ignore_ascii_case(extension))
        });
        match extensions.first() {
            Some(own) if !has_one => Self::within_limit(format!("{}.{own}", self.0)),
            _ => Ok(self),
        }
    }

    /// A stored name, whatever rules were in force then.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    fn within_limit(text: String) -> Result<Self, Invalid> {
        let length = text.chars().count();
        if length > Self::MAX_LENGTH {
            let reason = format!(
                "is {length} characters long, normalized and with its extension; at most {} are allowed",
                Self::MAX_LENGTH
            );
            return Err(Invalid::new("too_long", reason));
        }
        Ok(Self(text))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a character affects how text is displayed: a control character, a line or paragraph separator, or a
/// bidirectional control.
/// Source: Unicode Standard Annex 9, §2, and property `Bidi_Control`.
fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}')
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a character is visible by itself.
fn is_visible(c: char) -> bool {
    use GeneralCategory as Category;
    // Blank letters and symbols: Hangul fillers, and the blank Braille pattern.
    if matches!(c, '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{2800}') {
        return false;
    }
    !matches!(
        get_general_category(c),
        Category::Control
            | Category::Format
            | Category::Surrogate
            | Category::Unassigned
            | Category::SpaceSeparator
            | Category::LineSeparator
            | Category::ParagraphSeparator
            | Category::NonspacingMark
            | Category::EnclosingMark
    )
}

/// Whether Windows treats a name as a device, whatever follows its first dot or colon.
/// Source: Microsoft, *Naming Files, Paths, and Namespaces*.
fn is_device(name: &str) -> bool {
    let stem = name.split(['.', ':']).next().unwrap_or_default();
    let stem = stem.trim_end().to_ascii_uppercase();
    if ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"].contains(&stem.as_str()) {
        return true;
    }
    let port = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
    let mut rest = port.unwrap_or_default().chars();
    matches!(
        (rest.next(), rest.next()),
        (Some('0'..='9' | '¹' | '²' | '³'), None)
    )
}

impl std::fmt::Debug for FileName {
    /// Shows only the length: file names must not be logged.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "FileName({} bytes)", self.0.len())
    }
}

impl<'de> Deserialize<'de> for FileName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for FileName {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "FileName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "maxLength": Self::MAX_LENGTH })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(name: &str) -> Result<FileName, Invalid> {
        FileName::parse(name.to_owned())
    }

    fn issue(name: &str) -> String {
        parse(name).expect_err(name).issue.into_owned()
    }

    #[test]
    fn ordinary_names_are_taken_as_they_are() {
        for name in [
            "a",
            "a photo.png",
            "写真.jpg",
            "قرارداد.pdf",
            "می\u{200c}خواهم.txt",
            "👨\u{200d}👩\u{200d}👧.png",
            "concert.mp3",
            "com10.txt",
            "Häfen \"2026\".jpg",
            "a: b?.txt",
            &"é".repeat(255),
        ] {
            assert_eq!(parse(name).expect(name).as_str(), name);
        }
    }

    #[test]
    fn what_can_be_mended_is_mended() {
        for (name, mended) in [
            ("Gru\u{308}ße.txt", "Grüße.txt"),
            (" \u{3000}a.txt\u{a0}", "a.txt"),
            ("a.txt. .", "a.txt"),
            ("a...", "a"),
        ] {
            assert_eq!(parse(name).expect(name).as_str(), mended);
        }
    }

    #[test]
    fn what_deceives_or_is_reserved_is_refused() {
        for (name, expected) in [
            ("", "too_short"),
            (&"é".repeat(256), "too_long"),
            ("a\nb", "control_character"),
            ("a\0", "control_character"),
            ("a\u{7f}", "control_character"),
            ("a\u{85}b", "control_character"),
            ("a\u{2028}b", "control_character"),
            ("a\u{202e}txt.exe", "control_character"),
            ("a\u{2067}b", "control_character"),
            ("a\u{200f}b", "control_character"),
            ("a/b", "wrong_format"),
            ("..\\b", "wrong_format"),
            (".", "reserved_name"),
            ("..", "reserved_name"),
            (" ..", "reserved_name"),
            (".htaccess", "reserved_name"),
            (".png", "reserved_name"),
            ("CON", "reserved_name"),
            ("con.txt", "reserved_name"),
            ("Nul .tar.gz", "reserved_name"),
            ("COM1", "reserved_name"),
            ("lpt³.txt", "reserved_name"),
            ("aux:b.txt", "reserved_name"),
            ("   ", "no_visible_character"),
            ("\u{200b}", "no_visible_character"),
            ("\u{200b}\u{feff}.png", "no_visible_character"),
            ("\u{3164}.png", "no_visible_character"),
            ("\u{301}.png", "no_visible_character"),
        ] {
            assert_eq!(issue(name), expected, "{name:?}");
        }
    }

    #[test]
    fn an_extension_that_fits_stays_and_another_gets_company() {
        for (name, media_type, expected) in [
            ("a.PNG", MediaType::Png, "a.PNG"),
            ("a.jpeg", MediaType::Jpeg, "a.jpeg"),
            ("a", MediaType::Jpeg, "a.jpg"),
            ("a.txt.exe", MediaType::Plain, "a.txt.exe.txt"),
            ("notes.md", MediaType::Plain, "notes.md"),
            ("page.html", MediaType::Plain, "page.html.txt"),
            ("a.txt\u{200b}", MediaType::Plain, "a.txt\u{200b}.txt"),
            ("film.mp4", MediaType::M4a, "film.mp4"),
        ] {
            let name = parse(name).unwrap().for_type(media_type).unwrap();
            assert_eq!(name.as_str(), expected);
        }
        let long = parse(&"é".repeat(252)).unwrap();
        assert_eq!(long.for_type(MediaType::Png).unwrap_err().issue, "too_long");
    }

    /// Characters with special rules are generated more often than others.
    fn names() -> impl Strategy<Value = String> {
        let special = prop::sample::select(
            ". \u{301}\u{308}\u{200b}\u{202e}\u{feff}\u{3000}\u{958}:-conexpgtCONu1"
                .chars()
                .collect::<Vec<char>>(),
        );
        let character = prop_oneof![3 => special, 1 => any::<char>()];
        prop::collection::vec(character, 0..20).prop_map(String::from_iter)
    }

    proptest! {
        /// An accepted name is safe, is unchanged when it is parsed again, and fits its type.
        #[test]
        fn a_name_that_is_taken_is_safe(name in names(), index in 0..MediaType::ALL.len()) {
            let media_type = MediaType::ALL[index];
            if let Ok(taken) = FileName::parse(name).and_then(|name| name.for_type(media_type)) {
                let text = taken.as_str();
                prop_assert!(unicode_normalization::is_nfc(text));
                prop_assert!(!text.chars().any(|c| is_control(c) || matches!(c, '/' | '\\')));
                prop_assert!(!text.starts_with('.') && !text.ends_with(['.', ' ']));
                prop_assert!((1..=FileName::MAX_LENGTH).contains(&text.chars().count()));
                prop_assert!(!is_device(text));
                let (stem, extension) = text.rsplit_once('.').unwrap();
                prop_assert!(stem.chars().any(is_visible));
                prop_assert!(media_type.extensions().contains(&extension.to_ascii_lowercase().as_str()));
                let again = parse(text).unwrap().for_type(media_type).unwrap();
                prop_assert_eq!(again.as_str(), text);
            }
        }
    }
}
