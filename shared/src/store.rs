//! The one table: plain functions named for what they do, one file per kind of item.
//!
//! Expressions and attribute names live here and nowhere else. There is no second implementation to keep
//! equal: on the desk and in tests the same calls reach an embedded DynamoDB.

pub mod admission;
pub mod archive;
pub mod audit;
pub mod connections;
pub mod conversations;
pub mod credits;
mod days;
pub mod delivery_data;
pub mod exports;
pub mod files;
pub mod item;
pub mod keys;
pub mod log;
pub mod mail;
pub mod members;
pub mod notifications;
pub mod once;
pub mod profiles;
pub mod rates;
pub mod reads;
pub mod sync;
pub mod table;
pub mod tally;
pub mod tickets;
pub mod typing;

/// Proof that a worker asks, which acts for no member and may see any conversation. Only [`crate::job`] and
/// [`crate::schedule`] make one, so no route can pass for a worker.
#[derive(Clone, Copy, Debug)]
pub struct Worker(());

impl Worker {
    pub(crate) const fn new() -> Self {
        Self(())
    }
}
