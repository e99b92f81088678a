//! Unread counts, derived from the newest entry of the log alone.
//!
//! Each log entry carries a window over the last [`Window::LENGTH`] entries: the sender of each message, or that the
//! entry does not count (it is no message, or a deleted one). The newest entry and a member's read mark give the unread
//! count without reading the log, and without a counter that could drift. The log is read only for a member who is
//! further behind than the window, with fewer than [`UNREAD_CAP`] unread messages in it.

use super::read_alone::ReadAlone;

/// Unread counts are exact up to this number, and capped at it (contract §2).
pub const UNREAD_CAP: u32 = 99;

/// A member's ordinal in the order of joining; it never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ordinal(pub u16);

/// Marks an entry that does not count as unread.
const COUNTS_NOT: u16 = u16::MAX;

/// The first byte of a stored window with two bytes per entry.
const WIDE: u8 = 2;
/// The first byte of a stored window with one byte per entry.
const NARROW: u8 = 1;

/// Who sent each of the last log entries, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Window(Vec<u16>);

/// What a window says about an unread count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// The count.
    Exactly(u32),
    /// At least this many; entries between the read mark and `before` (both excluded) must be counted too.
    AtLeast {
        /// Unread messages within the window.
        counted: u32,
        /// The first `seq` of the window.
        before: u64,
    },
}

impl Window {
    /// How many entries it covers: more than [`UNREAD_CAP`], to leave room for the member's own messages and deletions,
    /// and few enough to keep a typical message within one write unit (1 KB).
    pub const LENGTH: usize = 128;

    /// Decodes the stored form: a width, then one byte per entry (255 does not count), or two if the conversation has
    /// had 255 members or more.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        match bytes.split_first() {
            Some((&WIDE, marks)) => Self(
                marks
                    .chunks_exact(2)
                    .map(|pair| pair.iter().fold(0, |mark, byte| mark << 8 | u16::from(*byte)))
                    .collect(),
            ),
            Some((_, marks)) => Self(
                marks
                    .iter()
                    .map(|byte| {
                        if *byte == u8::MAX {
                            COUNTS_NOT
                        } else {
                            u16::from(*byte)
                        }
                    })
                    .collect(),
            ),
            None => Self::default(),
        }
    }

    /// The bytes to store.
    pub fn to_bytes(&self) -> Vec<u8> {
        let narrow = |mark: &u16| match *mark {
            COUNTS_NOT => Some(u8::MAX),
            mark => u8::try_from(mark).ok().filter(|byte| *byte != u8::MAX),
        };
        if let Some(marks) = self.0.iter().map(narrow).collect::<Option<Vec<u8>>>() {
            return std::iter::once(NARROW).chain(marks).collect();
        }
        std::iter::once(WIDE)
            .chain(self.0.iter().flat_map(|mark| mark.to_be_bytes()))
            .collect()
    }

    /// Adds the next entry: a message of the given member, or an entry that does not count.
    pub fn push(&mut self, sender: Option<Ordinal>) {
        self.0.push(sender.map_or(COUNTS_NOT, |ordinal| ordinal.0));
        if self.0.len() > Self::LENGTH {
            self.0.drain(..self.0.len() - Self::LENGTH);
        }
    }

    /// Excludes entry `seq` from all counts, where `last_seq` is the number of the newest entry.
    pub fn forget(&mut self, seq: u64, last_seq: u64) {
        self.mark(seq, last_seq, COUNTS_NOT);
    }

    /// Counts entry `seq` by `sender` again, where `last_seq` is the number of the newest entry.
    pub fn restore(&mut self, seq: u64, last_seq: u64, sender: Ordinal) {
        self.mark(seq, last_seq, sender.0);
    }

    fn mark(&mut self, seq: u64, last_seq: u64, new: u16) {
        let offset = seq
            .checked_sub(self.first_seq(last_seq))
            .and_then(|offset| usize::try_from(offset).ok());
        if let Some(mark) = offset.and_then(|offset| self.0.get_mut(offset)) {
            *mark = new;
        }
    }

    /// The unread count of a member with a read mark, and messages read individually after it.
    pub fn unread(&self, reader: Ordinal, read_mark: u64, alone: &ReadAlone, last_seq: u64) -> Unread {
        let first = self.first_seq(last_seq);
        let skip = usize::try_from(read_mark.saturating_add(1).saturating_sub(first)).unwrap_or(usize::MAX);
        let counts =
            |(seq, mark): &(u64, &u16)| **mark != COUNTS_NOT && **mark != reader.0 && !alone.holds(*seq);
        let counted = (first..).zip(&self.0).skip(skip).filter(counts).count();
        let counted = u32::try_from(counted).unwrap_or(u32::MAX).min(UNREAD_CAP);
        if counted == UNREAD_CAP || read_mark.saturating_add(1) >= first {
            Unread::Exactly(counted)
        } else {
            Unread::AtLeast {
                counted,
                before: first,
            }
        }
    }

    /// How far a read mark can move over entries that are read individually, the member's own, or do not count; none if
    /// it lies before the window.
    pub fn reach(&self, reader: Ordinal, read_mark: u64, alone: &ReadAlone, last_seq: u64) -> Option<u64> {
        let first = self.first_seq(last_seq);
        let skip = usize::try_from((read_mark + 1).checked_sub(first)?).ok()?;
        let passes =
            |(seq, mark): &(u64, &u16)| **mark == COUNTS_NOT || **mark == reader.0 || alone.holds(*seq);
        let passed = (first..).zip(&self.0).skip(skip).take_while(passes).count();
        Some(read_mark + u64::try_from(passed).unwrap_or_default())
    }

    /// The number of the oldest entry that it covers.
    fn first_seq(&self, last_seq: u64) -> u64 {
        let length = u64::try_from(self.0.len()).unwrap_or(u64::MAX);
        last_seq.saturating_sub(length).saturating_add(1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Send(u16),
        Delete(usize),
        Restore(usize, u16),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            4 => (0_u16..3).prop_map(Step::Send),
            1 => (0_usize..400).prop_map(Step::Delete),
            1 => (0_usize..400, 0_u16..3).prop_map(|(index, sender)| Step::Restore(index, sender)),
        ];
        proptest::collection::vec(step, 0..400)
    }

    proptest! {
        /// The window compared with the complete log.
        #[test]
        fn the_window_counts_as_the_whole_log_would(
            steps in steps(),
            read_mark in 0_u64..420,
            reader in 0_u16..3,
            alone in proptest::collection::vec(1_u64..420, 0..20),
        ) {
            let mut log: Vec<Option<u16>> = Vec::new();
            let mut window = Window::default();
            for step in steps {
                match step {
                    Step::Send(sender) => {
                        log.push(Some(sender));
                        window.push(Some(Ordinal(sender)));
                    }
                    Step::Delete(index) if index < log.len() => {
                        log[index] = None;
                        window.forget(index as u64 + 1, log.len() as u64);
                        log.push(None);
                        window.push(None);
                    }
                    Step::Restore(index, sender) if index < log.len() => {
                        log[index] = Some(sender);
                        window.restore(index as u64 + 1, log.len() as u64, Ordinal(sender));
                        log.push(None);
                        window.push(None);
                    }
                    Step::Delete(_) | Step::Restore(..) => {}
                }
            }
            let last_seq = log.len() as u64;
            let read_mark = read_mark.min(last_seq);
            let alone: ReadAlone = alone.into_iter().collect();
            let unread = |from: u64, to: u64| {
                let entries = (1_u64..).zip(&log).filter(|(seq, _)| (from..to).contains(seq));
                let others = entries.filter(|(_, sender)| sender.is_some_and(|sender| sender != reader));
                let counts = others.filter(|(seq, _)| !alone.holds(*seq)).count();
                u32::try_from(counts).unwrap()
            };
            let expected = unread(read_mark + 1, last_seq + 1).min(UNREAD_CAP);
            let derived = match window.unread(Ordinal(reader), read_mark, &alone, last_seq) {
                Unread::Exactly(count) => count,
                Unread::AtLeast { counted, before } => (counted + unread(read_mark + 1, before)).min(UNREAD_CAP),
            };
            prop_assert_eq!(derived, expected);
            // What a read mark passes over contains nothing unread.
            if let Some(reached) = window.reach(Ordinal(reader), read_mark, &alone, last_seq) {
                prop_assert!((read_mark..=last_seq).contains(&reached));
                prop_assert_eq!(unread(read_mark + 1, reached + 1), 0);
                prop_assert!(reached == last_seq || unread(reached + 1, reached + 2) == 1);
            }
        }

        #[test]
        fn a_window_reads_back_as_it_was_stored(senders in proptest::collection::vec(proptest::option::of(0_u16..400), 0..400)) {
            let mut window = Window::default();
            for sender in senders {
                window.push(sender.map(Ordinal));
            }
            let bytes = window.to_bytes();
            prop_assert!(bytes.len() <= 1 + 2 * Window::LENGTH);
            prop_assert_eq!(Window::from_bytes(&bytes), window);
        }
    }
}
