//! What every function of Tidings stands on.
//!
//! Arrows point one way: [`domain`] ← [`store`], [`queue`], [`blob`], [`push`] ← [`auth`] ← [`operations`] ← [`http`],
//! [`socket`], [`job`], [`schedule`] ← [`lambda`]. Read them in that order.
//!
//! What happens reaches people in four stages, and each has one verb: a log is *appended* to ([`store::log`]), a job is
//! *queued* ([`queue`]), the job is *delivered* (the worker `deliver`, [`operations::delivery`]), and its frames are
//! *posted* to connections ([`push`]).
//!
//! [`App`] is the outside world as one value: settings, clock, clients. It is made once, in a function's
//! init, and each invocation works on its own [`App::for_invocation`], so that cost is counted per invocation.

pub mod auth;
pub mod blob;
mod clients;
pub mod clock;
pub mod config;
pub mod domain;
pub mod error;
mod foreign;
pub mod http;
pub mod job;
pub mod lambda;
pub mod operations;
pub mod push;
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

/// A call of the AWS SDK allocates hundreds of times: a fifth of a request's time went to the system's allocator
/// (`docs/performance.md`, "Start-up"). Declared here, once, for every function, the desk and the tests.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What the allocator itself reads in the environment. `template.yaml` gives every function a 0: memory is taken as it
/// is needed, and not in large pages, which is some 7 MiB less.
/// Source: mimalloc, *Environment Options*.
pub const ALLOCATOR_SETTING: &str = "MIMALLOC_ARENA_EAGER_COMMIT";

/// The outside world of one invocation.
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
    sink: Sink,
}

impl App {
    /// Makes the clients, all on one pool of connections. Nothing is sent yet.
    pub fn new(config: Config, clock: Clock, connector: &SharedHttpConnector, sink: Sink) -> Self {
        let outside = Outside {
            clients: Clients::new(&config, connector),
            keys: auth::keys::Keys::new(&config.jwt),
            listeners: store::connections::Memory::default(),
            rates: store::rates::Memory::default(),
            profiles: store::profiles::Seen::default(),
            config,
            clock,
            sink,
        };
        Self {
            outside: Arc::new(outside),
            meter: Arc::new(Meter::default()),
        }
    }

    /// The same world with a meter that starts at nothing.
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

    /// Now.
    pub fn now(&self) -> domain::time::Timestamp {
        self.outside.clock.now()
    }

    /// What this invocation has cost so far.
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Writes a log line.
    pub fn log(&self, line: &str) {
        (self.outside.sink)(line);
    }
}
