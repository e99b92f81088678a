//! The shared library of all functions.
//!
//! Dependencies go one way: [`domain`] ← [`store`], [`queue`], [`blob`], [`connections_api`] ← [`auth`] ←
//! [`operations`] ← [`http`], [`socket`], [`job`], [`schedule`] ← [`lambda`]. Read the modules in that order.
//!
//! An event reaches people in four stages, each with one verb: an entry is *appended* to a log ([`store::log`]), a job
//! is *enqueued* ([`queue`]), the worker *delivers* it (`deliver`, [`operations::delivery`]), and frames are *posted*
//! to connections ([`connections_api`]).
//!
//! [`App`] holds everything outside the program: settings, clock, clients. It is created once, in a function's init;
//! each invocation uses its own [`App::for_invocation`], which counts the costs of that invocation.

pub mod auth;
pub mod blob;
mod clients;
pub mod clock;
pub mod config;
pub mod connections_api;
pub mod domain;
pub mod error;
mod foreign;
pub mod http;
pub mod job;
pub mod lambda;
pub mod operations;
pub mod queue;
mod retries;
pub mod rights;
pub mod schedule;
pub mod socket;
pub mod store;
pub mod telemetry;

use std::sync::Arc;

use aws_smithy_runtime_api::client::http::SharedHttpConnector;

pub use clients::CALL_TIMEOUT;
pub use error::{Error, Result};

use clients::Clients;
use clock::Clock;
use config::Config;
use telemetry::{Meter, Sink};

/// A call of the AWS SDK allocates hundreds of times: the system's allocator took a fifth of a request's time
/// (`docs/performance.md`, "Start-up"). Declared here once, for all functions, the desk and the tests.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// An environment variable that the allocator reads. `template.yaml` sets it to 0 for every function: memory is then
/// committed as it is needed instead of in large pages, which saves about 7 MiB.
/// Source: mimalloc, *Environment Options*.
pub const ALLOCATOR_SETTING: &str = "MIMALLOC_ARENA_EAGER_COMMIT";

/// Everything outside the program, for one invocation.
#[derive(Clone)]
pub struct App {
    outside: Arc<Outside>,
    meter: Arc<Meter>,
}

/// What all invocations of a process share.
struct Outside {
    config: Config,
    clock: Clock,
    clients: Clients,
    keys: auth::keys::Keys,
    listeners: store::connections::Memory,
    rates: store::rates::Memory,
    profiles: store::profiles::Seen,
    ready: operations::readiness::Memory,
    sink: Sink,
}

impl App {
    /// Creates the clients, which share one connection pool. Sends nothing.
    pub fn new(config: Config, clock: Clock, connector: &SharedHttpConnector, sink: Sink) -> Self {
        let outside = Outside {
            clients: Clients::new(&config, connector),
            keys: auth::keys::Keys::new(&config.jwt),
            listeners: store::connections::Memory::default(),
            rates: store::rates::Memory::default(),
            profiles: store::profiles::Seen::default(),
            ready: operations::readiness::Memory::default(),
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
    pub fn now(&self) -> domain::time::Timestamp {
        self.outside.clock.now()
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
