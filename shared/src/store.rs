//! The DynamoDB table: plain functions, one file per kind of item.
//!
//! Expressions and attribute names are used nowhere else. There is no second implementation for tests: there and on the
//! desk the same calls reach an embedded DynamoDB.

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

/// Proof that the code runs in a worker, which acts for no user and may read any conversation. Only [`crate::job`] and
/// [`crate::schedule`] create one, so a route cannot pass for a worker.
#[derive(Clone, Copy, Debug)]
pub struct Worker(());

impl Worker {
    pub(crate) const fn new() -> Self {
        Self(())
    }
}
