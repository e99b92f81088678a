//! MPEG audio (MP3 and its older layers): two consecutive frames, after any tags.
//!
//! The first bits of a single frame also occur elsewhere: UTF-16 text begins with them.
//! Source: ISO/IEC 11172-3 §2.4.2.3 and 13818-3 §2.4.2.3 for the frames; ID3v2.4, *structure*, §3.1 for the tags;
//! WHATWG, *MIME Sniffing*, §6.2.3 for the second frame.

use super::super::{Looked, Unread};

/// How many tags may precede the audio; ordinary files have one.
const MOST_TAGS: usize = 4;
/// How many bytes after the tags are searched. They may begin with zeros: some programs exclude the padding from the
/// size of a tag.
const WINDOW_BYTES: u64 = 4096;

/// Whether two frames follow the tags.
pub(super) fn is_sound(file: &Looked) -> Result<bool, Unread> {
    let mut start = 0;
    for _ in 0..MOST_TAGS {
        // More than the ten bytes of a header, so that the frames after a tag need no read of their own.
        match tag_bytes(file.at(start, WINDOW_BYTES)?) {
            Some(size) => start += size,
            None => break,
        }
    }
    if start > 0 {
        let window = file.at(start, WINDOW_BYTES)?;
        start += window.iter().take_while(|byte| **byte == 0).count() as u64;
    }
    let Some(first) = Frame::read(file.at(start, 4)?) else {
        return Ok(false);
    };
    let second = Frame::read(file.at(start + first.bytes, 4)?);
    Ok(second.is_some_and(|second| second.kind == first.kind))
}

/// The size of a whole ID3v2 tag, if bytes begin with one.
fn tag_bytes(bytes: &[u8]) -> Option<u64> {
    let [b'I', b'D', b'3', version, revision, flags, size @ ..] = bytes.get(..10)? else {
        return None;
    };
    let is_tag = *version < 0xff && *revision < 0xff && size.iter().all(|byte| *byte < 0x80);
    // Seven bits per byte, without the header, and without the footer that a flag indicates.
    let size = size
        .iter()
        .fold(0, |size: u64, byte| size << 7 | u64::from(*byte));
    let footer = if flags & 0x10 == 0 { 0 } else { 10 };
    is_tag.then_some(10 + size + footer)
}

/// An audio frame.
struct Frame {
    /// Version, layer and sampling rate, which are the same in all frames of a file.
    kind: (u8, u8, u8),
    /// Its size.
    bytes: u64,
}

impl Frame {
    /// The frame that begins with these four bytes, if they are valid.
    fn read(header: &[u8]) -> Option<Self> {
        let [0xff, second, third, fourth] = *header else {
            return None;
        };
        if second & 0xe0 != 0xe0 || fourth & 0x03 == 2 {
            return None;
        }
        let (version, layer, rate) = (second >> 3 & 3, second >> 1 & 3, third >> 2 & 3);
        let sampling: u64 = match rate {
            0 => 44_100,
            1 => 48_000,
            2 => 32_000,
            _ => return None,
        };
        // MPEG 1, 2 and 2.5 have full, half and quarter rates.
        let (is_first, sampling) = match version {
            3 => (true, sampling),
            2 => (false, sampling / 2),
            0 => (false, sampling / 4),
            _ => return None,
        };
        let (table, samples_per_8_bits, slot) = match (layer, is_first) {
            (3, true) => (&FIRST_LAYER_1, 12, 4),
            (3, false) => (&SECOND_LAYER_1, 12, 4),
            (2, true) => (&FIRST_LAYER_2, 144, 1),
            (1, true) => (&FIRST_LAYER_3, 144, 1),
            (2, false) => (&SECOND_LAYERS_2_AND_3, 144, 1),
            (1, false) => (&SECOND_LAYERS_2_AND_3, 72, 1),
            _ => return None,
        };
        // The first value means a free bitrate, which does not determine the frame's size; the last is invalid.
        let bitrate = usize::from(third >> 4).checked_sub(1)?;
        let bitrate = 1000 * u64::from(*table.get(bitrate)?);
        let padding = u64::from(third >> 1 & 1);
        Some(Self {
            kind: (version, layer, rate),
            bytes: (samples_per_8_bits * bitrate / sampling + padding) * slot,
        })
    }
}

/// Bitrates in kbit/s by version and layer, from the second value on.
const FIRST_LAYER_1: [u16; 14] = [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448];
const FIRST_LAYER_2: [u16; 14] = [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384];
const FIRST_LAYER_3: [u16; 14] = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const SECOND_LAYER_1: [u16; 14] = [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256];
const SECOND_LAYERS_2_AND_3: [u16; 14] = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
