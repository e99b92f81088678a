//! Functions in this process: the same decoding and the same code as on Lambda, without a process each.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use local_gateway::invoke::{InvokeError, Invoker, PAYLOAD_LIMIT_BYTES};
use shared::App;
use shared::lambda::Function;

use crate::processes::Processes;

/// The functions of the desk, by their names in the template.
pub struct InProcess {
    functions: HashMap<String, Loaded>,
}

struct Loaded {
    function: Function,
    timeout: Duration,
    /// As many worlds as there would be processes: each remembers on its own.
    instances: Vec<Instance>,
    next: AtomicUsize,
}

/// The world of one process that would be: made at its first invocation, as on Lambda.
pub type Instance = LazyLock<App, Box<dyn FnOnce() -> App + Send>>;

impl InProcess {
    /// Without functions yet.
    pub fn new() -> Self {
        Self {
            functions: HashMap::new(),
        }
    }

    /// Adds a function under its name in the template.
    pub fn add(&mut self, logical_id: &str, function: Function, timeout: Duration, instances: Vec<Instance>) {
        let loaded = Loaded {
            function,
            timeout,
            instances,
            next: AtomicUsize::new(0),
        };
        self.functions.insert(logical_id.to_owned(), loaded);
    }
}

impl Default for InProcess {
    fn default() -> Self {
        Self::new()
    }
}

impl Invoker for InProcess {
    fn invoke<'a>(
        &'a self,
        function: &'a str,
        event: Vec<u8>,
    ) -> BoxFuture<'a, Result<Vec<u8>, InvokeError>> {
        Box::pin(async move {
            let crashed = |message: &str| InvokeError::Crashed(message.to_owned());
            let loaded = self
                .functions
                .get(function)
                .ok_or_else(|| crashed("there is no such function"))?;
            if event.len() > PAYLOAD_LIMIT_BYTES {
                return Err(InvokeError::TooLarge);
            }
            let turn = loaded.next.fetch_add(1, Ordering::Relaxed);
            let count = loaded.instances.len().max(1);
            let app = loaded
                .instances
                .get(turn % count)
                .ok_or_else(|| crashed("the function has no instance"))?;
            let run = std::panic::AssertUnwindSafe(loaded.function.invoke(app, &event)).catch_unwind();
            match tokio::time::timeout(loaded.timeout, run).await {
                Ok(Ok(Ok(answer))) if answer.len() > PAYLOAD_LIMIT_BYTES => Err(InvokeError::TooLarge),
                Ok(Ok(Ok(answer))) => Ok(answer),
                Ok(Ok(Err(message))) => Err(InvokeError::Crashed(message)),
                // A panic is a function that dies, not a desk that does.
                Ok(Err(_)) => Err(crashed("Runtime exited with error")),
                Err(_) => Err(InvokeError::TimedOut),
            }
        })
    }
}

/// Functions of which some run as processes, for as long as these take requests, and the others in this one.
pub struct Divided {
    here: InProcess,
    apart: Arc<Processes>,
}

impl Divided {
    /// Puts the two together.
    pub fn new(here: InProcess, apart: Arc<Processes>) -> Self {
        Self { here, apart }
    }
}

impl Invoker for Divided {
    fn invoke<'a>(
        &'a self,
        function: &'a str,
        event: Vec<u8>,
    ) -> BoxFuture<'a, Result<Vec<u8>, InvokeError>> {
        if self.apart.has(function) {
            self.apart.invoke(function, event)
        } else {
            self.here.invoke(function, event)
        }
    }
}

/// The type of a shared invoker.
pub type SharedInvoker = Arc<dyn Invoker>;
