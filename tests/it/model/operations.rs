//! What people do in a case of the model, at random.

use proptest::prelude::*;

use super::PEOPLE;

/// Something that somebody does. Indexes are taken modulo what there is.
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
    /// Sends so many that unread counts reach their cap and logs outgrow what their ends remember.
    Burst {
        who: usize,
        conversation: usize,
        count: usize,
    },
    /// Sends one of the messages with a client's id again, as it was.
    Retry {
        message: usize,
    },
    /// Sends another content under an id that is taken.
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
