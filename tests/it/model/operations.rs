//! Random operations for the model.

use proptest::prelude::*;

use super::PEOPLE;

/// An operation. Indexes are taken modulo the number of elements.
#[derive(Clone, Debug)]
pub(super) enum Operation {
    Open {
        who: usize,
        other: usize,
    },
    Send {
        who: usize,
        conversation: usize,
        client: Option<u8>,
        word: u8,
    },
    /// Sends so many messages that unread counts reach their cap and logs outgrow the window.
    Burst {
        who: usize,
        conversation: usize,
        count: usize,
    },
    /// Repeats a send with the same id and content.
    Retry {
        message: usize,
    },
    /// Sends other content with a used id.
    Reuse {
        message: usize,
    },
    Delete {
        who: usize,
        conversation: usize,
        message: usize,
    },
    Read {
        who: usize,
        conversation: usize,
        message: usize,
    },
}

pub(super) fn operation() -> impl Strategy<Value = Operation> {
    let (who, turn) = (0..PEOPLE, 0_usize..1000);
    let who_bursts = who.clone();
    let send = (
        who.clone(),
        turn.clone(),
        proptest::option::of(0_u8..20),
        any::<u8>(),
    );
    let at = (who.clone(), turn.clone(), turn.clone());
    prop_oneof![
        1 => (who.clone(), who).prop_map(|(who, other)| Operation::Open { who, other }),
        8 => send.prop_map(|(who, conversation, client, word)| Operation::Send { who, conversation, client, word }),
        1 => (who_bursts, turn.clone(), 40_usize..90).prop_map(|(who, conversation, count)| Operation::Burst { who, conversation, count }),
        1 => turn.clone().prop_map(|message| Operation::Retry { message }),
        1 => turn.prop_map(|message| Operation::Reuse { message }),
        2 => at.clone().prop_map(|(who, conversation, message)| Operation::Delete { who, conversation, message }),
        3 => at.prop_map(|(who, conversation, message)| Operation::Read { who, conversation, message }),
    ]
}
