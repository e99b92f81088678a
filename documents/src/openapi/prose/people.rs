//! What the types of person-to-person messages and credits cannot say.

use super::Note;

/// The note on a route of these, if there is one.
pub(super) fn note(name: &str) -> Option<Note> {
    let (text, refusals): (_, &[u16]) = match name {
        "send_direct_message" => (
            "The message stands in the direct conversation of the two, which is opened if need be, and shows in the \
             routes of conversations too. It costs one credit, in the same transaction: not enough is 402, and \
             nothing is written. An unknown receiver is 404, oneself 422.",
            &[402, 404],
        ),
        "list_direct_messages" => (
            "The newest page comes first; within a page the oldest message does. Deleted messages stay as tombstones. \
             Somebody known who was never written to has said nothing yet.",
            &[],
        ),
        "list_direct_conversations" => ("Ordered by last activity, newest first.", &[]),
        "mark_message_delivered" => (
            "For the receiver; the sender gets 403. One that is delivered or read already stays as it is. Both get a \
             `message_status` frame.",
            &[403],
        ),
        "mark_messages_read" => (
            "Marks these and no others. Where nothing unread lies between, the caller's place in the conversation moves \
             along. It keeps up to 200 messages that were read past others; beyond that, what was skipped before the \
             oldest of them counts as read. Both sides get `message_status` frames.",
            &[],
        ),
        "get_unread_count" => (
            "What was marked by itself counts as read here and in conversations alike.",
            &[],
        ),
        "list_credit_transactions" => (
            "The amounts of all transactions add up to the balance at any time.",
            &[],
        ),
        "grant_credits" => (
            "The same `client_reference` again grants nothing more and answers as the first time; with another amount \
             it is 422.",
            &[],
        ),
        _ => return None,
    };
    Some(Note { text, refusals })
}
