//! Functions as processes: what AWS Lambda does with a `bootstrap`, on loopback.
//!
//! A [`Process`] is one execution environment. It starts a binary with the environment that Lambda would give
//! it, answers its calls to the Runtime API ([`conversation`]) and hands it one event at a time. The binary cannot
//! tell the difference, so what is tried or measured here is what is deployed.

mod conversation;
pub mod loopback;
mod process;

pub use process::{Failure, INIT_LIMIT, Launch, Log, Process};
