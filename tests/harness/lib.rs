//! What the stories stand on: a whole desk per story, and people who use it over real HTTP and real sockets.

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

/// How long a story waits for an event before it takes it for one that never comes. Only a hang lasts as long: on a
/// machine that is busy with other work, each wait may take many times what it takes alone.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_mins(5);
