//! What every function of Tidings stands on.
//!
//! Arrows point one way: [`domain`] ← [`store`], [`queue`], [`blob`], [`push`] ← [`auth`] ← [`http`],
//! [`socket`], [`job`], [`schedule`] ← [`lambda`]. Read them in that order.
//!
//! [`App`] is the outside world as one value: settings, clock, clients. It is made once, in a function's
//! init, and each invocation works on its own [`App::for_invocation`], so that cost is counted per invocation.

pub mod auth;
pub mod blob;
pub mod clock;
pub mod config;
pub mod deleting;
pub mod delivery;
pub mod domain;
pub mod error;
pub mod http;
pub mod job;
pub mod lambda;
pub mod push;
pub mod queue;
pub mod reading;
pub mod receipts;
mod retries;
pub mod schedule;
pub mod socket;
pub mod store;
pub mod telemetry;
pub mod views;

use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::timeout::TimeoutConfig;

pub use error::{Error, Result};

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

/// How long one call to a service may take, retries included. No write can take effect later than this after
/// it was begun, which is what a sync token's margin ([`store::sync`]) counts on.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(5);

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
    dynamodb: aws_sdk_dynamodb::Client,
    sqs: aws_sdk_sqs::Client,
    s3: aws_sdk_s3::Client,
    /// Sends nothing: it signs what clients send.
    s3_of_clients: aws_sdk_s3::Client,
    connections: aws_sdk_apigatewaymanagement::Client,
    keys: auth::token::Keys,
    rates: store::rates::Memory,
    profiles: store::profiles::Seen,
    sink: Sink,
}

impl App {
    /// Makes the clients, all on one pool of connections. Nothing is sent yet.
    pub fn new(config: Config, clock: Clock, http: &SharedHttpClient, sink: Sink) -> Self {
        let (key, secret, session) = config.credentials.clone();
        let credentials = Credentials::new(key, secret, session, None, "environment");
        let region = aws_types::region::Region::new(config.region.clone());
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(1))
            .operation_attempt_timeout(Duration::from_secs(2))
            .operation_timeout(CALL_TIMEOUT)
            .build();
        macro_rules! client {
            ($sdk:ident, $endpoint:expr) => {{
                let builder = $sdk::Config::builder()
                    .behavior_version($sdk::config::BehaviorVersion::latest())
                    .region(region.clone())
                    .credentials_provider(credentials.clone())
                    .http_client(http.clone())
                    .retry_config(retries::schedule())
                    .retry_partition(retries::budget())
                    .timeout_config(timeouts.clone());
                let mut builder = builder;
                builder.set_endpoint_url($endpoint);
                builder
            }};
        }
        // Guards bodies that trickle, with a timer for each call: for those of objects. The answers of the other
        // services are small, and an attempt's time-out ends them.
        let unguarded = StalledStreamProtectionConfig::disabled();
        let dynamodb = client!(aws_sdk_dynamodb, config.endpoints.dynamodb.clone())
            .retry_classifier(store::table::Conflicts)
            .stalled_stream_protection(unguarded.clone())
            .build();
        let sqs = client!(aws_sdk_sqs, config.endpoints.sqs.clone())
            .stalled_stream_protection(unguarded.clone())
            .build();
        let s3 = client!(aws_sdk_s3, config.endpoints.s3.clone())
            .force_path_style(config.endpoints.s3.is_some())
            .build();
        let of_clients = config.endpoints.s3_public.as_ref();
        let s3_of_clients = match of_clients {
            Some(url) => s3.to_builder().endpoint_url(url).build(),
            None => s3.clone(),
        };
        let connections = client!(
            aws_sdk_apigatewaymanagement,
            Some(config.websocket_endpoint.clone())
        )
        .stalled_stream_protection(unguarded)
        .build();
        let outside = Outside {
            dynamodb: aws_sdk_dynamodb::Client::from_conf(dynamodb),
            sqs: aws_sdk_sqs::Client::from_conf(sqs),
            s3: aws_sdk_s3::Client::from_conf(s3),
            s3_of_clients: aws_sdk_s3::Client::from_conf(s3_of_clients),
            connections: aws_sdk_apigatewaymanagement::Client::from_conf(connections),
            keys: auth::token::Keys::new(&config.jwt),
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
