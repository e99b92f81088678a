//! Whether the content of a file matches its declared type.
//!
//! No crate recognized all files in `tests/data/files`, so the rules are implemented here. `infer` 0.22, `file-format`
//! 0.29 and `mimetype-detector` 0.3 each misidentify an office document or a PDF, and none recognizes text that is not
//! UTF-8. Only the directory of ZIP archives is read by a crate.

mod boxes;
mod matroska;
mod mpeg;
mod office;
mod text;

use super::{Looked, MediaType, Unread};

/// How many bytes may precede a PDF's header.
/// Source: Adobe, *PDF Reference* 1.7, implementation note 13: the header is looked for in the first 1,024 bytes.
const PDF_PRELUDE_BYTES: usize = 1024;

impl MediaType {
    /// Whether a file can be of this type. This may take several calls: if bytes are missing, they must be
    /// [added](Looked::add), and the function called again.
    /// Source: WHATWG, *MIME Sniffing*, §6 and §7; where it knows a format less well than the format's own
    /// specification does, the latter.
    ///
    /// # Errors
    /// Bytes that have not been read are needed.
    pub fn fits(self, file: &Looked) -> Result<bool, Unread> {
        let head = file.head();
        let at = |offset: usize, magic: &[u8]| head.get(offset..).is_some_and(|rest| rest.starts_with(magic));
        Ok(match self {
            Self::Png => at(0, b"\x89PNG\r\n\x1a\n"),
            Self::Jpeg => at(0, b"\xff\xd8\xff"),
            Self::Gif => at(0, b"GIF87a") || at(0, b"GIF89a"),
            Self::Webp => at(0, b"RIFF") && at(8, b"WEBPVP"),
            Self::Mp4 => boxes::is_film(head),
            Self::M4a => boxes::is_sound(head),
            Self::Webm => matroska::is_webm(head),
            Self::Mpeg => mpeg::is_sound(file)?,
            Self::Ogg => at(0, b"OggS\0") && !is_ogg_film(head),
            Self::Wav => at(0, b"RIFF") && at(8, b"WAVE"),
            Self::Pdf => is_pdf(head),
            Self::Plain => text::is_plain(head),
            // An empty archive only has the end of the directory.
            Self::Zip => at(0, b"PK\x03\x04") || at(0, b"PK\x05\x06"),
            Self::Docx => at(0, b"PK\x03\x04") && office::is_document(file, "word/")?,
            Self::Xlsx => at(0, b"PK\x03\x04") && office::is_document(file, "xl/")?,
            Self::Pptx => at(0, b"PK\x03\x04") && office::is_document(file, "ppt/")?,
        })
    }
}

/// Whether the first stream of an Ogg file is video. The first page holds only the header of that stream, and video
/// streams come first.
/// Source: RFC 3533 §6 for the page, RFC 5334 §4 for the order.
fn is_ogg_film(head: &[u8]) -> bool {
    const FILMS: [&[u8]; 4] = [b"\x80theora", b"BBCD\0", b"\x01video", b"OVP80"];
    // 27 bytes and the lengths of the segments; the last of the 27 is their number.
    let Some(segments) = head.get(26) else {
        return false;
    };
    let packet = head.get(27 + usize::from(*segments)..).unwrap_or_default();
    FILMS.iter().any(|film| packet.starts_with(film))
}

/// Whether it is a PDF, possibly after lines of text: a byte order mark, empty lines, HTTP headers.
fn is_pdf(head: &[u8]) -> bool {
    const HEADER: &[u8] = b"%PDF-";
    let start = head.get(..head.len().min(PDF_PRELUDE_BYTES)).unwrap_or_default();
    start
        .windows(HEADER.len())
        .position(|window| window == HEADER)
        .and_then(|place| start.get(..place))
        .is_some_and(text::is_plain)
}

#[cfg(test)]
mod tests;
