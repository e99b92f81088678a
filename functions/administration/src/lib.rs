//! Administration: moderation, search, export, figures and the audit log (S2, contract §4).

pub mod get_export;
pub mod get_messages_overview;
pub mod hard_delete_message;
pub mod list_audit_entries;
pub mod moderate_message;
pub mod search_messages;
pub mod start_export;
pub mod verify_audit;
pub mod view_conversation;

mod announcement;
mod examples;
pub mod filters;

use shared::lambda::Function;

/// Every function of this domain.
pub fn functions() -> Vec<Function> {
    vec![
        get_export::function(),
        get_messages_overview::function(),
        hard_delete_message::function(),
        list_audit_entries::function(),
        moderate_message::function(),
        search_messages::function(),
        start_export::function(),
        verify_audit::function(),
        view_conversation::function(),
    ]
}
