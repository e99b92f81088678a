//! Administration: moderation, search, export, statistics and the audit log (S2, contract §4).

pub mod anchor_audit;
pub mod get_attachment;
pub mod get_export;
pub mod get_messages_overview;
pub mod hard_delete_message;
pub mod list_audit_entries;
pub mod moderate_message;
pub mod restore_audit;
pub mod search_messages;
pub mod start_export;
pub mod verify_audit;
pub mod view_conversation;

mod enqueue;
mod examples;
pub mod filters;

use shared::lambda::Function;

shared::functions! {
    in "messaging";
    ANCHOR_AUDIT = Function::schedule::<anchor_audit::AnchorAudit>();
    GET_ATTACHMENT = Function::http::<get_attachment::GetAttachment>();
    GET_EXPORT = Function::http::<get_export::GetExport>();
    GET_MESSAGES_OVERVIEW = Function::http::<get_messages_overview::GetMessagesOverview>();
    HARD_DELETE_MESSAGE = Function::http::<hard_delete_message::HardDeleteMessage>();
    LIST_AUDIT_ENTRIES = Function::http::<list_audit_entries::ListAuditEntries>();
    MODERATE_MESSAGE = Function::http::<moderate_message::ModerateMessage>();
    RESTORE_AUDIT = Function::schedule::<restore_audit::RestoreAudit>();
    SEARCH_MESSAGES = Function::http::<search_messages::SearchMessages>();
    START_EXPORT = Function::http::<start_export::StartExport>();
    VERIFY_AUDIT = Function::http::<verify_audit::VerifyAudit>();
    VIEW_CONVERSATION = Function::http::<view_conversation::ViewConversation>();
}
