//! What the tests share: a fake [`Invoker`] whose functions are closures, and the example template.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::invoke::{BoxFuture, InvokeError, Invoker};
use crate::template::{Sources, Template};

type Function = Box<dyn Fn(Value) -> BoxFuture<'static, Result<Value, InvokeError>> + Send + Sync>;

/// Functions by logical id, and every event that reached one.
#[derive(Default)]
pub(crate) struct Functions {
    by_id: HashMap<String, Function>,
    events: Mutex<Vec<(String, Value)>>,
    /// Counts the events, for those who wait for one.
    count: watch::Sender<usize>,
}

impl Functions {
    /// Adds a function.
    pub(crate) fn with(
        mut self,
        name: &str,
        run: impl Fn(Value) -> Result<Value, InvokeError> + Send + Sync + 'static,
    ) -> Self {
        let run = move |event| {
            let answer = run(event);
            Box::pin(async move { answer }) as BoxFuture<'static, _>
        };
        self.by_id.insert(name.to_owned(), Box::new(run));
        self
    }

    /// Adds a function that takes its time.
    pub(crate) fn with_slow<F>(mut self, name: &str, run: impl Fn(Value) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Value, InvokeError>> + Send + 'static,
    {
        self.by_id
            .insert(name.to_owned(), Box::new(move |event| Box::pin(run(event))));
        self
    }

    /// Adds a function that gives one answer to everything.
    pub(crate) fn answering(self, name: &str, answer: &Value) -> Self {
        let answer = answer.clone();
        self.with(name, move |_| Ok(answer.clone()))
    }

    /// Returns the events that reached a function.
    pub(crate) fn events(&self, name: &str) -> Vec<Value> {
        let events = self.events.lock().unwrap();
        events
            .iter()
            .filter(|(function, _)| function == name)
            .map(|(_, event)| event.clone())
            .collect()
    }

    /// Returns the first event of a function, and waits for it if it has not come yet.
    pub(crate) async fn event(&self, name: &str) -> Value {
        let mut count = self.count.subscribe();
        loop {
            count.borrow_and_update();
            if let Some(event) = self.events(name).into_iter().next() {
                return event;
            }
            count.changed().await.unwrap();
        }
    }
}

impl Invoker for Functions {
    fn invoke<'a>(
        &'a self,
        function: &'a str,
        event: Vec<u8>,
    ) -> BoxFuture<'a, Result<Vec<u8>, InvokeError>> {
        Box::pin(async move {
            let event: Value = serde_json::from_slice(&event).unwrap();
            self.events
                .lock()
                .unwrap()
                .push((function.to_owned(), event.clone()));
            self.count.send_modify(|count| *count += 1);
            let run = self
                .by_id
                .get(function)
                .ok_or(InvokeError::Crashed("no such function".to_owned()))?;
            run(event).await.map(|answer| answer.to_string().into_bytes())
        })
    }
}

/// The answer of a function that has nothing to say but that it went well.
pub(crate) fn ok() -> Value {
    json!({ "statusCode": 200 })
}

/// An authorizer's answer.
pub(crate) fn policy(effect: &str) -> Value {
    json!({
        "principalId": "ada",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{ "Effect": effect, "Action": "execute-api:Invoke", "Resource": "*" }],
        },
        "context": { "user_id": "ada", "expires_at": 1_900_000_000, "admin": false },
    })
}

/// Reads the example template with its defaults.
pub(crate) fn example() -> Template {
    let sources = Sources {
        parameters: &|_| None,
        attributes: &|_, _| None,
        templates: &|_| None,
    };
    Template::parse(include_str!("../tests/data/template.yaml"), &sources).unwrap()
}

/// Opens a port of the machine's choice.
pub(crate) async fn listener() -> (TcpListener, std::net::SocketAddr) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Shares functions with a gateway.
pub(crate) fn shared(functions: Functions) -> (Arc<Functions>, Arc<dyn Invoker>) {
    let functions = Arc::new(functions);
    (Arc::clone(&functions), functions)
}
