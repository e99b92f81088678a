//! Chores: functions that `EventBridge` Scheduler invokes at intervals.

use std::future::Future;

use futures::future::BoxFuture;

use crate::App;
use crate::error::Result;
use crate::rights::Rights;
use crate::store::Worker;

/// Periodic work. Must be idempotent: a schedule may fire twice or late, and work that fails is left for the next
/// invocation, which finds out by itself what is to be done.
pub trait Chore: 'static {
    /// The name of the function.
    const NAME: &'static str;
    /// The rights of its role.
    const RIGHTS: Rights;

    /// Does the work that is due.
    fn run(app: &App, worker: Worker) -> impl Future<Output = Result<()>> + Send;
}

/// A [`Chore`] with its type erased.
#[derive(Clone, Copy)]
pub struct AnyChore {
    /// The name of the function.
    pub name: &'static str,
    /// Runs it.
    pub work: Work,
}

/// Runs a chore.
pub type Work = for<'a> fn(&'a App) -> BoxFuture<'a, Result<()>>;

impl AnyChore {
    /// Erases the type of a chore.
    pub const fn of<C: Chore>() -> Self {
        Self {
            name: C::NAME,
            work: |app| Box::pin(C::run(app, Worker::new())),
        }
    }
}
