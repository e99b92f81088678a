//! Where functions meet the Lambda runtime: the only file that knows it.
//!
//! A [`Function`] takes the bytes of an event and gives the bytes of an answer. On Lambda the runtime brings
//! them, on the desk its gateways do; the code between is the same.

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
use crate::{blob, job, push, queue, schedule, socket, telemetry};

/// A function of the system: what becomes one binary. Each is a `static` of its domain's library, made by
/// [`functions!`](crate::functions).
#[derive(Clone, Copy)]
pub struct Function {
    /// The name, `<verb>_<noun>`.
    pub name: &'static str,
    /// The package that it is of: its log group, and its place in the templates.
    pub domain: &'static str,
    /// What calls it.
    pub trigger: Trigger,
    /// What it may do to the stack's resources.
    pub rights: Rights,
}

/// Declares the functions of a domain, a line for each: a `static` for its binary, and the list of all,
/// `functions()`.
///
/// A `static` is compiled in the library that declares it, and with it all generic code that it leads to. A `const` or
/// a function could be compiled again in each binary, which would take 16 seconds of CPU instead of 0.4.
///
/// ```ignore
/// shared::functions! {
///     SEND_MESSAGE = Function::http::<send_message::SendMessage>();
/// }
/// ```
///
/// A `static` that is named otherwise than its function does not compile.
#[macro_export]
macro_rules! functions {
    ($($name:ident = $function:expr;)*) => {
        $(
            #[doc = concat!("The function behind the binary of this name: `", stringify!($function), "`.")]
            pub static $name: $crate::lambda::Function = $function.called(stringify!($name), env!("CARGO_PKG_NAME"));
        )*

        /// Every function of this domain.
        pub fn functions() -> Vec<$crate::lambda::Function> {
            vec![$($name),*]
        }
    };
}

/// What calls a function.
#[derive(Clone, Copy)]
pub enum Trigger {
    /// A route of the HTTP API.
    Http(http::Entry),
    /// A frame of a WebSocket client.
    Frame(socket::Entry),
    /// A connection that is asked for, begins or ends.
    Connection(ConnectionEntry),
    /// Messages of a queue.
    Queue(job::Entry),
    /// The time.
    Schedule(schedule::Entry),
}

/// A function of a connection's life.
#[derive(Clone, Copy)]
pub struct ConnectionEntry {
    /// The route key that it serves, or `authorizer`.
    pub key: &'static str,
    /// Answers the event.
    pub answer: ConnectionAnswer,
}

/// Answers an event of a connection's life.
pub type ConnectionAnswer = for<'a> fn(&'a App, &'a [u8]) -> BoxFuture<'a, Result<ConnectionReply>>;

/// What is answered to an event of a connection's life.
#[derive(Debug)]
pub struct ConnectionReply {
    /// The status, for the log.
    pub status: u16,
    /// The answer, or the words with which an authorizer fails.
    pub answer: std::result::Result<serde_json::Value, &'static str>,
    /// Why it was refused, for the log.
    pub refused: Option<Error>,
}

/// The word that makes API Gateway answer a handshake with 401.
/// Source: AWS, *Control access to WebSocket APIs with Lambda REQUEST authorizers*.
pub const UNAUTHORIZED: &str = "Unauthorized";

impl Function {
    /// A function for a route.
    pub const fn http<E: Endpoint>() -> Self {
        Self::of_entry(http::Entry::of::<E>(), E::RIGHTS)
    }

    /// A function for a route that is no [`Endpoint`].
    pub const fn of_entry(entry: http::Entry, rights: Rights) -> Self {
        Self {
            name: entry.route.name,
            domain: "",
            trigger: Trigger::Http(entry),
            rights,
        }
    }

    /// A function for frames.
    pub const fn frame<A: Action>() -> Self {
        Self {
            name: A::NAME,
            domain: "",
            trigger: Trigger::Frame(socket::Entry::of::<A>()),
            rights: A::RIGHTS,
        }
    }

    /// A function for a queue.
    pub const fn queue<J: Job>() -> Self {
        Self {
            name: J::NAME,
            domain: "",
            trigger: Trigger::Queue(job::Entry::of::<J>()),
            rights: J::RIGHTS,
        }
    }

    /// A function for a schedule.
    pub const fn schedule<C: Chore>() -> Self {
        Self {
            name: C::NAME,
            domain: "",
            trigger: Trigger::Schedule(schedule::Entry::of::<C>()),
            rights: C::RIGHTS,
        }
    }

    /// A function of a connection's life.
    pub const fn connection(
        name: &'static str,
        key: &'static str,
        rights: Rights,
        answer: ConnectionAnswer,
    ) -> Self {
        Self {
            name,
            domain: "",
            trigger: Trigger::Connection(ConnectionEntry { key, answer }),
            rights,
        }
    }

    /// The same function as one of a domain, if that is its name in capitals: [`functions!`](crate::functions) insists
    /// on it.
    ///
    /// # Panics
    /// It has another name. In a `static` that is an error of the compiler.
    #[must_use]
    pub const fn called(mut self, name: &str, domain: &'static str) -> Self {
        assert!(
            self.name.eq_ignore_ascii_case(name),
            "a function's static has the name of the function, in capitals"
        );
        self.domain = domain;
        self
    }

    /// The name of its binary.
    pub fn binary(&self) -> String {
        self.name.replace('_', "-")
    }

    /// Whether the first call to the table is made in init. Public routes answer from themselves, and need neither
    /// the time nor the right; the few that do call it wait once.
    pub fn connects_in_init(&self) -> bool {
        !matches!(&self.trigger, Trigger::Http(entry) if entry.is_public)
    }

    /// Whether it is told by a token who is calling.
    pub fn verifies_tokens(&self) -> bool {
        match &self.trigger {
            Trigger::Http(entry) => !entry.is_public,
            Trigger::Connection(entry) => entry.key == "authorizer",
            Trigger::Frame(_) | Trigger::Queue(_) | Trigger::Schedule(_) => false,
        }
    }

    /// Works off one event, and writes its line to the log.
    ///
    /// # Errors
    /// The words with which the invocation fails, as Lambda would report them.
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

    /// Works off an event. One that cannot be, because the function is made for others, fails in words that name both.
    async fn run(&self, app: &App, event: &[u8]) -> Done {
        let (route, wanted) = match &self.trigger {
            Trigger::Http(entry) => (entry.route.path, Wanted::Http),
            Trigger::Frame(entry) => (entry.key, Wanted::Socket),
            Trigger::Connection(entry) => (entry.key, Wanted::Socket),
            Trigger::Queue(entry) => (entry.queue.resource(), Wanted::Queue),
            Trigger::Schedule(_) => ("schedule", Wanted::Schedule),
        };
        // A schedule's function reads nothing of its event.
        if wanted == Wanted::Schedule
            && let Some(complaint) = foreign::complaint(wanted, event)
        {
            return Done::misdirected(route, complaint);
        }
        let done = self.dispatch(app, event).await;
        // Looked at only where it failed: an event that was worked off was the right one.
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
                        // What the client is to know went to it as a frame.
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

/// How an invocation ended.
struct Done {
    route: String,
    status: u16,
    request_id: String,
    answer: std::result::Result<Vec<u8>, String>,
    error: Option<Error>,
}

impl Done {
    /// An invocation by something that is set up wrongly.
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

/// The id of a scheduler's event.
fn event_id_of(event: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Event {
        id: String,
    }
    serde_json::from_slice::<Event>(event)
        .map(|event| event.id)
        .unwrap_or_default()
}

/// The `main` of every binary: reads the settings, makes the clients, then works off events one by one, on the one
/// thread that Lambda's smallest sizes give time to.
///
/// Not `async`, so that clients and runtime are compiled here, once, and not again for each binary.
pub fn serve(function: &'static Function) -> ExitCode {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default());
    // As a task: to wake the future that it blocks on, a runtime writes to a file descriptor, and has the kernel tell it.
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

/// The way to the services: one pool of connections.
fn connector() -> SharedHttpConnector {
    let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT_TIMEOUT);
    let connector = Connector::builder()
        .connector_settings(settings.build())
        // ring: aws-lc gathers 20 ms of entropy in every cold process.
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
        .build();
    SharedHttpConnector::new(connector)
}

/// Makes the connections, all at once: a TLS handshake costs more than everything else together, and is to happen
/// here, not in a request. What does not answer yet, the request will speak of.
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
            push::connect(app).await
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
