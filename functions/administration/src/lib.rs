//! Administration: moderation, search, export, figures and the audit log (S2, contract §4).

pub mod hard_delete_message;
pub mod list_audit_entries;
pub mod moderate_message;
pub mod verify_audit;

mod announcement;
mod examples;

use shared::lambda::Function;

/// Every function of this domain.
pub fn functions() -> Vec<Function> {
    vec![
        hard_delete_message::function(),
        list_audit_entries::function(),
        moderate_message::function(),
        verify_audit::function(),
    ]
}
