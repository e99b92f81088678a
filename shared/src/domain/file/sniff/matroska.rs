//! WebM, distinguished from Matroska by the document type in the header.
//! Source: RFC 8794 (EBML) §4, §5 and §11.2; RFC 9559 §18.

/// The header.
const HEADER: u64 = 0x1a45_dfa3;
/// The document type, within the header.
const DOC_TYPE: u64 = 0x4282;

/// Whether the header says `webm`.
pub(super) fn is_webm(head: &[u8]) -> bool {
    doc_type(head) == Some(b"webm")
}

/// The document type in a header.
fn doc_type(head: &[u8]) -> Option<&[u8]> {
    let (HEADER, mut children, _) = element(head)? else {
        return None;
    };
    loop {
        let (id, data, rest) = element(children)?;
        if id == DOC_TYPE {
            // A string may be padded with zeros.
            return data.split(|byte| *byte == 0).next();
        }
        children = rest;
    }
}

/// The first element: its id, its data as far as they have been read, and what follows it.
fn element(bytes: &[u8]) -> Option<(u64, &[u8], &[u8])> {
    let (id, _, rest) = number(bytes, 4)?;
    let (_, size, rest) = number(rest, 8)?;
    let size = usize::try_from(size).ok()?.min(rest.len());
    let (data, rest) = rest.split_at(size);
    Some((id, data, rest))
}

/// A number of variable length, with the bit that marks its length and without it, and what follows it. The zeros
/// before that bit say how many bytes come after the first.
fn number(bytes: &[u8], most: u32) -> Option<(u64, u64, &[u8])> {
    let first = *bytes.first()?;
    let length = first.leading_zeros() + 1;
    if length > most {
        return None;
    }
    let (number, rest) = bytes.split_at_checked(length as usize)?;
    let marked = number
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte));
    Some((marked, marked & !(1 << (7 * length)), rest))
}
