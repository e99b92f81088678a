//! Plain text, distinguished from binary data and from HTML pages.
//! Source: WHATWG, *MIME Sniffing*, §7.2 for text, §7.1 for pages.

use std::borrow::Cow;

/// The beginnings of pages and drawings, in lower case. A comment and a tag must be closed; `<?xml` need not be.
/// `<meta` and `<svg` are not in the standard: browsers do not sniff for them, but render such content.
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

/// Whether it is text in any encoding, and neither a page nor a shell script.
pub(super) fn is_plain(head: &[u8]) -> bool {
    is_text(head) && !begins_as_page(head) && !head.starts_with(b"#!")
}

/// Whether it begins with a byte order mark, or has none of the bytes that never occur in text without zero bytes. The
/// escape (`1b`), which colours logs and switches the encodings of ISO 2022, is not one of those.
fn is_text(head: &[u8]) -> bool {
    let is_binary = |byte: &u8| matches!(byte, 0..=0x08 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f);
    has_mark(head) || !head.iter().any(is_binary)
}

fn has_mark(head: &[u8]) -> bool {
    [&b"\xfe\xff"[..], b"\xff\xfe", b"\xef\xbb\xbf"]
        .iter()
        .any(|mark| head.starts_with(mark))
}

/// Whether a browser would take it for a page, in any encoding.
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
    // In the standard a tag ends with a space or `>`. HTML parsers also accept other white space and `/`.
    let is_ended = |rest: &[u8]| {
        rest.first()
            .is_some_and(|byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/'))
    };
    TAGS.iter().any(|tag| after(tag).is_some_and(is_ended))
        || after(b"<!--").is_some_and(is_ended)
        || after(b"<?xml").is_some()
}

/// The characters after a byte order mark, one byte each; UTF-16 characters beyond ASCII become question marks.
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
