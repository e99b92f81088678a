//! Tests with real files, with beginnings that deceive, and with any bytes.

use proptest::prelude::*;

use super::*;
use crate::domain::file::SIZE_LIMIT_BYTES;
use MediaType::{Docx, Gif, Jpeg, M4a, Mp4, Mpeg, Ogg, Pdf, Plain, Png, Pptx, Wav, Webm, Webp, Xlsx, Zip};

/// How many times more of a file may be asked for: each step of a directory is 1 MiB, beside its end.
const MOST_READS: usize = 12;

/// Whether a file fits, with whatever more it asks to read, and how often it asked.
fn look(media_type: MediaType, bytes: &[u8]) -> (bool, usize) {
    let mut looked = Looked::beginning_of(bytes);
    for reads in 0..=MOST_READS {
        match media_type.fits(&looked) {
            Ok(fits) => return (fits, reads),
            Err(Unread(range)) => {
                assert!(
                    range.start < range.end && range.end <= bytes.len() as u64,
                    "{range:?}"
                );
                let [start, end] = [range.start, range.end].map(|place| usize::try_from(place).unwrap());
                looked.add(range.start, bytes[start..end].to_vec());
            }
        }
    }
    panic!("{media_type:?} asks for more and more");
}

/// Every type that a file can be of.
fn types(bytes: &[u8]) -> Vec<MediaType> {
    let fits = |media_type: &MediaType| look(*media_type, bytes).0;
    MediaType::ALL.into_iter().filter(fits).collect()
}

fn sample(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/files");
    std::fs::read(format!("{folder}/{name}")).expect(name)
}

/// Real files, made by real programs, are what they are and nothing else. A PDF whose data are written in letters is text
/// as well.
#[test]
fn every_real_file_is_of_its_types_alone() {
    let expected: &[(&str, &[MediaType])] = &[
        ("bare.mp3", &[Mpeg]),
        ("bom.pdf", &[Pdf, Plain]),
        ("colours.txt", &[Plain]),
        ("cover.mp3", &[Mpeg]),
        ("cp1252.txt", &[Plain]),
        ("film.mkv", &[]),
        ("film.mov", &[]),
        ("film.mp4", &[Mp4, M4a]),
        ("film.ogv", &[]),
        ("film.webm", &[Webm]),
        ("gbk.txt", &[Plain]),
        ("headline.txt", &[Plain]),
        ("java.jar", &[Zip]),
        ("layer2.mp2", &[Mpeg]),
        ("letter.docx", &[Zip, Docx]),
        ("letter.odt", &[Zip]),
        ("letter.pdf", &[Pdf]),
        ("lines.pdf", &[Pdf, Plain]),
        ("mpeg2.mp3", &[Mpeg]),
        ("openpyxl.xlsx", &[Zip, Xlsx]),
        ("picture.avif", &[]),
        ("picture.gif", &[Gif]),
        ("picture.heic", &[]),
        ("picture.jpg", &[Jpeg]),
        ("picture.png", &[Png]),
        ("picture.webp", &[Webp]),
        ("program.zip", &[Zip]),
        ("reportlab.pdf", &[Pdf, Plain]),
        ("shift-jis.txt", &[Plain]),
        ("slides.pptx", &[Zip, Pptx]),
        ("table.ods", &[Zip]),
        ("table.xlsx", &[Zip, Xlsx]),
        ("tone.aac", &[]),
        ("tone.flac", &[]),
        ("tone.m4a", &[M4a]),
        ("tone.mp3", &[Mpeg]),
        ("tone.ogg", &[Ogg]),
        ("tone.opus", &[Ogg]),
        ("tone.wav", &[Wav]),
        ("utf-16-be.txt", &[Plain]),
        ("utf-16-le.txt", &[Plain]),
    ];
    for (name, expected) in expected {
        assert_eq!(&types(&sample(name)), expected, "{name}");
    }
}

#[test]
fn a_look_reads_the_head_and_little_more() {
    for (name, media_type, reads) in [
        ("picture.png", Png, 0),
        ("tone.mp3", Mpeg, 0),
        ("cover.mp3", Mpeg, 1),
        ("film.mp4", Mp4, 0),
        ("letter.pdf", Pdf, 0),
        ("letter.docx", Docx, 1),
    ] {
        assert_eq!(look(media_type, &sample(name)), (true, reads), "{name}");
    }
}

fn boxed(major: &str, compatible: &[&str]) -> Vec<u8> {
    let brands = compatible.concat();
    let size = u32::try_from(16 + brands.len()).unwrap();
    [
        &size.to_be_bytes(),
        b"ftyp",
        major.as_bytes(),
        b"\0\0\x02\0",
        brands.as_bytes(),
        b"\0\0\0\x08free",
    ]
    .concat()
}

#[test]
fn an_mp4_is_told_by_its_brands() {
    for (major, compatible, expected) in [
        ("isom", &["isom", "iso2", "avc1", "mp41"][..], &[Mp4, M4a][..]),
        ("mp42", &["mp42", "isom"], &[Mp4, M4a]),
        ("M4A ", &["M4A ", "mp42", "isom"], &[M4a]),
        ("M4V ", &["M4V ", "M4A ", "mp42", "isom"], &[Mp4]),
        // A camera's own brand, and what it says it is compatible with.
        ("CAEP", &["mp42", "avc1", "CAEP"], &[Mp4, M4a]),
        ("CAEP", &["CAEP"], &[]),
        // Pictures that list brands of MP4.
        ("avis", &["avis", "msf1", "iso8", "mif1", "miaf"], &[]),
        ("heic", &["mif1", "heic", "mp42"], &[]),
        ("qt  ", &["qt  ", "mp42"], &[]),
    ] {
        assert_eq!(types(&boxed(major, compatible)), expected, "{major}");
    }
    assert_eq!(
        types(b"\0\0\0\x0dftypisom\0\0\x02\0"),
        [],
        "no size of a box of brands"
    );
}

#[test]
fn what_only_begins_like_a_sound_is_none() {
    let frame = &sample("bare.mp3")[..];
    assert!(look(Mpeg, frame).0);
    for bytes in [
        &[0xff; 3000][..],
        b"\xff\xfeH\0e\0l\0l\0o\0",
        b"ID3\x04\0\0\0\0\0\x23",
        &[b"ID3\x04\0\0\0\0\0\x02\0\0", &b"no sound"[..]].concat(),
        &frame[..104],
        &[&frame[..100], &[0; 1000]].concat(),
    ] {
        assert_eq!(look(Mpeg, bytes), (false, 0));
    }
    // Two tags, and padding that the size of the tag leaves out.
    let tag = b"ID3\x04\0\0\0\0\0\x02\0\0";
    assert!(look(Mpeg, &[&tag[..], tag, &[0; 500], frame].concat()).0);
    // A tag that claims more than there is.
    assert_eq!(look(Mpeg, b"ID3\x04\0\0\x7f\x7f\x7f\x7f"), (false, 0));
}

#[test]
fn a_page_is_no_plain_text() {
    for page in [
        "<!DOCTYPE html>",
        " \n<html>",
        "\u{feff}<svg xmlns=''>",
        "<?xml version='1.0'?>",
        "<b><script>alert(1)</script>",
        "<a href='javascript:alert(1)'>",
        "<h1>Hello</h1>",
        "<H1\n>",
        "<script/src=x>",
        "<!-- a page -->",
        "#!/bin/sh",
    ] {
        assert!(!look(Plain, page.as_bytes()).0, "{page}");
        let units = page.trim_start_matches('\u{feff}').encode_utf16();
        let bytes: Vec<u8> = [0xff, 0xfe]
            .into_iter()
            .chain(units.flat_map(u16::to_le_bytes))
            .collect();
        assert_eq!(look(Plain, &bytes).0, page.starts_with("#!"), "{page} in UTF-16");
    }
    for text in [
        "",
        "<3",
        "<headline>",
        "<abbr>",
        "< b>",
        "a <b>",
        "<-- see above",
        "\u{1b}[1mbold",
        "#1",
    ] {
        assert!(look(Plain, text.as_bytes()).0, "{text}");
    }
    for binary in [&b"a\0b"[..], b"\x7fELF\x02\x01", b"MZ\x90\0\x03\0"] {
        assert_eq!(types(binary), []);
    }
}

/// What comes before the header of a PDF is text, and ends within the first 1,024 bytes.
#[test]
fn a_pdf_may_begin_late_but_not_in_something_else() {
    let pdf = sample("reportlab.pdf");
    let after = |prelude: &[u8]| look(Pdf, &[prelude, &pdf].concat()).0;
    for prelude in [&b""[..], b"\n\n", b"\xef\xbb\xbf", &[b' '; 1019]] {
        assert!(after(prelude));
    }
    for prelude in [
        &b"MZ\x90\0"[..],
        b"<html><script>",
        b"\xff\xd8\xff\xe0\0",
        &[b' '; 1020],
    ] {
        assert!(!after(prelude));
    }
}

/// The directory of an archive with these names, without any data before it.
fn archive(names: &[&str], before: usize, comment: &[u8]) -> Vec<u8> {
    let mut bytes = b"PK\x03\x04".to_vec();
    bytes.resize(4 + before, 0);
    let start = u32::try_from(bytes.len()).unwrap();
    for name in names {
        bytes.extend(b"PK\x01\x02");
        bytes.extend([0; 24]);
        bytes.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        bytes.extend([0; 16]);
        bytes.extend(name.as_bytes());
    }
    let size = u32::try_from(bytes.len()).unwrap() - start;
    let count = u16::try_from(names.len()).unwrap().to_le_bytes();
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend([count, count].concat());
    bytes.extend([size.to_le_bytes(), start.to_le_bytes()].concat());
    bytes.extend(u16::try_from(comment.len()).unwrap().to_le_bytes());
    bytes.extend(comment);
    bytes
}

#[test]
fn an_office_document_is_told_by_the_names_in_its_directory() {
    let content = "[Content_Types].xml";
    for (names, expected) in [
        (
            &[content, "_rels/.rels", "word/document.xml"][..],
            &[Zip, Docx][..],
        ),
        // Names differ in more than case, and separators may be those of Windows.
        (&["word\\Document2.XML", "[content_types].XML"], &[Zip, Docx]),
        (&[content, "ppt/presentation.xml"], &[Zip, Pptx]),
        (&["word/document.xml"], &[Zip]),
        (&[content, "notes/word/document.xml"], &[Zip]),
        (&[content, "word/document.xml", "word/vbaProject.bin"], &[Zip]),
        (&[content, "xl/workbook.bin", "xl/theme/theme1.xml"], &[Zip]),
        (&["setup.exe"], &[Zip]),
        (&[], &[Zip]),
    ] {
        assert_eq!(types(&archive(names, 0, b"")), expected, "{names:?}");
    }
    let names = [content, "word/document.xml"];
    for (before, comment) in [(100_000, 0), (100_000, 65_535), (9_000_000, 10)] {
        assert!(look(Docx, &archive(&names, before, &vec![b'c'; comment])).0);
    }
}

/// A directory of megabytes is read in steps.
#[test]
fn a_large_directory_is_read_to_its_end() {
    let long = format!("word/media/{}.xml", "x".repeat(200));
    let mut names = vec![long.as_str(); 38_000];
    names.extend(["[Content_Types].xml", "word/document.xml"]);
    let bytes = archive(&names, 10_000, b"");
    assert!((9_000_000..=usize::try_from(SIZE_LIMIT_BYTES).unwrap()).contains(&bytes.len()));
    assert!(look(Docx, &bytes).0);
}

#[test]
fn an_empty_archive_is_one() {
    assert_eq!(types(&sample_end()), [Zip]);
}

fn sample_end() -> Vec<u8> {
    [&b"PK\x05\x06"[..], &[0; 18]].concat()
}

proptest! {
    /// Whatever the bytes are, every type is told, and what is asked for lies within them.
    #[test]
    fn any_bytes_are_looked_at(
        start in prop::sample::select(vec![
            &b""[..], b"ID3\x04\0\0", b"PK\x03\x04", b"\0\0\0\x20ftyp", b"\x1a\x45\xdf\xa3", b"OggS\0", b"\xff\xfb\x90\x64",
        ]),
        middle in prop::collection::vec(any::<u8>(), 0..64),
        filled in 0_usize..200_000,
        end in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let mut bytes = [start, &middle].concat();
        bytes.resize(bytes.len() + filled, 0);
        bytes.extend(end);
        for media_type in MediaType::ALL {
            look(media_type, &bytes);
        }
    }

    /// An archive with one thing in it changed is still looked at.
    #[test]
    fn a_damaged_archive_is_looked_at(place in 0_usize..400, byte in any::<u8>()) {
        let mut bytes = archive(&["[Content_Types].xml", "word/document.xml"], 70_000, b"");
        let place = bytes.len().saturating_sub(1 + place);
        bytes[place] = byte;
        look(Docx, &bytes);
    }
}
