//! Messages that were read individually, after unread ones.
//!
//! A member's read mark says that everything up to it is read. A member who reads message 5 but not 4 cannot express
//! that with the read mark, so a small set of numbers is kept beside it. Its size is bounded: see [`ReadAlone::LIMIT`].

use std::collections::BTreeSet;

/// The numbers of the messages after the read mark that were read individually.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadAlone(BTreeSet<u64>);

impl ReadAlone {
    /// The maximum size. Beyond it, the read mark moves up to the oldest of them, so that the messages skipped before
    /// it count as read.
    pub const LIMIT: usize = 200;

    /// Whether a message was read individually.
    pub fn holds(&self, seq: u64) -> bool {
        self.0.contains(&seq)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a number.
    pub fn insert(&mut self, seq: u64) {
        self.0.insert(seq);
    }

    /// The numbers, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u64> {
        self.0.iter().copied()
    }

    /// Removes the numbers up to the read mark.
    pub fn forget_until(&mut self, read_mark: u64) {
        self.0 = self.0.split_off(&(read_mark + 1));
    }

    /// Where the read mark must move to keep the set within the limit; none if it is within.
    pub fn overflow(&self) -> Option<u64> {
        let excess = self.0.len().checked_sub(Self::LIMIT)?;
        self.0.iter().nth(excess.checked_sub(1)?).copied()
    }

    /// The stored form: the difference of each number to the previous one, seven bits per byte, the last byte of a
    /// number without its high bit. Two hundred numbers take 200 to 400 bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len());
        let mut before = 0;
        for seq in &self.0 {
            let mut distance = seq - before;
            before = *seq;
            while distance >= 0x80 {
                bytes.push(u8::try_from(distance & 0x7f).unwrap_or_default() | 0x80);
                distance >>= 7;
            }
            bytes.push(u8::try_from(distance).unwrap_or_default());
        }
        bytes
    }

    /// Decodes the stored form.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut seqs = BTreeSet::new();
        let (mut before, mut distance, mut shift) = (0_u64, 0_u64, 0_u32);
        for byte in bytes {
            distance |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or_default();
            shift += 7;
            if byte & 0x80 == 0 {
                before = before.saturating_add(distance);
                seqs.insert(before);
                (distance, shift) = (0, 0);
            }
        }
        Self(seqs)
    }
}

impl FromIterator<u64> for ReadAlone {
    fn from_iter<I: IntoIterator<Item = u64>>(seqs: I) -> Self {
        Self(seqs.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_set_reads_back_as_it_was_stored(seqs in proptest::collection::btree_set(1_u64..1_000_000_000_000, 0..300)) {
            let alone: ReadAlone = seqs.iter().copied().collect();
            prop_assert_eq!(&ReadAlone::from_bytes(&alone.to_bytes()), &alone);
        }

        #[test]
        fn any_bytes_are_some_set(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            prop_assert!(ReadAlone::from_bytes(&bytes).iter().count() <= bytes.len());
        }

        #[test]
        fn what_overflows_leaves_as_many_as_may_stay(seqs in proptest::collection::btree_set(1_u64..5_000, 0..400)) {
            let mut alone: ReadAlone = seqs.iter().copied().collect();
            if let Some(read_mark) = alone.overflow() {
                prop_assert!(seqs.len() > ReadAlone::LIMIT && seqs.contains(&read_mark));
                alone.forget_until(read_mark);
                prop_assert_eq!(alone.iter().count(), ReadAlone::LIMIT);
            } else {
                prop_assert!(seqs.len() <= ReadAlone::LIMIT);
            }
        }
    }
}
