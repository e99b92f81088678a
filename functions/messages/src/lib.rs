//! Person-to-person messages: the direct conversation as S2 sees it (contract §4).

pub mod get_message_stats;
pub mod get_unread_count;
pub mod list_direct_conversations;
pub mod list_direct_messages;
pub mod mark_message_delivered;
pub mod mark_messages_read;
pub mod send_direct_message;

mod examples;

use shared::lambda::Function;

/// Every function of this domain.
pub fn functions() -> Vec<Function> {
    vec![
        get_message_stats::function(),
        get_unread_count::function(),
        list_direct_conversations::function(),
        list_direct_messages::function(),
        mark_message_delivered::function(),
        mark_messages_read::function(),
        send_direct_message::function(),
    ]
}
