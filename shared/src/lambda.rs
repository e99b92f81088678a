//! The only module that knows the Lambda runtime.
//!
//! A [`Function`] takes the bytes of an event and returns the bytes of a response. On Lambda the runtime provides them,
//! on the desk its gateways do; the code in between is the same.

use std::process::ExitCode;
use std::time::Instant;

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use aws_smithy_http_client::{Connector, tls};
use aws_smithy_runtime_api::client::http::{HttpConnectorSettings, SharedHttpConnector};
use lambda_runtime::{LambdaEvent, service_fn};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::runtime::{self, LocalOptions};

use crate::App;
use crate::clients::CONNECT_TIMEOUT;
use crate::clock::Clock;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::foreign::{self, Wanted};
use crate::http;
use crate::http::endpoint::{BoxFuture, Endpoint};
use crate::job::Job;
use crate::rights::Rights;
use crate::schedule::Chore;
use crate::socket::Action;
use crate::{blob, connections_api, job, queue, schedule, socket, telemetry};

/// A function of the system, built as one binary. Each is a `static` of its domain's library, declared with
/// [`functions!`](crate::functions).
#[derive(Clone, Copy)]
pub struct Function {
    /// The name, `<verb>_<noun>`.
    pub name: &'static str,
    /// The package that declares it; also the name of its log group and nested stack.
    pub domain: &'static str,
    /// The nested stack that its domain is in: `messaging` is `stacks/messaging.yaml`.
    pub stack: &'static str,
    /// What invokes it.
    pub trigger: Trigger,
    /// The rights of its role.
    pub rights: Rights,
}

/// Declares the functions of a domain, one per line: a `static` for each binary, and `functions()` with all of them.
/// The first line names their nested stack; a new name makes a new stack.
///
/// A `static` is compiled in the library that declares it, together with all generic code that it uses. A `const` or a
/// function could be compiled again in each binary, which would take 16 seconds of CPU instead of 0.4.
///
/// ```ignore
/// shared::functions! {
///     in "messaging";
///     SEND_MESSAGE = Function::http::<send_message::SendMessage>();
/// }
/// ```
///
/// The name of a `static` must be that of its function in capitals, or it does not compile.
#[macro_export]
macro_rules! functions {
    (in $stack:literal; $($name:ident = $function:expr;)*) => {
        $(
            #[doc = concat!("The function behind the binary of this name: `", stringify!($function), "`.")]
            pub static $name: $crate::lambda::Function = $function.called(stringify!($name), env!("CARGO_PKG_NAME"), $stack);
        )*

        /// Every function of this domain.
        pub fn functions() -> Vec<$crate::lambda::Function> {
            vec![$($name),*]
        }
    };
}

/// What invokes a function.
#[derive(Clone, Copy)]
pub enum Trigger {
    /// A route of the HTTP API.
    Http(http::AnyEndpoint),
    /// A frame of a WebSocket client.
    Frame(socket::AnyAction),
    /// A connection's handshake, opening or closing.
    Connection(ConnectionHandler),
    /// Messages of a queue.
    Queue(job::AnyJob),
    /// A schedule.
    Schedule(schedule::AnyChore),
}

/// A function for events of a connection's life.
#[derive(Clone, Copy)]
pub struct ConnectionHandler {
    /// The route key that it serves, or `authorizer`.
    pub key: &'static str,
    /// Answers the event.
    pub answer: ConnectionAnswer,
}

/// Answers an event of a connection's life.
pub type ConnectionAnswer = for<'a> fn(&'a App, &'a [u8]) -> BoxFuture<'a, Result<ConnectionReply>>;

/// The answer to an event of a connection's life.
#[derive(Debug)]
pub struct ConnectionReply {
    /// The status, for the log.
    pub status: u16,
    /// The response, or the text with which an authorizer fails.
    pub answer: std::result::Result<serde_json::Value, &'static str>,
    /// Why it was refused, for the log.
    pub refused: Option<Error>,
}

/// The error text that makes API Gateway answer a handshake with 401.
/// Source: AWS, *Control access to WebSocket APIs with Lambda REQUEST authorizers*.
pub const UNAUTHORIZED: &str = "Unauthorized";

impl Function {
    /// A function for a route.
    pub const fn http<E: Endpoint>() -> Self {
        Self::of_endpoint(http::AnyEndpoint::of::<E>(), E::RIGHTS)
    }

    /// A function for a route that is not declared as an [`Endpoint`].
    pub const fn of_endpoint(entry: http::AnyEndpoint, rights: Rights) -> Self {
        Self::new(entry.route.name, Trigger::Http(entry.with_throttle()), rights)
    }

    /// A function for frames.
    pub const fn frame<A: Action>() -> Self {
        Self::new(A::NAME, Trigger::Frame(socket::AnyAction::of::<A>()), A::RIGHTS)
    }

    /// A function for a queue.
    pub const fn queue<J: Job>() -> Self {
        Self::new(J::NAME, Trigger::Queue(job::AnyJob::of::<J>()), J::RIGHTS)
    }

    /// A function for a schedule.
    pub const fn schedule<C: Chore>() -> Self {
        Self::new(
            C::NAME,
            Trigger::Schedule(schedule::AnyChore::of::<C>()),
            C::RIGHTS,
        )
    }

    /// A function for events of a connection's life.
    pub const fn connection(
        name: &'static str,
        key: &'static str,
        rights: Rights,
        answer: ConnectionAnswer,
    ) -> Self {
        Self::new(
            name,
            Trigger::Connection(ConnectionHandler { key, answer }),
            rights,
        )
    }

    const fn new(name: &'static str, trigger: Trigger, rights: Rights) -> Self {
        Self {
            name,
            domain: "",
            stack: "",
            trigger,
            rights,
        }
    }

    /// Adds the domain, and checks that the name of the `static` is that of the function in capitals.
    ///
    /// # Panics
    /// The names differ. In a `static` this is a compile error.
    #[must_use]
    pub const fn called(mut self, name: &str, domain: &'static str, stack: &'static str) -> Self {
        assert!(
            self.name.eq_ignore_ascii_case(name),
            "a function's static has the name of the function, in capitals"
        );
        self.domain = domain;
        self.stack = stack;
        self
    }

    /// The name of its binary.
    pub fn binary(&self) -> String {
        self.name.replace('_', "-")
    }

    /// Whether init opens the connection to the table. Public routes do not use the table and have no permission for
    /// it; the few that do open it with their first call.
    pub fn connects_in_init(&self) -> bool {
        !matches!(&self.trigger, Trigger::Http(entry) if entry.is_public)
    }

    /// Whether it verifies bearer tokens.
    pub fn verifies_tokens(&self) -> bool {
        match &self.trigger {
            Trigger::Http(entry) => !entry.is_public,
            Trigger::Connection(entry) => entry.key == "authorizer",
            Trigger::Frame(_) | Trigger::Queue(_) | Trigger::Schedule(_) => false,
        }
    }

    /// Handles one event, and writes its log line.
    ///
    /// # Errors
    /// The error text with which the invocation fails, as Lambda reports it.
    pub async fn invoke(&self, app: &App, event: &[u8]) -> std::result::Result<Vec<u8>, String> {
        let app = app.for_invocation();
        let begun = Instant::now();
        let done = self.run(&app, event).await;
        let outcome = telemetry::Outcome {
            function: self.name,
            request_id: &done.request_id,
            route: &done.route,
            status: done.status,
            error: done.error.as_ref().map(Error::chain),
            duration: begun.elapsed(),
            at: app.now(),
        };
        app.log(&telemetry::line(&outcome, app.meter()));
        done.answer
    }

    /// Handles an event. An event of another kind than the function's fails with an error that names both kinds.
    async fn run(&self, app: &App, event: &[u8]) -> Done {
        let (route, wanted) = match &self.trigger {
            Trigger::Http(entry) => (entry.route.path, Wanted::Http),
            Trigger::Frame(entry) => (entry.key, Wanted::Socket),
            Trigger::Connection(entry) => (entry.key, Wanted::Socket),
            Trigger::Queue(entry) => (entry.queue.resource(), Wanted::Queue),
            Trigger::Schedule(_) => ("schedule", Wanted::Schedule),
        };
        // A chore ignores its event, so the kind is checked first.
        if wanted == Wanted::Schedule
            && let Some(complaint) = foreign::complaint(wanted, event)
        {
            return Done::misdirected(route, complaint);
        }
        let done = self.dispatch(app, event).await;
        // Checked only after a failure: an event that was handled was of the right kind.
        if done.answer.is_err()
            && let Some(complaint) = foreign::complaint(wanted, event)
        {
            return Done::misdirected(route, complaint);
        }
        done
    }

    async fn dispatch(&self, app: &App, event: &[u8]) -> Done {
        match &self.trigger {
            Trigger::Http(entry) => match http::event::answer(app, entry, event).await {
                Ok(answered) => Done {
                    route: format!("{} {}", entry.route.method.as_str(), entry.route.path),
                    status: answered.status,
                    request_id: answered.request_id,
                    answer: Ok(answered.payload),
                    error: answered.error,
                },
                Err(error) => Done::broken(entry.route.path, error),
            },
            Trigger::Frame(entry) => match serde_json::from_slice::<ApiGatewayWebsocketProxyRequest>(event) {
                Ok(event) if event.request_context.connection_id.is_none() => {
                    Done::broken(entry.key, Error::internal("the event names no connection"))
                }
                Ok(event) => {
                    let (status, error) = (entry.answer)(app, &event).await;
                    Done {
                        route: entry.key.to_owned(),
                        status,
                        request_id: event.request_context.request_id.unwrap_or_default(),
                        // The client has been told by a frame.
                        answer: Ok(br#"{"statusCode":200}"#.to_vec()),
                        error,
                    }
                }
                Err(error) => Done::broken(entry.key, Error::internal(error)),
            },
            Trigger::Connection(entry) => match (entry.answer)(app, event).await {
                Ok(reply) => Done {
                    route: entry.key.to_owned(),
                    status: reply.status,
                    request_id: request_id_of(event),
                    answer: reply
                        .answer
                        .map(|answer| answer.to_string().into_bytes())
                        .map_err(str::to_owned),
                    error: reply.refused,
                },
                Err(error) => Done {
                    request_id: request_id_of(event),
                    ..Done::broken(entry.key, error)
                },
            },
            Trigger::Queue(entry) => match serde_json::from_slice::<Batch>(event) {
                Ok(batch) => {
                    let (failures, error) = (entry.work)(app, &batch.records).await;
                    Done {
                        route: entry.queue.resource().to_owned(),
                        status: if error.is_some() { 500 } else { 200 },
                        request_id: batch
                            .records
                            .first()
                            .map(|record| record.message_id.clone())
                            .unwrap_or_default(),
                        answer: serde_json::to_vec(&failures).map_err(|error| error.to_string()),
                        error,
                    }
                }
                Err(error) => Done::broken(entry.queue.resource(), Error::internal(error)),
            },
            Trigger::Schedule(entry) => match (entry.work)(app).await {
                Ok(()) => Done {
                    route: "schedule".to_owned(),
                    status: 200,
                    request_id: event_id_of(event),
                    answer: Ok(b"{}".to_vec()),
                    error: None,
                },
                Err(error) => Done {
                    request_id: event_id_of(event),
                    ..Done::broken("schedule", error)
                },
            },
        }
    }
}

/// The result of an invocation.
struct Done {
    route: String,
    status: u16,
    request_id: String,
    answer: std::result::Result<Vec<u8>, String>,
    error: Option<Error>,
}

impl Done {
    /// An invocation by a wrongly configured trigger.
    fn misdirected(route: &str, complaint: String) -> Self {
        Self {
            answer: Err(complaint.clone()),
            ..Self::broken(route, Error::internal(complaint))
        }
    }

    /// An invocation that fails as a whole.
    fn broken(route: &str, error: Error) -> Self {
        let answer = Err(error.to_string());
        Self {
            route: route.to_owned(),
            status: 500,
            request_id: String::new(),
            answer,
            error: Some(error),
        }
    }
}

#[derive(Deserialize)]
struct Batch {
    #[serde(rename = "Records")]
    records: Vec<job::Record>,
}

fn request_id_of(event: &[u8]) -> String {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Event {
        request_context: Context,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Context {
        request_id: String,
    }
    serde_json::from_slice::<Event>(event)
        .map(|event| event.request_context.request_id)
        .unwrap_or_default()
}

/// The id of a scheduler event.
fn event_id_of(event: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Event {
        id: String,
    }
    serde_json::from_slice::<Event>(event)
        .map(|event| event.id)
        .unwrap_or_default()
}

/// The `main` of every binary: reads the settings, creates the clients, then handles events one by one on a single
/// thread, which is what Lambda's smallest sizes provide.
///
/// Not `async`, so that clients and runtime are compiled once, here, and not again for each binary.
pub fn serve(function: &'static Function) -> ExitCode {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default());
    // As a task: waking the future that `block_on` waits for would write to a file descriptor, which costs a system
    // call.
    match runtime.and_then(|runtime| Ok(runtime.block_on(runtime.spawn_local(work(function)))?)) {
        Ok(code) => code,
        Err(error) => failed(&error.to_string()),
    }
}

async fn work(function: &'static Function) -> ExitCode {
    let config = match Config::from_environment() {
        Ok(config) if function.verifies_tokens() => config.can_verify_tokens().map(|()| config),
        config => config,
    };
    let config = match config {
        Ok(config) => config,
        Err(error) => return failed(&error.to_string()),
    };
    let app = App::new(
        config,
        Clock::default(),
        &connector(),
        telemetry::standard_output(),
    );
    Box::pin(connect(&app, function)).await;
    let app = &app;
    let handler = service_fn(move |event: LambdaEvent<Box<RawValue>>| async move {
        let answer = function
            .invoke(app, event.payload.get().as_bytes())
            .await
            .map_err(lambda_runtime::Error::from)?;
        let text = String::from_utf8(answer).map_err(lambda_runtime::Error::from)?;
        RawValue::from_string(text).map_err(lambda_runtime::Error::from)
    });
    match lambda_runtime::run(handler).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error.to_string()),
    }
}

/// The HTTP connector: one connection pool for all services.
fn connector() -> SharedHttpConnector {
    let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT_TIMEOUT);
    let connector = Connector::builder()
        .connector_settings(settings.build())
        // ring instead of aws-lc, which gathers entropy for 20 ms in every cold process.
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
        .build();
    SharedHttpConnector::new(connector)
}

/// Opens all connections concurrently in init, not in a request: a TLS handshake costs more than everything else
/// together. Failures are ignored here; the request will report them.
async fn connect(app: &App, function: &Function) {
    let table = async {
        if function.connects_in_init() {
            crate::store::table::ready(app).await
        } else {
            Ok(())
        }
    };
    let queues = async {
        if function.rights.calls_queues() {
            queue::connect(app).await
        } else {
            Ok(())
        }
    };
    let connections = async {
        if function.rights.calls_connections() {
            connections_api::connect(app).await
        } else {
            Ok(())
        }
    };
    let bucket = async {
        if function.rights.calls_bucket() {
            blob::connect(app).await
        } else {
            Ok(())
        }
    };
    let (table, queues, connections, bucket) = tokio::join!(table, queues, connections, bucket);
    for error in [table, queues, connections, bucket]
        .into_iter()
        .filter_map(Result::err)
    {
        app.log(&serde_json::json!({ "level": "WARN", "message": "no connection in init", "error": error.chain() }).to_string());
    }
}

fn failed(message: &str) -> ExitCode {
    (telemetry::standard_output())(&serde_json::json!({ "level": "ERROR", "message": message }).to_string());
    ExitCode::FAILURE
}
