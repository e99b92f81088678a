//! Unread counts, derived from the newest entry of the log alone.
//!
//! Each log entry carries a window over the end of the log: the senders of the last [`Window::MESSAGES`] messages, and
//! how many entries that do not count lie between them (what is no message, or a hidden one). The newest entry and a
//! member's read mark give the unread count without reading the log, and without a counter that could drift. The log is
//! read only for a member who is further behind than the window, with fewer than [`UNREAD_CAP`] unread messages in it.
//!
//! Entries that do not count are kept as the length of a run, so ten thousand reactions in a row take three bytes and
//! push no message out of the window (S3, contract §1).

mod codec;

use std::collections::VecDeque;

use super::read_alone::ReadAlone;

/// Unread counts are exact up to this number, and capped at it (contract §2).
pub const UNREAD_CAP: u32 = 99;

/// A member's ordinal in the order of joining; it never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ordinal(pub u16);

/// Consecutive entries of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Run {
    /// One message of the member with this ordinal.
    Message(u16),
    /// So many entries that do not count; never zero, and never two such runs in a row.
    Uncounted(u64),
}

impl Run {
    /// How many entries it covers.
    fn entries(self) -> u64 {
        match self {
            Self::Message(_) => 1,
            Self::Uncounted(count) => count,
        }
    }
}

/// Who sent each of the last messages, and what lies between them, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Window(VecDeque<Run>);

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
    /// How many messages it covers: more than [`UNREAD_CAP`], to leave room for the member's own, and few enough to keep
    /// a typical message within one write unit (1 KB).
    pub const MESSAGES: usize = 128;

    /// Adds the next entry: a message of the given member, or an entry that does not count.
    pub fn push(&mut self, sender: Option<Ordinal>) {
        match (sender, self.0.back_mut()) {
            (Some(Ordinal(sender)), _) => self.0.push_back(Run::Message(sender)),
            (None, Some(Run::Uncounted(count))) => *count += 1,
            (None, _) => self.0.push_back(Run::Uncounted(1)),
        }
        self.trim();
    }

    /// Excludes entry `seq` from all counts, where `last_seq` is the number of the newest entry.
    pub fn forget(&mut self, seq: u64, last_seq: u64) {
        self.replace(seq, last_seq, Run::Uncounted(1));
    }

    /// Counts entry `seq` by `sender` again, where `last_seq` is the number of the newest entry.
    pub fn restore(&mut self, seq: u64, last_seq: u64, sender: Ordinal) {
        self.replace(seq, last_seq, Run::Message(sender.0));
        self.trim();
    }

    /// Replaces the entry with a number, if the window covers it.
    fn replace(&mut self, seq: u64, last_seq: u64, new: Run) {
        let mut runs = VecDeque::with_capacity(self.0.len() + 2);
        for (first, run) in self.runs(last_seq) {
            match seq.checked_sub(first).filter(|before| *before < run.entries()) {
                Some(before) => {
                    join(&mut runs, Run::Uncounted(before));
                    join(&mut runs, new);
                    join(&mut runs, Run::Uncounted(run.entries() - before - 1));
                }
                None => join(&mut runs, run),
            }
        }
        self.0 = runs;
    }

    /// Drops the oldest messages beyond the limit, and what lies before them.
    fn trim(&mut self) {
        let is_message = |run: &Run| matches!(run, Run::Message(_));
        let mut messages = self.0.iter().filter(|run| is_message(run)).count();
        while messages > Self::MESSAGES {
            messages -= usize::from(self.0.pop_front().is_some_and(|run| is_message(&run)));
        }
    }

    /// The unread count of a member with a read mark, and messages read individually after it.
    pub fn unread(&self, reader: Ordinal, read_mark: u64, alone: &ReadAlone, last_seq: u64) -> Unread {
        let first = self.first_seq(last_seq);
        let messages = self.runs(last_seq).filter(|(seq, run)| {
            *seq > read_mark
                && matches!(run, Run::Message(sender) if *sender != reader.0)
                && !alone.holds(*seq)
        });
        let counted = u32::try_from(messages.count())
            .unwrap_or(u32::MAX)
            .min(UNREAD_CAP);
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
        if read_mark.saturating_add(1) < self.first_seq(last_seq) {
            return None;
        }
        let stops = |(seq, run): &(u64, Run)| match run {
            Run::Message(sender) => *seq > read_mark && *sender != reader.0 && !alone.holds(*seq),
            Run::Uncounted(_) => false,
        };
        let stop = self.runs(last_seq).find(stops);
        Some(stop.map_or(last_seq, |(seq, _)| seq - 1).max(read_mark))
    }

    /// The runs with the number of their first entry.
    fn runs(&self, last_seq: u64) -> impl Iterator<Item = (u64, Run)> {
        self.0.iter().scan(self.first_seq(last_seq), |next, run| {
            let first = *next;
            *next = next.saturating_add(run.entries());
            Some((first, *run))
        })
    }

    /// The number of the oldest entry that it covers.
    fn first_seq(&self, last_seq: u64) -> u64 {
        let add = |covered: u64, run: &Run| covered.saturating_add(run.entries());
        let covered = self.0.iter().fold(0, add);
        last_seq.saturating_sub(covered).saturating_add(1)
    }
}

/// Adds a run behind others; an empty one is left out, and one that does not count is joined to its like.
fn join(runs: &mut VecDeque<Run>, run: Run) {
    match (runs.back_mut(), run) {
        (_, Run::Uncounted(0)) => {}
        (Some(Run::Uncounted(count)), Run::Uncounted(more)) => *count = count.saturating_add(more),
        _ => runs.push_back(run),
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

    }

    /// S3, contract §1: a list costs the same however often was reacted.
    #[test]
    fn ten_thousand_entries_that_do_not_count_push_no_message_out() {
        let mut window = Window::default();
        for _ in 0..3 {
            window.push(Some(Ordinal(1)));
            for _ in 0..10_000 {
                window.push(None);
            }
        }
        let unread = window.unread(Ordinal(0), 0, &ReadAlone::default(), 30_003);
        assert_eq!(unread, Unread::Exactly(3));
        assert_eq!(
            window.reach(Ordinal(0), 1, &ReadAlone::default(), 30_003),
            Some(10_001)
        );
    }
}
