//! Workers: what is done after an answer, from queues.

pub mod deliver;
pub mod export_messages;
pub mod notify;

mod catch_up;
mod personal;

use shared::lambda::Function;

/// Every function of this domain.
pub fn functions() -> Vec<Function> {
    vec![
        deliver::function(),
        export_messages::function(),
        notify::function(),
    ]
}
