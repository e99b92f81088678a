//! The types that a file may have.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The type of a file. Excludes types that a browser would run as a page or a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum MediaType {
    /// PNG image.
    #[serde(rename = "image/png")]
    Png,
    /// JPEG image.
    #[serde(rename = "image/jpeg")]
    Jpeg,
    /// GIF image, animated or not.
    #[serde(rename = "image/gif")]
    Gif,
    /// WebP image.
    #[serde(rename = "image/webp")]
    Webp,
    /// MP4 video.
    #[serde(rename = "video/mp4")]
    Mp4,
    /// WebM video.
    #[serde(rename = "video/webm")]
    Webm,
    /// MPEG audio: MP3, and layers I and II.
    #[serde(rename = "audio/mpeg")]
    Mpeg,
    /// Audio in an Ogg container: Opus, Vorbis, Speex or FLAC.
    #[serde(rename = "audio/ogg")]
    Ogg,
    /// WAVE audio.
    #[serde(rename = "audio/wav")]
    Wav,
    /// Audio in an MP4 container (M4A).
    #[serde(rename = "audio/mp4")]
    M4a,
    /// PDF document.
    #[serde(rename = "application/pdf")]
    Pdf,
    /// Plain text in any encoding.
    #[serde(rename = "text/plain")]
    Plain,
    /// ZIP archive.
    #[serde(rename = "application/zip")]
    Zip,
    /// Word document without macros.
    #[serde(rename = "application/vnd.openxmlformats-officedocument.wordprocessingml.document")]
    Docx,
    /// Excel workbook without macros.
    #[serde(rename = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")]
    Xlsx,
    /// PowerPoint presentation without macros.
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

    /// The file extensions of the type, in lower case; the first one is appended to names without any of them.
    ///
    /// For plain text these are kinds of text that no program runs. Scripts, pages and configuration files are text
    /// too, but get `.txt` appended.
    pub const fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Png => &["png", "apng"],
            Self::Jpeg => &["jpg", "jpeg", "jpe", "jfif"],
            Self::Gif => &["gif"],
            Self::Webp => &["webp"],
            Self::Mp4 => &["mp4", "m4v", "mp4v", "mpg4"],
            Self::Webm => &["webm"],
            Self::Mpeg => &["mp3", "mp2", "mp1", "mpga"],
            Self::Ogg => &["ogg", "oga", "opus", "spx"],
            Self::Wav => &["wav", "wave"],
            Self::M4a => &["m4a", "mp4", "mp4a", "m4b"],
            Self::Pdf => &["pdf"],
            Self::Plain => &[
                "txt", "text", "log", "md", "markdown", "rst", "csv", "tsv", "json", "yaml", "yml", "toml",
                "conf", "cfg", "srt", "diff", "patch",
            ],
            Self::Zip => &["zip"],
            Self::Docx => &["docx"],
            Self::Xlsx => &["xlsx"],
            Self::Pptx => &["pptx"],
        }
    }

    /// The type of a media type name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|media_type| media_type.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
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
    fn every_type_has_an_extension_in_lower_case() {
        for media_type in MediaType::ALL {
            assert!(!media_type.extensions().is_empty());
            for extension in media_type.extensions() {
                assert!(
                    extension
                        .bytes()
                        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()),
                    "{extension}"
                );
            }
        }
    }
}
