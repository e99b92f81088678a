//! Conversations: opening them, their messages, what was read, and what happened (S1, contract §2).

pub mod create_conversation;
pub mod delete_message;
pub mod get_conversation;
pub mod get_conversations_health;
pub mod list_conversation_events;
pub mod list_conversations;
pub mod list_messages;
pub mod mark_conversation_read;
pub mod open_direct_conversation;
pub mod send_message;
pub mod sync_events;

mod examples;

use shared::lambda::Function;

/// Every function of this domain.
pub fn functions() -> Vec<Function> {
    vec![
        create_conversation::function(),
        delete_message::function(),
        get_conversation::function(),
        get_conversations_health::function(),
        list_conversation_events::function(),
        list_conversations::function(),
        list_messages::function(),
        mark_conversation_read::function(),
        open_direct_conversation::function(),
        send_message::function(),
        sync_events::function(),
    ]
}
