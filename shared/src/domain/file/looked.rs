//! The part of an upload that has been read.

use std::ops::Range;

#[cfg(test)]
use super::HEAD_BYTES;

/// A file of which some ranges have been read: always its first [`HEAD_BYTES`](super::HEAD_BYTES), and whatever a
/// [check](super::MediaType::fits) requested.
#[derive(Clone, Debug)]
pub struct Looked {
    size_bytes: u64,
    head: Vec<u8>,
    stretches: Vec<(u64, Vec<u8>)>,
}

/// The bytes that must be read before the type can be determined. Never empty, and within the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread(pub Range<u64>);

impl Looked {
    /// A file with its size and first bytes: [`HEAD_BYTES`](super::HEAD_BYTES) of them, or all if it is shorter.
    pub const fn new(size_bytes: u64, head: Vec<u8>) -> Self {
        Self {
            size_bytes,
            head,
            stretches: Vec::new(),
        }
    }

    /// Adds bytes that were read from an offset.
    pub fn add(&mut self, start: u64, bytes: Vec<u8>) {
        self.stretches.push((start, bytes));
    }

    /// The size of the whole file in bytes.
    pub const fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// The first bytes.
    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    /// At most `length` bytes from an offset: fewer at the end of the file, none after it.
    ///
    /// # Errors
    /// They have not been read.
    pub(super) fn at(&self, start: u64, length: u64) -> Result<&[u8], Unread> {
        let end = start.saturating_add(length).min(self.size_bytes);
        if start >= end {
            return Ok(&[]);
        }
        let length = usize::try_from(end - start).unwrap_or(usize::MAX);
        self.stretches_from(start)
            .find_map(|bytes| bytes.get(..length))
            .ok_or(Unread(start..end))
    }

    /// The bytes that have been read from an offset, up to the end of one range; none if the byte there has not been
    /// read.
    pub(super) fn read_from(&self, start: u64) -> Option<&[u8]> {
        self.stretches_from(start).max_by_key(|bytes| bytes.len())
    }

    /// The remainders of all ranges that contain an offset.
    fn stretches_from(&self, start: u64) -> impl Iterator<Item = &[u8]> {
        let head = std::iter::once((0, self.head.as_slice()));
        let others = self
            .stretches
            .iter()
            .map(|(first, bytes)| (*first, bytes.as_slice()));
        head.chain(others).filter_map(move |(first, bytes)| {
            let skipped = usize::try_from(start.checked_sub(first)?).ok()?;
            bytes.get(skipped..).filter(|rest| !rest.is_empty())
        })
    }

    /// The head of a file that was read completely.
    #[cfg(test)]
    pub(super) fn beginning_of(bytes: &[u8]) -> Self {
        let head = &bytes[..bytes.len().min(usize::try_from(HEAD_BYTES).unwrap())];
        Self::new(bytes.len() as u64, head.to_vec())
    }
}
