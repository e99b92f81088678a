//! Plain text, told from other bytes and from pages.
//! Source: WHATWG, *MIME Sniffing*, §7.2 for text, §7.1 for pages.

use std::borrow::Cow;

/// How pages and drawings begin, in lower case. A comment and a tag have to be ended; `<?xml` has not.
/// `<meta` and `<svg` are not in the standard: sniffing browsers don't look for them, but show what begins so.
const TAGS: [&[u8]; 18] = [
    b"<!doctype html",
    b"<html",
    b"<head",
    b"<script",
    b"<iframe",
    b"<h1",
    b"<div",
    b"<font",
    b"<table",
    b"<a",
    b"<style",
    b"<title",
    b"<b",
    b"<body",
    b"<br",
    b"<p",
    b"<meta",
    b"<svg",
];

/// Whether it is text in any encoding, and neither a page nor a program for a shell.
pub(super) fn is_plain(head: &[u8]) -> bool {
    is_text(head) && !begins_as_page(head) && !head.starts_with(b"#!")
}

/// Whether it begins with a byte order mark, or has no byte that text in encodings without zeros never has. The escape
/// (`1b`), which colours logs and switches the encodings of ISO 2022, is none of those.
fn is_text(head: &[u8]) -> bool {
    let is_binary = |byte: &u8| matches!(byte, 0..=0x08 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f);
    has_mark(head) || !head.iter().any(is_binary)
}

fn has_mark(head: &[u8]) -> bool {
    [&b"\xfe\xff"[..], b"\xff\xfe", b"\xef\xbb\xbf"]
        .iter()
        .any(|mark| head.starts_with(mark))
}

/// Whether a browser would take it for a page, whatever its encoding.
fn begins_as_page(head: &[u8]) -> bool {
    let characters = narrow(head);
    let begin = characters
        .iter()
        .position(|byte| !byte.is_ascii_whitespace())
        .and_then(|place| characters.get(place..))
        .unwrap_or_default();
    let after = |start: &[u8]| {
        begin
            .split_at_checked(start.len())
            .filter(|(found, _)| found.eq_ignore_ascii_case(start))
            .map(|(_, rest)| rest)
    };
    // The standard ends a tag by a space or `>`. A parser of HTML ends it by any white space and by `/` as well.
    let is_ended = |rest: &[u8]| {
        rest.first()
            .is_some_and(|byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/'))
    };
    TAGS.iter().any(|tag| after(tag).is_some_and(is_ended))
        || after(b"<!--").is_some_and(is_ended)
        || after(b"<?xml").is_some()
}

/// The characters behind a byte order mark, one byte each; of UTF-16, those beyond ASCII are question marks.
fn narrow(head: &[u8]) -> Cow<'_, [u8]> {
    let units = |from: fn([u8; 2]) -> u16, rest: &[u8]| {
        let (pairs, _) = rest.as_chunks::<2>();
        let narrow = |pair: &[u8; 2]| u8::try_from(from(*pair)).unwrap_or(b'?');
        Cow::Owned(pairs.iter().map(narrow).collect())
    };
    match head {
        [0xfe, 0xff, rest @ ..] => units(u16::from_be_bytes, rest),
        [0xff, 0xfe, rest @ ..] => units(u16::from_le_bytes, rest),
        [0xef, 0xbb, 0xbf, rest @ ..] | rest => Cow::Borrowed(rest),
    }
}
