//! Messages that were read individually, after unread ones.
//!
//! A member's read mark says that everything up to it is read. A member who reads message 5 but not 4 cannot express
//! that with the read mark, so a set of numbers is kept beside it, as runs of consecutive numbers: whoever reads a thread
//! of a thousand replies in a row has one run. Its size is bounded: see [`ReadAlone::LIMIT`].

use std::collections::BTreeMap;

/// The numbers of the messages after the read mark that were read individually.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadAlone {
    /// The first number of each run, with its last; no two runs touch.
    runs: BTreeMap<u64, u64>,
}

impl ReadAlone {
    /// The maximum number of runs. Beyond it, the read mark moves up to the end of the oldest of them, so that the
    /// messages skipped before it count as read.
    pub const LIMIT: usize = 1000;

    /// Whether a message was read individually.
    pub fn holds(&self, seq: u64) -> bool {
        let run = self.runs.range(..=seq).next_back();
        run.is_some_and(|(_, last)| *last >= seq)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Adds a number.
    pub fn insert(&mut self, seq: u64) {
        if self.holds(seq) {
            return;
        }
        let before = self.runs.range(..seq).next_back();
        let first = before
            .filter(|(_, last)| **last + 1 == seq)
            .map_or(seq, |(first, _)| *first);
        let last = self.runs.remove(&(seq + 1)).unwrap_or(seq);
        self.runs.insert(first, last);
    }

    /// The numbers, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u64> {
        self.runs.iter().flat_map(|(first, last)| *first..=*last)
    }

    /// Removes the numbers up to the read mark.
    pub fn forget_until(&mut self, read_mark: u64) {
        let next = read_mark.saturating_add(1);
        let cut = self.runs.range(..next).next_back();
        let rest = cut.map(|(_, last)| *last).filter(|last| *last >= next);
        self.runs = self.runs.split_off(&next);
        if let Some(last) = rest {
            self.runs.insert(next, last);
        }
    }

    /// Where the read mark must move to keep the set within the limit; none if it is within.
    pub fn overflow(&self) -> Option<u64> {
        let excess = self.runs.len().checked_sub(Self::LIMIT)?;
        self.runs.values().nth(excess.checked_sub(1)?).copied()
    }

    /// The stored form: for each run the distance of its first number to the last one of the run before, and how many
    /// numbers follow the first. A run of three or more has a zero before that, which no distance is; in a shorter one
    /// each number is a run. Sets from before runs were kept are read alike.
    ///
    /// Numbers have seven bits per byte, the lowest first; all of their bytes but the last have the high bit.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(2 * self.runs.len());
        let mut before = 0;
        for (first, last) in &self.runs {
            push(&mut bytes, first - before);
            match last - first {
                0 => {}
                1 => push(&mut bytes, 1),
                more => {
                    push(&mut bytes, 0);
                    push(&mut bytes, more);
                }
            }
            before = *last;
        }
        bytes
    }

    /// The stored form of before runs were kept: each number's distance to the one before. A set that is stored so is
    /// recognized by it when it is compared.
    pub fn to_bytes_without_runs(&self) -> Vec<u8> {
        let (mut bytes, mut before) = (Vec::new(), 0);
        for seq in self.iter() {
            push(&mut bytes, seq - before);
            before = seq;
        }
        bytes
    }

    /// Decodes the stored form.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut read = Self::default();
        let mut numbers = Numbers(bytes);
        let mut last = 0_u64;
        while let Some(distance) = numbers.next() {
            let end = match distance {
                // A run goes on from its first number, which came before.
                0 => match numbers.next().filter(|_| last > 0) {
                    Some(more) => last.saturating_add(more),
                    None => break,
                },
                distance => {
                    last = last.saturating_add(distance);
                    last
                }
            };
            read.extend(last, end);
            last = end;
        }
        read
    }

    /// Adds the numbers from `first` to `last`, which lie behind all others, or begin with the last of them.
    fn extend(&mut self, first: u64, last: u64) {
        match self.runs.last_entry() {
            Some(mut run) if run.get().saturating_add(1) >= first => {
                let end = (*run.get()).max(last);
                run.insert(end);
            }
            _ => {
                self.runs.insert(first, last);
            }
        }
    }
}

fn push(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(u8::try_from(number & 0x7f).unwrap_or_default() | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).unwrap_or_default());
}

/// The numbers of a stored form. One that is cut off in the middle is none.
struct Numbers<'a>(&'a [u8]);

impl Iterator for Numbers<'_> {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let (mut number, mut shift) = (0_u64, 0_u32);
        while let Some((byte, rest)) = self.0.split_first() {
            self.0 = rest;
            number |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or_default();
            shift += 7;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }
}

impl FromIterator<u64> for ReadAlone {
    fn from_iter<I: IntoIterator<Item = u64>>(seqs: I) -> Self {
        let mut read = Self::default();
        for seq in seqs {
            read.insert(seq);
        }
        read
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// Numbers of which many follow each other.
    fn seqs() -> impl Strategy<Value = BTreeSet<u64>> {
        let runs = proptest::collection::vec((1_u64..5_000, 1_u64..40), 0..60);
        let far = proptest::collection::btree_set(1_u64..1_000_000_000_000, 0..30);
        (runs, far).prop_map(|(runs, mut seqs)| {
            seqs.extend(runs.into_iter().flat_map(|(first, count)| first..first + count));
            seqs
        })
    }

    proptest! {
        #[test]
        fn it_holds_what_a_set_of_numbers_holds(seqs in seqs(), read_mark in 0_u64..5_100) {
            let mut alone: ReadAlone = seqs.iter().rev().copied().collect();
            prop_assert!(alone.iter().eq(seqs.iter().copied()));
            prop_assert!((0..5_100).all(|seq| alone.holds(seq) == seqs.contains(&seq)));
            alone.forget_until(read_mark);
            prop_assert!(alone.iter().eq(seqs.iter().copied().filter(|seq| *seq > read_mark)));
        }

        #[test]
        fn a_set_reads_back_as_it_was_stored(seqs in seqs()) {
            let alone: ReadAlone = seqs.iter().copied().collect();
            prop_assert_eq!(&ReadAlone::from_bytes(&alone.to_bytes()), &alone);
            prop_assert_eq!(&ReadAlone::from_bytes(&alone.to_bytes_without_runs()), &alone);
            prop_assert!(alone.to_bytes().len() <= alone.to_bytes_without_runs().len() + alone.runs.len());
        }

        #[test]
        fn any_bytes_are_some_set(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let alone = ReadAlone::from_bytes(&bytes);
            prop_assert!(alone.runs.len() <= bytes.len());
            prop_assert_eq!(ReadAlone::from_bytes(&alone.to_bytes()), alone);
        }

        #[test]
        fn what_overflows_leaves_as_many_runs_as_may_stay(
            distances in proptest::collection::vec(1_u64..4, 0..2_500),
        ) {
            let seqs = distances.iter().scan(0, |seq, distance| { *seq += distance; Some(*seq) });
            let mut alone: ReadAlone = seqs.collect();
            let runs = alone.runs.len();
            if let Some(read_mark) = alone.overflow() {
                prop_assert!(runs > ReadAlone::LIMIT && alone.holds(read_mark));
                alone.forget_until(read_mark);
                prop_assert_eq!(alone.runs.len(), ReadAlone::LIMIT);
            } else {
                prop_assert!(runs <= ReadAlone::LIMIT);
            }
        }
    }

    /// S3, contract §5: a thread that is read in a row is one run.
    #[test]
    fn a_thousand_numbers_in_a_row_take_a_few_bytes() {
        let alone: ReadAlone = (5..1_005).collect();
        assert_eq!(alone.to_bytes().len(), 4);
    }
}
