//! Functions in this process: the same decoding and code as on Lambda, without a process each.

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
    /// As many instances as there would be processes, each with its own memory.
    instances: Vec<Instance>,
    next: AtomicUsize,
}

/// The state of one instance: created at its first invocation, as on Lambda.
pub type Instance = LazyLock<App, Box<dyn FnOnce() -> App + Send>>;

impl InProcess {
    /// Without functions.
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
                Ok(Ok(Ok(answer))) if answer.len() > PAYLOAD_LIMIT_BYTES => {
                    Err(InvokeError::answer_too_large())
                }
                Ok(Ok(Ok(answer))) => Ok(answer),
                Ok(Ok(Err(message))) => Err(InvokeError::Crashed(message)),
                // A panic means that the function died, not the desk.
                Ok(Err(_)) => Err(crashed("Runtime exited with error")),
                Err(_) => Err(InvokeError::TimedOut),
            }
        })
    }
}

/// Some functions as processes, as long as these accept requests, and the others in this process.
pub struct Divided {
    here: InProcess,
    apart: Arc<Processes>,
}

impl Divided {
    /// Combines the two.
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use bytes::Bytes;
    use local_gateway::http::HttpGateway;
    use local_gateway::template::{HttpApiSpec, HttpRoute};
    use local_services::{Services, Storage};
    use shared::clock::Clock;
    use shared::lambda::ConnectionReply;
    use shared::rights::Rights;

    use super::*;
    use crate::environment;

    /// A function whose response has as many bytes as its event says.
    fn answering() -> Function {
        Function::connection("answer", "answer", Rights::NONE, |_, event| {
            Box::pin(async move {
                let event: serde_json::Value = serde_json::from_slice(event).unwrap_or_default();
                let length = event["rawQueryString"]
                    .as_str()
                    .and_then(|text| text.parse().ok());
                let answer = serde_json::Value::from("x".repeat(length.unwrap_or(0)));
                Ok(ConnectionReply {
                    status: 200,
                    answer: Ok(answer),
                    refused: None,
                })
            })
        })
    }

    /// Source: AWS, *Lambda quotas*, and *Troubleshooting* of API Gateway: a failed integration is a 5xx.
    #[tokio::test]
    async fn an_answer_that_is_too_large_is_a_failure_of_the_function_and_not_of_the_client() {
        let services = Services::open(Storage::Memory).unwrap();
        let template = environment::template(&BTreeMap::new()).unwrap();
        let of_template = &template.functions[0].environment;
        let config =
            environment::config("Answer", of_template, &BTreeMap::new(), "http://127.0.0.1").unwrap();
        let connector = services.connector("Answer");
        let instance = Instance::new(Box::new(move || {
            App::new(config, Clock::default(), &connector, Arc::new(|_| {}))
        }));
        let mut functions = InProcess::new();
        functions.add("Answer", answering(), Duration::from_secs(3), vec![instance]);
        let spec = HttpApiSpec {
            routes: vec![HttpRoute {
                method: "GET".to_owned(),
                path: "/answer".to_owned(),
                function: "Answer".to_owned(),
                timeout_milliseconds: None,
                throttle: None,
            }],
            ..HttpApiSpec::default()
        };
        let gateway = HttpGateway::new(&spec, Arc::new(functions)).unwrap();
        for (length, status) in [(PAYLOAD_LIMIT_BYTES - 2, 200), (PAYLOAD_LIMIT_BYTES - 1, 500)] {
            let request = http::Request::get(format!("/answer?{length}")).header("host", "localhost");
            let request = request.body(Bytes::new()).unwrap();
            let answer = gateway.handle(request, "127.0.0.1:50000".parse().unwrap()).await;
            assert_eq!(answer.status(), status, "{length}");
            if status == 500 {
                assert_eq!(answer.body(), r#"{"message":"Internal Server Error"}"#);
            }
        }
    }
}
