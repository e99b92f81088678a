//! [`App`]: settings, clock, clients, and what a process keeps in memory between invocations.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::client::http::SharedHttpConnector;

use crate::clients::Clients;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::time::Timestamp;
use crate::telemetry::{Meter, Sink};

/// Everything outside the program, for one invocation.
#[derive(Clone)]
pub struct App {
    pub(crate) outside: Arc<Outside>,
    pub(crate) meter: Arc<Meter>,
}

/// What all invocations of a process share.
pub(crate) struct Outside {
    config: Config,
    clock: Clock,
    pub(crate) clients: Clients,
    memories: Memories,
    sink: Sink,
}

impl App {
    /// Creates the clients, which share one connection pool. Sends nothing.
    pub fn new(config: Config, clock: Clock, connector: &SharedHttpConnector, sink: Sink) -> Self {
        let outside = Outside {
            clients: Clients::new(&config, connector),
            memories: Memories::default(),
            config,
            clock,
            sink,
        };
        Self {
            outside: Arc::new(outside),
            meter: Arc::new(Meter::default()),
        }
    }

    /// The same app with a new meter.
    #[must_use]
    pub fn for_invocation(&self) -> Self {
        Self {
            outside: Arc::clone(&self.outside),
            meter: Arc::new(Meter::default()),
        }
    }

    /// The settings.
    pub fn config(&self) -> &Config {
        &self.outside.config
    }

    /// The current time.
    pub fn now(&self) -> Timestamp {
        self.outside.clock.now()
    }

    /// What this process keeps in memory between invocations, by type; created on first use. Each module that caches
    /// something has its own type for it, so `App` does not depend on those modules.
    pub(crate) fn remembered<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        self.outside.memories.of()
    }

    /// The costs of this invocation so far.
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Writes a log line.
    pub fn log(&self, line: &str) {
        (self.outside.sink)(line);
    }
}

/// The values that a process keeps between invocations, one per type.
#[derive(Default)]
struct Memories(Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>);

impl Memories {
    fn of<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        let mut memories = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let memory = memories
            .entry(TypeId::of::<T>())
            .or_insert_with(|| Arc::new(T::default()));
        // The key is the type of the value, so the downcast succeeds.
        Arc::clone(memory).downcast().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_has_one_value() {
        let memories = Memories::default();
        memories.of::<Mutex<u8>>().lock().unwrap().clone_from(&7);
        assert_eq!(*memories.of::<Mutex<u8>>().lock().unwrap(), 7);
        assert_eq!(*memories.of::<Mutex<u16>>().lock().unwrap(), 0);
    }
}
