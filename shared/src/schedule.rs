//! Chores: what is done every so often, whoever calls. Each is a function that the scheduler of AWS invokes.

use std::future::Future;

use crate::App;
use crate::error::Result;
use crate::http::endpoint::BoxFuture;
use crate::rights::Rights;
use crate::store::Worker;

/// What is done every so often. A schedule may fire twice or late, and a chore that fails is done by the next turn:
/// it asks what there is to do, and doing it twice must do no harm.
pub trait Chore: 'static {
    /// The name of the function.
    const NAME: &'static str;
    /// What it may do to the stack's resources.
    const RIGHTS: Rights;

    /// Does what there is to do.
    fn run(app: &App, worker: Worker) -> impl Future<Output = Result<()>> + Send;
}

/// A chore with its type forgotten.
#[derive(Clone, Copy)]
pub struct Entry {
    /// The name of the function.
    pub name: &'static str,
    /// Does it.
    pub work: Work,
}

/// Does a chore.
pub type Work = for<'a> fn(&'a App) -> BoxFuture<'a, Result<()>>;

impl Entry {
    /// The entry of a chore.
    pub const fn of<C: Chore>() -> Self {
        Self {
            name: C::NAME,
            work: |app| Box::pin(C::run(app, Worker::new())),
        }
    }
}
