//! Video and audio in the ISO base media file format, distinguished from images and QuickTime by their brands.
//! Source: ISO/IEC 14496-12 §4.3; the register of brands at <https://mp4ra.org/registered-types/brands>.

/// Brands of audio files.
const SOUNDS: [&[u8; 4]; 3] = [b"M4A ", b"M4B ", b"M4P "];
/// Brands of video files made for Apple's devices.
const FILMS: [&[u8; 4]; 3] = [b"M4V ", b"M4VH", b"M4VP"];
/// Brands of MP4 files, video or audio.
const EITHER: [&[u8; 4]; 17] = [
    b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"iso7", b"iso8", b"iso9", b"mp41", b"mp42",
    b"mp71", b"avc1", b"dash", b"MSNV", b"XAVC", b"f4v ",
];
/// Brands of images (HEIF, AVIF, JPEG 2000, Canon raw) and of QuickTime videos. Many of them also list a brand of MP4.
const OTHERS: [&[u8; 4]; 21] = [
    b"mif1", b"mif2", b"msf1", b"miaf", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm",
    b"hevs", b"avif", b"avis", b"avio", b"jpeg", b"jpgs", b"jp2 ", b"jpx ", b"crx ", b"qt  ",
];

/// Whether it is an MP4 that may contain video.
pub(super) fn is_film(head: &[u8]) -> bool {
    is_mp4(head, &FILMS)
}

/// Whether it is an MP4 that may contain audio only.
pub(super) fn is_sound(head: &[u8]) -> bool {
    is_mp4(head, &SOUNDS)
}

/// Whether the major brand is one of MP4. If it is neutral, as a camera's own brand is, one of the compatible brands
/// must be.
fn is_mp4(head: &[u8], own: &[&[u8; 4]]) -> bool {
    let Some((major, compatible)) = brands(head) else {
        return false;
    };
    let is_mp4 = |brand: &[u8]| EITHER.iter().chain(own).any(|known| known[..] == *brand);
    let is_known = |brand: &[u8]| {
        OTHERS
            .iter()
            .chain(&SOUNDS)
            .chain(&FILMS)
            .any(|known| known[..] == *brand)
    };
    is_mp4(major) || !is_known(major) && compatible.chunks_exact(4).any(is_mp4)
}

/// The major brand and the compatible brands, four bytes each, if the first box has them.
fn brands(head: &[u8]) -> Option<(&[u8], &[u8])> {
    let size = u32::from_be_bytes(head.get(..4)?.try_into().ok()?);
    let is_brands = head.get(4..8)? == b"ftyp" && size >= 16 && size.is_multiple_of(4);
    let end = usize::try_from(size).ok()?.min(head.len());
    // The minor version lies between them.
    is_brands.then_some((head.get(8..12)?, head.get(16..end)?))
}
