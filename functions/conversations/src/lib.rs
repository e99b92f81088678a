//! Conversations: opening them, messages, read marks, and events (S1, contract §2).

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

shared::functions! {
    in "messaging";
    CREATE_CONVERSATION = Function::http::<create_conversation::CreateConversation>();
    DELETE_MESSAGE = Function::http::<delete_message::DeleteMessage>();
    GET_CONVERSATION = Function::http::<get_conversation::GetConversation>();
    GET_CONVERSATIONS_HEALTH = Function::http::<get_conversations_health::GetConversationsHealth>();
    LIST_CONVERSATION_EVENTS = Function::http::<list_conversation_events::ListConversationEvents>();
    LIST_CONVERSATIONS = Function::http::<list_conversations::ListConversations>();
    LIST_MESSAGES = Function::http::<list_messages::ListMessages>();
    MARK_CONVERSATION_READ = Function::http::<mark_conversation_read::MarkConversationRead>();
    OPEN_DIRECT_CONVERSATION = Function::http::<open_direct_conversation::OpenDirectConversation>();
    SEND_MESSAGE = Function::http::<send_message::SendMessage>();
    SYNC_EVENTS = Function::http::<sync_events::SyncEvents>();
}
