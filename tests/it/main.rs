//! Every test that needs more than one crate: stories, tables over the routes, and what keeps the files in step.
//!
//! One binary, because each further one would link the whole system again.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on panics"
)]
#![expect(
    clippy::print_stdout,
    reason = "figures, and why a story was skipped, are for whoever runs the tests"
)]
#![expect(
    clippy::too_many_lines,
    clippy::items_after_statements,
    reason = "a story is told at one go"
)]
#![expect(
    clippy::duration_suboptimal_units,
    clippy::unchecked_time_subtraction,
    reason = "the contract speaks of seconds"
)]
#![expect(
    clippy::struct_field_names,
    clippy::collapsible_str_replace,
    clippy::useless_vec,
    reason = "plain words in stories"
)]

mod absence;
mod administration;
mod answers;
mod binaries;
mod builds;
mod cargo_lambda;
mod clients;
mod command;
mod concurrency;
mod conversations;
mod costs;
mod credits;
mod dependencies;
mod desk;
mod documents;
mod faults;
mod files;
mod identity;
mod in_sync;
mod large;
mod live_page;
mod logs;
mod mail;
mod messages;
mod model;
mod notifications;
mod odd_requests;
mod outsiders;
mod person_to_person;
mod public;
mod rates;
mod reading;
mod redrive;
mod replay;
mod restart;
mod rights;
mod simulation;
mod sockets;
mod source_documents;
mod sync;
mod tidy;
