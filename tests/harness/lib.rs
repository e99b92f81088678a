//! The test harness: a complete desk per test, and people who use it over real HTTP and WebSocket connections.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a test that cannot go on panics"
)]

pub mod boxes;
pub mod events;
pub mod faults;
pub mod figures;
pub mod files;
pub mod history;
pub mod ledger;
pub mod person;
pub mod program;
pub mod rights;
pub mod socket;
pub mod table;
pub mod validator;
pub mod world;

pub use person::{Answer, Person};
pub use socket::Socket;
pub use world::World;

pub use local::functions;

/// How long a test waits for an event before it fails. Only a hang takes as long: on a busy machine each wait may take
/// many times longer than usual.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_mins(5);
