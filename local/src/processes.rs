//! Functions as separate processes: the real binaries, each with the environment that Lambda gives it.
//!
//! A function has as many processes as concurrent requests: one is started when none is idle (a cold start), and kept
//! for later requests. A process uses sockets for everything: events through the Runtime API, the embedded services
//! through [`services`]. Its clock is the machine's.

pub mod services;

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use local_gateway::invoke::{InvokeError, Invoker, PAYLOAD_LIMIT_BYTES};
use local_gateway::template::FunctionSpec;
use local_runtime::loopback::Server;
use local_runtime::{Failure, Launch, Process};
use local_services::Services;
use shared::telemetry::Sink;
use tokio::sync::Semaphore;

use crate::environment::{self, Environment};

/// How functions run as processes.
#[derive(Clone, Debug)]
pub struct ProcessOptions {
    /// The folder of the binaries: of a cargo profile, or of `cargo lambda build`.
    pub binaries: PathBuf,
    /// The maximum number of processes per function; further requests are throttled.
    pub most_per_function: usize,
    /// The maximum duration of an invocation, if the template allows more.
    pub longest_invocation: Duration,
    /// The functions that run as processes, by their names in the template; none for all. The others run in the desk.
    pub functions: Option<Vec<String>>,
}

/// The default maximum number of processes per function.
pub const MOST_PER_FUNCTION: usize = 10;

impl ProcessOptions {
    /// The binaries beside the running program.
    pub fn beside_this_program() -> io::Result<Self> {
        let program = std::env::current_exe()?;
        let mut folder = program.parent().unwrap_or(Path::new("."));
        // The folder where cargo puts tests.
        if folder.ends_with("deps") {
            folder = folder.parent().unwrap_or(folder);
        }
        Ok(Self::in_folder(folder))
    }

    /// The binaries in a folder.
    pub fn in_folder(binaries: impl Into<PathBuf>) -> Self {
        Self {
            binaries: binaries.into(),
            most_per_function: MOST_PER_FUNCTION,
            longest_invocation: Duration::MAX,
            functions: None,
        }
    }

    /// Whether a function runs as processes.
    pub fn is_for(&self, function: &str) -> bool {
        let functions = self.functions.as_ref();
        functions.is_none_or(|functions| functions.iter().any(|name| name == function))
    }
}

/// Why functions cannot run as processes.
#[derive(Debug, thiserror::Error)]
pub enum ProcessesError {
    /// A binary was not built.
    #[error("{path} does not exist; build the functions with `{command}`")]
    NotBuilt {
        /// Where it was looked for.
        path: String,
        /// What builds it.
        command: &'static str,
    },
    /// The services cannot be offered to processes.
    #[error("the services cannot listen on loopback: {0}")]
    Services(#[from] io::Error),
}

/// The functions of the desk as processes, by their names in the template.
pub struct Processes {
    pools: HashMap<String, Pool>,
    is_retired: AtomicBool,
    _services: Server,
}

impl Processes {
    /// Finds the binaries and makes the services reachable. Processes are started on demand.
    pub async fn prepare(
        options: &ProcessOptions,
        services: &Services,
        functions: &[FunctionSpec],
        overrides: &Environment,
        s3_public: &str,
        sink: &Sink,
    ) -> Result<Self, ProcessesError> {
        let server = services::serve(services.clone(), 0).await?;
        let addresses = environment::Addresses::at(&format!("http://{}", server.address()), s3_public);
        let mut pools = HashMap::with_capacity(functions.len());
        for spec in functions.iter().filter(|spec| options.is_for(&spec.logical_id)) {
            let launch = Launch {
                function: spec.logical_id.clone(),
                program: find(&options.binaries, &spec.binary)?,
                memory_mb: spec.memory_mb,
                environment: environment::settings(
                    &spec.logical_id,
                    &spec.environment,
                    overrides,
                    &addresses,
                ),
                log: sink.clone(),
            };
            let pool = Pool {
                launch,
                timeout: Duration::from_secs(spec.timeout_seconds).min(options.longest_invocation),
                places: Semaphore::new(options.most_per_function),
                idle: Mutex::default(),
                busy: Mutex::default(),
                cold_starts: AtomicUsize::new(0),
            };
            pools.insert(spec.logical_id.clone(), pool);
        }
        Ok(Self {
            pools,
            is_retired: AtomicBool::new(false),
            _services: server,
        })
    }

    /// Whether a function runs as processes.
    pub fn has(&self, function: &str) -> bool {
        !self.is_retired.load(Ordering::Relaxed) && self.pools.contains_key(function)
    }

    /// Sends no more requests to processes: from now on the functions run in the desk, whose clock can be moved.
    pub fn retire(&self) {
        self.is_retired.store(true, Ordering::Relaxed);
    }

    /// The ids of a function's processes that are handling a request.
    pub fn busy(&self, function: &str) -> Vec<u32> {
        let busy = |pool: &Pool| locked(&pool.busy).values().copied().collect();
        self.pools.get(function).map(busy).unwrap_or_default()
    }

    /// The ids of a function's idle processes.
    pub fn idle(&self, function: &str) -> Vec<u32> {
        let idle = |pool: &Pool| locked(&pool.idle).iter().filter_map(Process::id).collect();
        self.pools.get(function).map(idle).unwrap_or_default()
    }

    /// How many processes of a function have been started.
    pub fn cold_starts(&self, function: &str) -> usize {
        let pool = self.pools.get(function);
        pool.map_or(0, |pool| pool.cold_starts.load(Ordering::Relaxed))
    }

    /// Ends every process. Requests in progress are completed; nothing is started any more.
    pub async fn stop(&self) {
        for pool in self.pools.values() {
            pool.places.close();
            let idle = std::mem::take(&mut *locked(&pool.idle));
            for mut process in idle {
                process.kill().await;
            }
        }
    }
}

impl Invoker for Processes {
    fn invoke<'a>(
        &'a self,
        function: &'a str,
        event: Vec<u8>,
    ) -> BoxFuture<'a, Result<Vec<u8>, InvokeError>> {
        Box::pin(async move {
            let pool = self.pools.get(function);
            let pool = pool.ok_or_else(|| InvokeError::Crashed("there is no such function".to_owned()))?;
            if event.len() > PAYLOAD_LIMIT_BYTES {
                return Err(InvokeError::TooLarge);
            }
            pool.invoke(event.into()).await.map(Vec::from).map_err(error)
        })
    }
}

/// The processes of one function.
struct Pool {
    launch: Launch,
    timeout: Duration,
    /// One permit for each possible process.
    places: Semaphore,
    /// The most recently used one is last, and is used first.
    idle: Mutex<Vec<Process>>,
    /// The ids of the busy ones, by the number of their start.
    busy: Mutex<BTreeMap<usize, u32>>,
    cold_starts: AtomicUsize,
}

impl Pool {
    async fn invoke(&self, event: Bytes) -> Result<Bytes, Option<Failure>> {
        let _place = self.places.try_acquire().map_err(|_| None)?;
        let mut process = if let Some(process) = self.take_idle() {
            process
        } else {
            self.cold_starts.fetch_add(1, Ordering::Relaxed);
            Process::start(&self.launch).await?
        };
        let working = Working::begin(self, &process);
        let outcome = process.invoke(event, self.timeout).await;
        drop(working);
        match &outcome {
            Ok(_) | Err(Failure::Reported(_) | Failure::TooLarge) if !self.places.is_closed() => {
                locked(&self.idle).push(process);
            }
            _ => process.kill().await,
        }
        Ok(outcome?)
    }

    fn take_idle(&self) -> Option<Process> {
        let mut idle = locked(&self.idle);
        while let Some(mut process) = idle.pop() {
            if process.is_alive() {
                return Some(process);
            }
        }
        None
    }
}

/// Counts a process as busy as long as this exists, even if nobody waits for it any more.
struct Working<'a> {
    pool: &'a Pool,
    number: usize,
}

impl<'a> Working<'a> {
    fn begin(pool: &'a Pool, process: &Process) -> Self {
        let mut busy = locked(&pool.busy);
        let number = busy.keys().next_back().map_or(0, |last| last + 1);
        busy.extend(process.id().map(|id| (number, id)));
        drop(busy);
        Self { pool, number }
    }
}

impl Drop for Working<'_> {
    fn drop(&mut self) {
        locked(&self.pool.busy).remove(&self.number);
    }
}

/// Without a failure, there is no room for another process.
fn error(failure: Option<Failure>) -> InvokeError {
    match failure {
        None => InvokeError::Throttled,
        Some(Failure::Reported(error) | Failure::Ended(error)) => InvokeError::Crashed(error),
        Some(Failure::TimedOut) => InvokeError::TimedOut,
        Some(Failure::TooLarge) => InvokeError::answer_too_large(),
    }
}

/// The binary of a function in a folder, as cargo or `cargo lambda` lays it out.
///
/// # Errors
/// It does not exist: the error names the command that builds it.
pub fn find(folder: &Path, binary: &str) -> Result<PathBuf, ProcessesError> {
    let of_cargo = folder.join(binary);
    let candidates = [of_cargo.join("bootstrap"), of_cargo.clone()];
    let found = candidates.into_iter().find(|path| path.is_file());
    let found = found.and_then(|path| path.canonicalize().ok());
    found.ok_or_else(|| ProcessesError::NotBuilt {
        path: of_cargo.display().to_string(),
        command: match folder.file_name().and_then(|name| name.to_str()) {
            Some("release") => "cargo build --workspace --bins --release",
            Some("lambda") => "cargo lambda build --release",
            Some("deploy") => "cargo build --workspace --bins --profile deploy",
            _ => "cargo build --workspace --bins",
        },
    })
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
