//! Person-to-person messages: direct conversations with receipts and credits (S2, contract §4).

pub mod get_message_stats;
pub mod get_unread_count;
pub mod list_direct_conversations;
pub mod list_direct_messages;
pub mod mark_message_delivered;
pub mod mark_messages_read;
pub mod send_direct_message;

mod examples;

use shared::lambda::Function;

shared::functions! {
    in "messaging";
    GET_MESSAGE_STATS = Function::http::<get_message_stats::GetMessageStats>();
    GET_UNREAD_COUNT = Function::http::<get_unread_count::GetUnreadCount>();
    LIST_DIRECT_CONVERSATIONS = Function::http::<list_direct_conversations::ListDirectConversations>();
    LIST_DIRECT_MESSAGES = Function::http::<list_direct_messages::ListDirectMessages>();
    MARK_MESSAGE_DELIVERED = Function::http::<mark_message_delivered::MarkMessageDelivered>();
    MARK_MESSAGES_READ = Function::http::<mark_messages_read::MarkMessagesRead>();
    SEND_DIRECT_MESSAGE = Function::http::<send_direct_message::SendDirectMessage>();
}
