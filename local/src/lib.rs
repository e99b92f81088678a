//! The desk: all of Tidings on one machine, on loopback, without Docker, an account or a network.
//!
//! [`desk::Desk`] reads `template.yaml`, so what is not in the template does not exist here either, and connects the
//! embedded services (`local-services`), the two gateways (`local-gateway`), the functions, in this process
//! ([`invoker`]) or as processes ([`processes`]), and the pollers that bring jobs to workers ([`poller`]).

pub mod buckets;
pub mod cli;
pub mod demo;
pub mod desk;
pub mod environment;
pub mod folder;
pub mod invoker;
pub mod live_page;
pub mod poller;
pub mod processes;
pub mod redrive;
pub mod restoring;
pub mod rights;
pub mod schedules;
pub mod settings;
mod stacks;

use shared::lambda::Function;

/// Every function of the system.
pub fn functions() -> Vec<Function> {
    [
        conversations::functions(),
        mail::functions(),
        notifications::functions(),
        messages::functions(),
        credits::functions(),
        files::functions(),
        administration::functions(),
        realtime::functions(),
        workers::functions(),
        system::functions(),
        users::functions(),
        auth::functions(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
