//! Files: what they are called, what they may be, and how their first bytes show it.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

use super::ids::FileId;
use super::text::{Invalid, Text};
use super::time::Timestamp;

/// The largest file (contract §4).
pub const SIZE_LIMIT_BYTES: u64 = 10 * 1024 * 1024;

/// How many of the first bytes tell what a file is.
pub const HEAD_BYTES: usize = 512;

/// What a file is called: 1 to 255 characters, none of which is a control character or parts folders.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct FileName(String);

impl FileName {
    /// The most characters that one may have.
    pub const MAX_LENGTH: usize = 255;

    /// Takes the name if it is one.
    pub fn parse(text: String) -> Result<Self, Invalid> {
        let text = Text::<1, { Self::MAX_LENGTH }>::parse(text)?.into_string();
        if text.chars().any(char::is_control) {
            return Err(Invalid::new(
                "control_character",
                "must not contain control characters",
            ));
        }
        if text.contains(['/', '\\']) {
            return Err(Invalid::new("wrong_format", "must not name a folder"));
        }
        Ok(Self(text))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for FileName {
    /// Shows the length alone: what people call things belongs in no log.
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

/// How large a file is: 1 byte to 10 MB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileSize(u64);

impl FileSize {
    /// The size in bytes.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for FileSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        match u64::try_from(number) {
            Ok(size) if (1..=SIZE_LIMIT_BYTES).contains(&size) => Ok(Self(size)),
            _ => {
                let reason = format!("must lie between 1 and {SIZE_LIMIT_BYTES}");
                Err(serde::de::Error::custom(Invalid::new("out_of_range", reason)))
            }
        }
    }
}

impl JsonSchema for FileSize {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "FileSize".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": SIZE_LIMIT_BYTES })
    }
}

/// What a file may be. Nothing that a browser would run as a page or a script is among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum MediaType {
    /// A picture.
    #[serde(rename = "image/png")]
    Png,
    /// A photograph.
    #[serde(rename = "image/jpeg")]
    Jpeg,
    /// A picture that may move.
    #[serde(rename = "image/gif")]
    Gif,
    /// A picture of the web.
    #[serde(rename = "image/webp")]
    Webp,
    /// A film.
    #[serde(rename = "video/mp4")]
    Mp4,
    /// A film of the web.
    #[serde(rename = "video/webm")]
    Webm,
    /// A sound, also known as MP3.
    #[serde(rename = "audio/mpeg")]
    Mpeg,
    /// A sound, as Opus and Vorbis come.
    #[serde(rename = "audio/ogg")]
    Ogg,
    /// A sound as it was sampled.
    #[serde(rename = "audio/wav")]
    Wav,
    /// A sound, also known as M4A.
    #[serde(rename = "audio/mp4")]
    M4a,
    /// A document to print.
    #[serde(rename = "application/pdf")]
    Pdf,
    /// Words.
    #[serde(rename = "text/plain")]
    Plain,
    /// An archive.
    #[serde(rename = "application/zip")]
    Zip,
    /// A text document.
    #[serde(rename = "application/vnd.openxmlformats-officedocument.wordprocessingml.document")]
    Docx,
    /// A spreadsheet.
    #[serde(rename = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")]
    Xlsx,
    /// A presentation.
    #[serde(rename = "application/vnd.openxmlformats-officedocument.presentationml.presentation")]
    Pptx,
}

impl MediaType {
    /// Every type.
    pub const ALL: [Self; 16] = [
        Self::Png,
        Self::Jpeg,
        Self::Gif,
        Self::Webp,
        Self::Mp4,
        Self::Webm,
        Self::Mpeg,
        Self::Ogg,
        Self::Wav,
        Self::M4a,
        Self::Pdf,
        Self::Plain,
        Self::Zip,
        Self::Docx,
        Self::Xlsx,
        Self::Pptx,
    ];

    /// The type as HTTP writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
            Self::Mp4 => "video/mp4",
            Self::Webm => "video/webm",
            Self::Mpeg => "audio/mpeg",
            Self::Ogg => "audio/ogg",
            Self::Wav => "audio/wav",
            Self::M4a => "audio/mp4",
            Self::Pdf => "application/pdf",
            Self::Plain => "text/plain",
            Self::Zip => "application/zip",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Pptx => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        }
    }

    /// The type of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|media_type| media_type.as_str() == name)
    }

    /// Whether a file that begins so can be of this type.
    /// Source: WHATWG, *MIME Sniffing*; for archives and sounds, the formats' own specifications.
    pub fn fits(self, head: &[u8]) -> bool {
        let at = |offset: usize, magic: &[u8]| head.get(offset..).is_some_and(|rest| rest.starts_with(magic));
        match self {
            Self::Png => at(0, b"\x89PNG\r\n\x1a\n"),
            Self::Jpeg => at(0, b"\xff\xd8\xff"),
            Self::Gif => at(0, b"GIF87a") || at(0, b"GIF89a"),
            Self::Webp => at(0, b"RIFF") && at(8, b"WEBP"),
            Self::Mp4 | Self::M4a => at(4, b"ftyp"),
            Self::Webm => at(0, b"\x1a\x45\xdf\xa3"),
            // A tag, or the first frame: eleven bits set, and a layer.
            Self::Mpeg => {
                at(0, b"ID3")
                    || matches!(head, [0xff, second, ..] if second & 0xe0 == 0xe0 && second & 0x06 != 0)
            }
            Self::Ogg => at(0, b"OggS"),
            Self::Wav => at(0, b"RIFF") && at(8, b"WAVE"),
            Self::Pdf => at(0, b"%PDF-"),
            Self::Plain => is_words(head),
            // An empty archive has nothing but its end.
            Self::Zip => at(0, b"PK\x03\x04") || at(0, b"PK\x05\x06"),
            Self::Docx | Self::Xlsx | Self::Pptx => at(0, b"PK\x03\x04"),
        }
    }
}

/// Whether it begins like words and not like a page, a drawing or a program.
fn is_words(head: &[u8]) -> bool {
    const PAGES: [&str; 12] = [
        "<!doctype",
        "<!--",
        "<?xml",
        "<body",
        "<head",
        "<html",
        "<iframe",
        "<meta",
        "<script",
        "<style",
        "<svg",
        "#!",
    ];
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // The last character may be cut off.
        Err(error) if error.error_len().is_none() => {
            let whole = head.get(..error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(whole).unwrap_or_default()
        }
        Err(_) => return false,
    };
    let is_binary = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}');
    let begins = text
        .trim_start_matches('\u{feff}')
        .trim_start()
        .to_ascii_lowercase();
    !text.chars().any(is_binary) && !PAGES.iter().any(|page| begins.starts_with(page))
}

/// How far a file has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum FileStatus {
    /// Nothing has been uploaded, or nobody has looked at it.
    Pending,
    /// It was uploaded, and is what it was said to be.
    Complete,
}

/// A file, as its owner and those see it who got it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct File {
    /// Its id.
    pub file_id: FileId,
    /// What it is called.
    pub filename: FileName,
    /// What it is.
    pub content_type: MediaType,
    /// How large it is; while it is pending, how large it may be.
    pub size_bytes: u64,
    /// How far it has come.
    pub status: FileStatus,
    /// Since when there is talk of it.
    pub created_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_type_reads_back_from_its_name_and_serde_agrees() {
        for media_type in MediaType::ALL {
            assert_eq!(MediaType::of_name(media_type.as_str()), Some(media_type));
            assert_eq!(
                serde_json::to_value(media_type).unwrap(),
                serde_json::json!(media_type.as_str())
            );
        }
    }

    #[test]
    fn a_name_has_1_to_255_characters_and_no_folder() {
        for name in ["a", "a photo.png", "写真.jpg", "..", &"é".repeat(255)] {
            assert!(FileName::parse(name.to_owned()).is_ok(), "{name}");
        }
        for name in ["", "a\nb", "a/b", "..\\b", "\0", &"é".repeat(256)] {
            assert!(FileName::parse(name.to_owned()).is_err(), "{name}");
        }
    }

    #[test]
    fn the_first_bytes_tell_a_type_from_the_others() {
        let samples: [(&[u8], &[MediaType]); 14] = [
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", &[MediaType::Png]),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", &[MediaType::Jpeg]),
            (b"GIF89a\x01\0", &[MediaType::Gif]),
            (b"RIFF\x24\0\0\0WEBPVP8 ", &[MediaType::Webp]),
            (b"RIFF\x24\0\0\0WAVEfmt ", &[MediaType::Wav]),
            (b"\0\0\0\x20ftypisom\0\0\x02\0", &[MediaType::Mp4, MediaType::M4a]),
            (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81", &[MediaType::Webm]),
            (b"ID3\x04\0\0\0\0\0\x23", &[MediaType::Mpeg]),
            (b"\xff\xfb\x90\x64\0\0", &[MediaType::Mpeg]),
            (b"OggS\0\x02\0\0", &[MediaType::Ogg]),
            (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", &[MediaType::Pdf]),
            ("Grüße, <3 & mehr".as_bytes(), &[MediaType::Plain]),
            (
                b"PK\x03\x04\x14\0\x06\0",
                &[MediaType::Zip, MediaType::Docx, MediaType::Xlsx, MediaType::Pptx],
            ),
            (b"MZ\x90\0\x03\0\0\0", &[]),
        ];
        for (head, expected) in samples {
            let fits: Vec<MediaType> = MediaType::ALL
                .into_iter()
                .filter(|media_type| media_type.fits(head))
                .collect();
            assert_eq!(fits, expected, "{head:?}");
        }
    }

    #[test]
    fn a_page_is_no_plain_text() {
        for page in [
            "<!DOCTYPE html>",
            " \n<html>",
            "\u{feff}<svg xmlns=''>",
            "<?xml version='1.0'?>",
            "#!/bin/sh",
        ] {
            assert!(!MediaType::Plain.fits(page.as_bytes()), "{page}");
        }
        assert!(MediaType::Plain.fits(b""));
        // A character that the cut goes through.
        assert!(MediaType::Plain.fits(&"é".as_bytes()[..1]));
        assert!(!MediaType::Plain.fits(b"\xffwords"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_looked_at(head in proptest::collection::vec(any::<u8>(), 0..64)) {
            for media_type in MediaType::ALL {
                media_type.fits(&head);
            }
        }
    }
}
