//! The shared library of all functions.
//!
//! The modules from the top layer to the bottom one. A module uses only those that its row names, which are all further
//! down; a test compares the table with the code. Read the modules from the bottom up.
//!
//! | Module | May use | What it is |
//! |---|---|---|
//! | [`lambda`] | `app`, `blob`, `clients`, `clock`, `config`, `connections_api`, `error`, `foreign`, `http`, `job`, `queue`, `rights`, `schedule`, `socket`, `store`, `telemetry` | runs a function; the only module that knows Lambda |
//! | [`schedule`] | `app`, `error`, `rights`, `store` | chores, which the scheduler triggers |
//! | [`job`] | `app`, `error`, `queue`, `rights`, `store` | workers, which run the jobs of a queue |
//! | [`socket`] | `app`, `auth`, `connections_api`, `domain`, `error`, `http`, `rights`, `store` | routes of the WebSocket API |
//! | [`http`] | `app`, `auth`, `config`, `domain`, `error`, `examples`, `rights`, `store` | routes of the HTTP API |
//! | [`operations`] | `app`, `blob`, `connections_api`, `domain`, `error`, `queue`, `store` | what HTTP routes, frames and jobs share |
//! | [`rights`] | `queue`, `store` | what a function may do to the resources of the stack |
//! | [`queue`] | `app`, `clients`, `domain`, `error`, `store` | jobs, through SQS |
//! | [`store`] | `app`, `auth`, `blob`, `clients`, `domain`, `error`, `telemetry` | the one table, in DynamoDB |
//! | [`connections_api`] | `app`, `clients`, `domain`, `error`, `telemetry` | frames to connections |
//! | [`blob`] | `app`, `clients`, `domain`, `error` | files, in S3 |
//! | [`auth`] | `app`, `config`, `domain`, `error` | from a token to a caller; permits; page tokens |
//! | `app` | `clients`, `clock`, `config`, `domain`, `telemetry` | everything outside the program as one value |
//! | `clients` | `config`, `error` | the AWS SDK clients, their retries and errors |
//! | [`config`] | `domain`, `error` | settings |
//! | [`telemetry`] | `domain` | one log line with metrics per invocation |
//! | [`clock`] | `domain` | the current time |
//! | [`error`] | `domain` | errors |
//! | `foreign` | | events that are not for the function |
//! | [`examples`] | | the people and ids of the examples of the documents |
//! | [`domain`] | | ids, texts, messages, frames, timestamps: pure, no clock, no I/O |
//!
//! An event reaches people in four stages, each with one verb: an entry is *appended* to a log ([`store::log`]), a job
//! is *enqueued* ([`queue`]), the worker *delivers* it (`deliver`, [`operations::delivery`]), and frames are *posted*
//! to connections ([`connections_api`]).
//!
//! [`App`] holds everything outside the program: settings, clock, clients. It is created once, in a function's init;
//! each invocation uses its own [`App::for_invocation`], which counts the costs of that invocation.

mod app;
pub mod auth;
pub mod blob;
mod clients;
pub mod clock;
pub mod config;
pub mod connections_api;
pub mod domain;
pub mod error;
pub mod examples;
mod foreign;
pub mod http;
pub mod job;
pub mod lambda;
pub mod operations;
pub mod queue;
pub mod rights;
pub mod schedule;
pub mod socket;
pub mod store;
pub mod telemetry;

pub use app::App;
pub use clients::CALL_TIMEOUT;
pub use error::{Error, Result};

/// A call of the AWS SDK allocates hundreds of times: the system's allocator took a fifth of a request's time
/// (`docs/performance.md`, "Start-up"). Declared here once, for all functions, the desk and the tests.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// An environment variable that the allocator reads. `template.yaml` sets it to 0 for every function: memory is then
/// committed as it is needed instead of in large pages, which saves about 7 MiB.
/// Source: mimalloc, *Environment Options*.
pub const ALLOCATOR_SETTING: &str = "MIMALLOC_ARENA_EAGER_COMMIT";
