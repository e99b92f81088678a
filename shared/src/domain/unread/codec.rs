//! The stored form of a window.
//!
//! The first byte says how the rest is to be read:
//!
//! | Form | What follows |
//! |---|---|
//! | 1 | a byte per entry: the sender's ordinal, or 255 for an entry that does not count; read, and no longer written |
//! | 2 | two bytes per entry: likewise, with 65,535; read, and no longer written |
//! | 3 | a byte per message: the sender's ordinal; 255 begins a run of entries that do not count, and is followed by their number |
//! | 4 | two bytes per message: likewise, with 65,535, for conversations that have had 255 members or more |
//!
//! The number of a run has seven bits per byte, the lowest first; all of its bytes but the last have the high bit.

use super::{Run, Window, join};

const ENTRIES_NARROW: u8 = 1;
const ENTRIES_WIDE: u8 = 2;
const RUNS_NARROW: u8 = 3;
const RUNS_WIDE: u8 = 4;

/// Marks what does not count, where an ordinal has two bytes.
const UNCOUNTED_WIDE: u16 = u16::MAX;
/// Marks what does not count, where an ordinal has one byte.
const UNCOUNTED_NARROW: u8 = u8::MAX;

impl Window {
    /// Decodes the stored form, of whichever of the four forms it is. What is cut off in the middle ends there.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let Some((form, mut rest)) = bytes.split_first() else {
            return Self::default();
        };
        let mut window = Self::default();
        while let Some(mark) = mark(&mut rest, matches!(*form, ENTRIES_WIDE | RUNS_WIDE)) {
            let run = match mark {
                UNCOUNTED_WIDE if matches!(*form, ENTRIES_NARROW | ENTRIES_WIDE) => Run::Uncounted(1),
                UNCOUNTED_WIDE => Run::Uncounted(length(&mut rest)),
                sender => Run::Message(sender),
            };
            join(&mut window.0, run);
        }
        window
    }

    /// The bytes to store: 128 to 513 for a conversation with up to 254 members that ever were, depending on how many
    /// entries that do not count lie among the messages.
    pub fn to_bytes(&self) -> Vec<u8> {
        let is_large =
            |run: &Run| matches!(run, Run::Message(sender) if *sender >= u16::from(UNCOUNTED_NARROW));
        let is_wide = self.0.iter().any(is_large);
        let mut bytes = vec![if is_wide { RUNS_WIDE } else { RUNS_NARROW }];
        for run in &self.0 {
            let mark = match run {
                Run::Message(sender) => *sender,
                Run::Uncounted(_) => UNCOUNTED_WIDE,
            };
            let [high, low] = mark.to_be_bytes();
            if is_wide {
                bytes.push(high);
            }
            bytes.push(low);
            if let Run::Uncounted(count) = run {
                push_length(&mut bytes, *count);
            }
        }
        bytes
    }
}

/// The next mark: an ordinal, or [`UNCOUNTED_WIDE`].
fn mark(rest: &mut &[u8], is_wide: bool) -> Option<u16> {
    if is_wide {
        let (mark, behind) = rest.split_first_chunk::<2>()?;
        *rest = behind;
        return Some(u16::from_be_bytes(*mark));
    }
    let (mark, behind) = rest.split_first()?;
    *rest = behind;
    Some(if *mark == UNCOUNTED_NARROW {
        UNCOUNTED_WIDE
    } else {
        u16::from(*mark)
    })
}

fn length(rest: &mut &[u8]) -> u64 {
    let (mut length, mut shift) = (0_u64, 0_u32);
    while let Some((byte, behind)) = rest.split_first() {
        *rest = behind;
        length |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or_default();
        shift += 7;
        if byte & 0x80 == 0 {
            break;
        }
    }
    length
}

fn push_length(bytes: &mut Vec<u8>, mut length: u64) {
    while length >= 0x80 {
        bytes.push(u8::try_from(length & 0x7f).unwrap_or_default() | 0x80);
        length >>= 7;
    }
    bytes.push(u8::try_from(length).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::unread::Ordinal;

    fn window(senders: &[Option<u16>]) -> Window {
        let mut window = Window::default();
        for sender in senders {
            window.push(sender.map(Ordinal));
        }
        window
    }

    proptest! {
        #[test]
        fn a_window_reads_back_as_it_was_stored(
            senders in proptest::collection::vec(proptest::option::of(0_u16..400), 0..400),
        ) {
            let window = window(&senders);
            let bytes = window.to_bytes();
            prop_assert!(bytes.len() <= 1 + (2 + 4) * (Window::MESSAGES + 1));
            prop_assert_eq!(Window::from_bytes(&bytes), window);
        }

        #[test]
        fn the_forms_of_before_are_read(senders in proptest::collection::vec(proptest::option::of(0_u16..400), 0..128)) {
            let wide = senders.iter().flat_map(|sender| sender.unwrap_or(UNCOUNTED_WIDE).to_be_bytes());
            let wide: Vec<u8> = std::iter::once(ENTRIES_WIDE).chain(wide).collect();
            prop_assert_eq!(Window::from_bytes(&wide), window(&senders));
            let few: Vec<Option<u16>> = senders.iter().map(|sender| sender.map(|sender| sender % 255)).collect();
            let narrow = few.iter().map(|sender| sender.map_or(UNCOUNTED_NARROW, |sender| u8::try_from(sender).unwrap()));
            let narrow: Vec<u8> = std::iter::once(ENTRIES_NARROW).chain(narrow).collect();
            prop_assert_eq!(Window::from_bytes(&narrow), window(&few));
        }

        #[test]
        fn any_bytes_are_some_window(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let window = Window::from_bytes(&bytes);
            prop_assert_eq!(Window::from_bytes(&window.to_bytes()), window);
        }
    }

    #[test]
    fn a_conversation_of_messages_alone_takes_a_byte_for_each() {
        assert_eq!(window(&[Some(0); 200]).to_bytes().len(), 1 + Window::MESSAGES);
    }
}
