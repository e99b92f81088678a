//! Workers: what happens after the response, triggered by queues.

pub mod deliver;
pub mod export_messages;
pub mod notify;

use shared::lambda::Function;

shared::functions! {
    in "messaging";
    DELIVER = Function::queue::<deliver::Deliver>();
    EXPORT_MESSAGES = Function::queue::<export_messages::ExportMessages>();
    NOTIFY = Function::queue::<notify::Notify>();
}
