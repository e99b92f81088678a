//! The desk: all parts put together, started and stopped.

mod gateways;

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use local_gateway::http::RouteError;
use local_gateway::template::{FunctionSpec, Template, TemplateError};
use local_gateway::websocket::{WebSocketGateway, WebSocketOptions};
use local_runtime::loopback::Server;
use local_services::{OpenError, QueueSpec, Services, Storage, TableSpec};
use shared::App;
use shared::clock::Clock;
use shared::config::ConfigError;
use shared::lambda::Function;
use shared::telemetry::Sink;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::environment::{self, Environment};
use crate::folder::{Folder, FolderError};
use crate::invoker::{Divided, InProcess, Instance, SharedInvoker};
use crate::processes::{ProcessOptions, Processes, ProcessesError};
use crate::{buckets, demo, live_page, poller, rights, schedules};

/// The desk's own name among the callers of services.
const DESK: &str = "desk";

/// How a desk is set up.
pub struct Options {
    /// The port of the HTTP API; 0 for any free one.
    pub http_port: u16,
    /// The port of the WebSocket API; 0 for any free one.
    pub ws_port: u16,
    /// The port of the buckets; 0 for any free one.
    pub s3_port: u16,
    /// The data folder; none for in memory.
    pub data_dir: Option<PathBuf>,
    /// Environment variables that override the template's.
    pub environment: Environment,
    /// The time.
    pub clock: Clock,
    /// Where the functions' log lines go.
    pub sink: Sink,
    /// How the WebSocket gateway behaves.
    pub websocket: WebSocketOptions,
    /// How many instances each function has.
    pub instances: usize,
    /// Whether the route throttles of the template are enforced.
    pub throttles: bool,
    /// How functions run as processes; none to run them in this process.
    pub processes: Option<ProcessOptions>,
}

/// Why a desk does not start, in one line.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A port is in use.
    #[error("port {port} is in use; choose another with {flag}")]
    PortInUse {
        /// The port.
        port: u16,
        /// The flag that chooses another.
        flag: &'static str,
    },
    /// A port cannot be listened on for another reason.
    #[error("port {port} cannot be listened on: {source}")]
    Port {
        /// The port.
        port: u16,
        /// Why.
        source: io::Error,
    },
    /// The data folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The services do not open.
    #[error("the services cannot be started: {0}")]
    Services(#[from] OpenError),
    /// The template is wrong.
    #[error("template.yaml: {0}")]
    Template(#[from] TemplateError),
    /// `ALLOWED_ORIGINS` has values that a deployment would refuse.
    #[error("ALLOWED_ORIGINS: {0}")]
    Origins(TemplateError),
    /// Its routes contradict each other.
    #[error("template.yaml: {0}")]
    Routes(#[from] RouteError),
    /// The settings are wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The template names a function that does not exist.
    #[error("template.yaml: no binary {0} exists")]
    NoSuchFunction(String),
    /// A schedule that the desk does not support.
    #[error("template.yaml: {0} is no rate such as rate(1 hour)")]
    Schedule(String),
    /// The functions cannot run as processes.
    #[error(transparent)]
    Processes(#[from] ProcessesError),
    /// The demo users cannot be created.
    #[error("the demo users cannot be introduced: {0}")]
    Demo(String),
}

/// A running desk.
pub struct Desk {
    http: SocketAddr,
    ws: SocketAddr,
    buckets: Server,
    services: Services,
    websocket: Arc<WebSocketGateway>,
    invoker: SharedInvoker,
    processes: Option<Arc<Processes>>,
    secret: String,
    clock: Clock,
    /// How often the clock was moved.
    moved: watch::Sender<u64>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    _folder: Option<Folder>,
}

impl Desk {
    /// Starts everything; when this returns, the desk responds.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        // The ports first: a desk that cannot listen must not touch the data of a running one.
        let http_listener = listen(options.http_port, "--http-port").await?;
        let ws_listener = listen(options.ws_port, "--ws-port").await?;
        let s3_listener = listen(options.s3_port, "--s3-port").await?;
        let (http, ws) = (local_address(&http_listener)?, local_address(&ws_listener)?);
        let mut template = read_template(&options.environment)?;
        if !options.throttles {
            template.http = template.http.without_throttles();
        }
        let mut folder = options.data_dir.as_deref().map(Folder::open).transpose()?;
        let storage = folder.as_ref().map_or(Storage::Memory, |folder| {
            Storage::Folder(folder.path().to_owned())
        });
        let services = Services::open(storage)?;
        create(&services, &template)?;
        services.set_rights(rights::of(&template));
        let clock = options.clock.clone();
        tell_the_time(&services, &clock);
        let buckets = buckets::serve(s3_listener, services.clone(), &template.buckets).map_err(|source| {
            StartError::Port {
                port: options.s3_port,
                source,
            }
        })?;
        let s3_public = format!("http://{}", buckets.address());

        let (invoker, processes) = functions(&options, &services, &template, &s3_public).await?;
        if let Some(spec) = template.functions.first() {
            // The settings of a function, without any function's rights.
            let desk = FunctionSpec {
                logical_id: DESK.to_owned(),
                ..spec.clone()
            };
            let app = instance(&options, &services, &desk, &s3_public)?;
            demo::introduce(&app)
                .await
                .map_err(|error| StartError::Demo(error.chain()))?;
        }

        if let Some(folder) = &mut folder {
            folder.is_complete()?;
        }
        let secret = environment::jwt_secret(&options.environment);
        let page = live_page::page(format!("ws://{ws}"), secret.clone(), clock.clone());
        let guard = environment::guard(&options.environment, template.http.cors.as_ref());
        let invoked = Arc::clone(&invoker);
        let gateways::Gateways {
            http: gateway,
            websocket,
        } = gateways::open(&template, invoked, options.websocket, guard, page, &services)?;

        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        tasks.spawn(serve("HTTP", {
            let stopped = stopped.clone();
            async move { gateway.serve(http_listener, until(stopped)).await }
        }));
        tasks.spawn(serve("WebSocket", {
            let (websocket, stopped) = (Arc::clone(&websocket), stopped.clone());
            async move { websocket.serve(ws_listener, until(stopped)).await }
        }));
        for mapping in &template.mappings {
            let Some(queue) = template.queue(&mapping.queue) else {
                continue;
            };
            let name = queue.name.clone();
            tasks.spawn(poller::run(
                services.clone(),
                name,
                mapping.clone(),
                Arc::clone(&invoker),
                stopped.clone(),
            ));
        }
        let (moved, clock_moved) = watch::channel(0);
        for turns in schedules::turns(&template.schedules, &clock).map_err(StartError::Schedule)? {
            let invoker = Arc::clone(&invoker);
            tasks.spawn(turns.run(invoker, clock_moved.clone(), stopped.clone()));
        }
        tasks.spawn(sweep(services.clone(), stopped));
        Ok(Self {
            http,
            ws,
            buckets,
            services,
            websocket,
            invoker,
            processes,
            secret: secret.unwrap_or_default(),
            clock,
            moved,
            stop,
            tasks,
            _folder: folder,
        })
    }

    /// The address of the HTTP API.
    pub fn http_url(&self) -> String {
        format!("http://{}", self.http)
    }

    /// The address of the WebSocket API.
    pub fn ws_url(&self) -> String {
        format!("ws://{}", self.ws)
    }

    /// The address of the buckets.
    pub fn s3_url(&self) -> String {
        format!("http://{}", self.buckets.address())
    }

    /// The embedded services.
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// The WebSocket gateway.
    pub fn websocket(&self) -> &WebSocketGateway {
        &self.websocket
    }

    /// The functions.
    pub fn invoker(&self) -> &SharedInvoker {
        &self.invoker
    }

    /// The functions' processes, if they have any.
    pub fn processes(&self) -> Option<&Processes> {
        self.processes.as_deref()
    }

    /// The secret that signs tokens; empty if only an issuer signs.
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// The time of this desk.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Advances the clock of everything on this desk.
    pub fn advance(&self, duration: Duration) {
        self.clock.advance(duration);
        self.services.queues().clock_moved();
        self.moved.send_modify(|times| *times += 1);
    }

    /// Waits for requests and jobs in progress, closes all connections, and stops.
    pub async fn stop(mut self) {
        // Nobody listens only if everything has ended already.
        self.stop.send(true).ok();
        self.websocket.close_all().await;
        while self.tasks.join_next().await.is_some() {}
        if let Some(processes) = &self.processes {
            processes.stop().await;
        }
    }
}

fn read_template(overrides: &Environment) -> Result<Template, StartError> {
    environment::template(overrides).map_err(|error| {
        if overrides.contains_key("ALLOWED_ORIGINS") {
            StartError::Origins(error)
        } else {
            StartError::Template(error)
        }
    })
}

async fn listen(port: u16, flag: &'static str) -> Result<TcpListener, StartError> {
    TcpListener::bind(("127.0.0.1", port))
        .await
        .map_err(|source| match source.kind() {
            io::ErrorKind::AddrInUse => StartError::PortInUse { port, flag },
            _ => StartError::Port { port, source },
        })
}

fn local_address(listener: &TcpListener) -> Result<SocketAddr, StartError> {
    listener
        .local_addr()
        .map_err(|source| StartError::Port { port: 0, source })
}

/// Has the services go by the desk's clock.
fn tell_the_time(services: &Services, clock: &Clock) {
    let now = |clock: Clock| Arc::new(move || clock.now().milliseconds());
    services.queues().set_clock(now(clock.clone()));
    services.objects().set_clock(now(clock.clone()));
}

/// Makes what the template declares.
fn create(services: &Services, template: &Template) -> Result<(), StartError> {
    for table in &template.tables {
        let mut create_table_json = table.create_table.clone();
        if let Some(body) = create_table_json.as_object_mut() {
            // Streams cost the embedded database a look through the table's changes at each write; nothing reads them.
            body.remove("StreamSpecification");
        }
        services.create_table(&TableSpec {
            create_table_json,
            ttl_attribute: table.ttl_attribute.clone(),
        })?;
    }
    let seconds = |seconds: u64| u32::try_from(seconds).unwrap_or(u32::MAX);
    for queue in &template.queues {
        let dead_letters = queue
            .redrive
            .as_ref()
            .and_then(|redrive| template.queue(&redrive.dead_letter_queue));
        services.create_queue(QueueSpec {
            name: queue.name.clone(),
            visibility_timeout_seconds: seconds(queue.visibility_timeout_seconds),
            delay_seconds: seconds(queue.delay_seconds),
            retention_seconds: seconds(queue.retention_seconds),
            max_receive_count: queue
                .redrive
                .as_ref()
                .map(|redrive| seconds(redrive.max_receive_count)),
            dead_letter_queue: dead_letters.map(|queue| queue.name.clone()),
        });
    }
    for bucket in &template.buckets {
        let name = environment::bucket(&bucket.logical_id);
        services.create_bucket(name)?;
        if bucket.is_locked {
            services.objects().lock(name);
        }
    }
    Ok(())
}

/// What runs the functions: this process, or processes of their own.
async fn functions(
    options: &Options,
    services: &Services,
    template: &Template,
    s3_public: &str,
) -> Result<(SharedInvoker, Option<Arc<Processes>>), StartError> {
    let mut invoker = InProcess::new();
    let mut functions: HashMap<String, Function> = crate::functions()
        .into_iter()
        .map(|function| (function.binary(), function))
        .collect();
    for spec in &template.functions {
        let function = functions
            .remove(&spec.binary)
            .ok_or_else(|| StartError::NoSuchFunction(spec.binary.clone()))?;
        let instances = (0..options.instances.max(1)).map(|_| instance(options, services, spec, s3_public));
        invoker.add(
            &spec.logical_id,
            function,
            Duration::from_secs(spec.timeout_seconds),
            instances.collect::<Result<_, _>>()?,
        );
    }
    let Some(how) = &options.processes else {
        return Ok((Arc::new(invoker), None));
    };
    let (functions, overrides) = (&template.functions, &options.environment);
    let processes = Processes::prepare(how, services, functions, overrides, s3_public, &options.sink).await?;
    let processes = Arc::new(processes);
    let divided = Divided::new(invoker, Arc::clone(&processes));
    Ok((Arc::new(divided), Some(processes)))
}

/// The world of one function in this process. Its settings are read now, so that a desk with wrong ones does not
/// start; its clients are made when it is first called.
fn instance(
    options: &Options,
    services: &Services,
    spec: &FunctionSpec,
    s3_public: &str,
) -> Result<Instance, ConfigError> {
    let config = environment::config(
        &spec.logical_id,
        &spec.environment,
        &options.environment,
        s3_public,
    )?;
    let connector = services.connector(&spec.logical_id);
    let (clock, sink) = (options.clock.clone(), Arc::clone(&options.sink));
    Ok(Instance::new(Box::new(move || {
        App::new(config, clock, &connector, sink)
    })))
}

/// Ends when told to.
async fn until(mut stopped: watch::Receiver<bool>) {
    // An error means that nobody can tell any more, which is as good.
    stopped.wait_for(|stopped| *stopped).await.ok();
}

async fn serve(name: &str, serving: impl Future<Output = io::Result<()>>) {
    if let Err(error) = serving.await {
        eprintln!("the {name} gateway stopped: {error}");
    }
}

/// Removes items whose time has come, now and then, as DynamoDB does.
async fn sweep(services: Services, stopped: watch::Receiver<bool>) {
    const EVERY: Duration = Duration::from_mins(1);
    let stop = until(stopped);
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        let services = services.clone();
        match tokio::task::spawn_blocking(move || services.sweep_ttl()).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => eprintln!("expired items cannot be removed: {error}"),
            Err(error) => eprintln!("expired items cannot be removed: {error}"),
        }
    }
}
