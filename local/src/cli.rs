//! The command `tidings`: runs the desk, issues tokens, listens, redrives dead-letter queues.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use futures::{SinkExt as _, StreamExt as _};
use local_gateway::websocket::WebSocketOptions;
use rustix::fs::Mode;
use shared::clock::Clock;
use shared::domain::user::Claims;
use shared::telemetry::Sink;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_tungstenite::tungstenite::Message;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use uuid::Uuid;

use crate::demo;
use crate::desk::{Desk, Options};
use crate::environment::{self, Addresses, Environment};
use crate::processes::{self, ProcessOptions};
use crate::{redrive, restoring, settings};

/// Tidings on one desk: the HTTP and WebSocket APIs, every function, and the services that they use.
#[derive(Debug, Parser)]
#[command(name = "tidings", version, about, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: Run,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print a token for a user.
    Token(Token),
    /// Print the frames that a user gets, line by line, and send what is typed.
    Listen(Listen),
    /// Print the settings of functions that run somewhere else and use the services of a desk with `--services-port`.
    Settings(Settings),
    /// Send the jobs in the running desk's dead-letter queues back to their queues.
    Redrive(Redrive),
    /// Restore the end of the running desk's audit log after it was lost.
    RestoreAudit(RestoreAudit),
}

#[derive(Debug, Args)]
struct Run {
    /// The port of the HTTP API.
    #[arg(long, default_value_t = 3000)]
    http_port: u16,
    /// The port of the WebSocket API.
    #[arg(long, default_value_t = 3001)]
    ws_port: u16,
    /// The port of the buckets, for uploads and downloads.
    #[arg(long, default_value_t = 3002)]
    s3_port: u16,
    /// The data folder.
    #[arg(long, default_value = ".local", conflicts_with = "memory")]
    data_dir: PathBuf,
    /// Keep the data in memory only.
    #[arg(long)]
    memory: bool,
    /// Offer the table, the queues, the buckets and the connections on this port to functions that run somewhere else.
    #[arg(long)]
    services_port: Option<u16>,
    /// Print the functions' log lines.
    #[arg(long)]
    log: bool,
    /// Run the functions as separate processes, as Lambda does. They are built with
    /// `cargo build --workspace --bins`.
    #[arg(long)]
    processes: bool,
    /// The folder of the functions' binaries [default: where this program is].
    #[arg(long, requires = "processes")]
    binaries: Option<PathBuf>,
    /// The maximum number of processes per function; further requests are throttled.
    #[arg(long, requires = "processes", default_value_t = processes::MOST_PER_FUNCTION)]
    most_per_function: usize,
}

#[derive(Debug, Args)]
struct Token {
    /// The user: the `sub`, a UUID.
    #[arg(long)]
    user: Uuid,
    /// The display name.
    #[arg(long)]
    name: Option<String>,
    /// The user name.
    #[arg(long)]
    username: Option<String>,
    /// The e-mail address.
    #[arg(long)]
    email: Option<String>,
    /// A role; may be repeated.
    #[arg(long = "role")]
    roles: Vec<String>,
    /// A permission; may be repeated.
    #[arg(long = "permission")]
    permissions: Vec<String>,
    /// For how many minutes the token is valid.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=525_600))]
    minutes: u64,
}

#[derive(Debug, Args)]
struct Settings {
    /// The host of the desk, as the functions reach it.
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// The port of the desk's services.
    #[arg(long, default_value_t = 3003)]
    services_port: u16,
    /// The port of the buckets, for uploads and downloads.
    #[arg(long, default_value_t = 3002)]
    s3_port: u16,
    /// Print a template for `sam local`, instead of lines for `cargo lambda watch --env-file`. The functions are where
    /// `cargo lambda build` puts them, seen from this folder.
    #[arg(long, value_name = "FOLDER")]
    sam: Option<String>,
}

#[derive(Debug, Args)]
struct Listen {
    /// The token of the user.
    #[arg(long)]
    token: String,
    /// The port of the WebSocket API.
    #[arg(long, default_value_t = 3001)]
    ws_port: u16,
}

#[derive(Debug, Args)]
struct Redrive {
    /// The dead-letter queue [default: all of them].
    queue: Option<String>,
    /// The port of the HTTP API.
    #[arg(long, default_value_t = 3000)]
    http_port: u16,
}

#[derive(Debug, Args)]
struct RestoreAudit {
    /// The port of the HTTP API.
    #[arg(long, default_value_t = 3000)]
    http_port: u16,
}

/// Runs the command.
pub async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    let done = match cli.command {
        Some(Command::Token(token)) => print_token(token),
        Some(Command::Settings(settings)) => print_settings(&settings),
        Some(Command::Listen(listen)) => listen_to(listen).await,
        Some(Command::Redrive(redrive)) => send_back(redrive).await,
        Some(Command::RestoreAudit(command)) => {
            restoring::ask(command.http_port).await.map(|words| say(&words))
        }
        None => run(cli.run).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("tidings: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Shows the requested help, or says in one line what is wrong with the command line.
fn refuse(error: &clap::Error) -> ExitCode {
    let text = error.to_string();
    if !error.use_stderr() {
        say(text.trim_end());
        return ExitCode::SUCCESS;
    }
    // The first paragraph is the error; the others show the usage, like --help.
    let what = text.split("\n\n").next().unwrap_or_default();
    let what: Vec<&str> = what.trim_start_matches("error: ").split_whitespace().collect();
    eprintln!("tidings: {}; --help tells more", what.join(" "));
    ExitCode::from(2)
}

async fn run(run: Run) -> Result<(), String> {
    let mut ending = Ending::new()?;
    // Files that the desk writes are only for its user.
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    show_warnings();
    let environment = environment::of_process();
    let data_dir = (!run.memory).then_some(run.data_dir);
    let processes = match (run.processes, run.binaries) {
        (false, _) => None,
        (true, Some(folder)) => Some(ProcessOptions::in_folder(folder)),
        (true, None) => Some(ProcessOptions::beside_this_program().map_err(|error| error.to_string())?),
    };
    let processes = processes.map(|processes| ProcessOptions {
        most_per_function: run.most_per_function,
        ..processes
    });
    let desk = Desk::start(Options {
        http_port: run.http_port,
        ws_port: run.ws_port,
        s3_port: run.s3_port,
        data_dir: data_dir.clone(),
        sink: sink(run.log),
        clock: Clock::default(),
        websocket: WebSocketOptions::default(),
        instances: 1,
        environment: environment.clone(),
        throttles: true,
        processes,
    })
    .await
    .map_err(|error| error.to_string())?;
    let services = match run.services_port {
        Some(port) => {
            let serving = processes::services::serve(desk.services().clone(), port).await;
            Some(serving.map_err(|error| format!("port {port} of --services-port: {error}"))?)
        }
        None => None,
    };
    let kept = data_dir.map_or_else(
        || "in memory".to_owned(),
        |folder| format!("in {}", folder.display()),
    );
    say(&welcome(&desk, &environment, &kept)?);
    ending.comes().await;
    say("stopping");
    drop(services);
    desk.stop().await;
    Ok(())
}

/// Waits for Ctrl-C or a termination signal. Listens from the moment of its creation, so that none is missed later.
struct Ending {
    interrupt: Signal,
    terminate: Signal,
}

impl Ending {
    fn new() -> Result<Self, String> {
        let listen = |kind| signal(kind).map_err(|error| error.to_string());
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    async fn comes(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Log lines go to standard error, or nowhere: the terminal is for what a newcomer should read.
fn sink(is_wanted: bool) -> Sink {
    if !is_wanted {
        return Arc::new(|_| {});
    }
    let standard_error = Mutex::new(std::io::stderr());
    Arc::new(move |line| {
        if let Ok(mut standard_error) = standard_error.lock() {
            // If the log cannot be written, there is nobody to tell.
            writeln!(standard_error, "{line}").ok();
        }
    })
}

/// Shows on standard error the warnings of the gateways and the embedded services, or what `RUST_LOG` selects: a
/// function that died, a database that cannot be written.
fn show_warnings() {
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::WARN.into());
    tracing_subscriber::fmt()
        .with_env_filter(filter.from_env_lossy())
        .with_writer(std::io::stderr)
        .init();
}

/// Prints a line for the user of the desk.
fn say(text: &str) {
    writeln!(std::io::stdout().lock(), "{text}").ok();
}

fn welcome(desk: &Desk, environment: &Environment, kept: &str) -> Result<String, String> {
    let Some(secret) = environment::jwt_secret(environment) else {
        return Ok(format!(
            "Tidings is running; its data is kept {kept}.

  HTTP API     {http}      documents {http}/docs  {http}/redoc  {http}/openapi.json
  WebSocket    {ws}        document  {http}/asyncapi.json

It takes the tokens of the issuer at JWT_JWKS_URL. Set JWT_SECRET_KEY as well for the live page and tidings token.

Ctrl-C stops it.
",
            http = desk.http_url(),
            ws = desk.ws_url(),
        ));
    };
    let token = |user: &demo::DemoUser| {
        demo::token(
            &secret,
            user.id,
            user.claims(),
            Clock::default().now(),
            demo::TOKEN_LIFETIME,
        )
        .map_err(|error| error.to_string())
    };
    let [ada, bob, ..] = demo::USERS;
    let (http, ws) = (desk.http_url(), desk.ws_url());
    let ws_port = ws.rsplit(':').next().unwrap_or_default();
    let port = if ws_port == "3001" {
        String::new()
    } else {
        format!(" --ws-port {ws_port}")
    };
    let program =
        std::env::current_exe().map_or_else(|_| "tidings".to_owned(), |path| path.display().to_string());
    let conversation = shared::domain::ids::ConversationId::direct(
        shared::domain::ids::UserId::from_uuid(ada.id),
        shared::domain::ids::UserId::from_uuid(bob.id),
    );
    Ok(format!(
        r#"Tidings is running; its data is kept {kept}.

  live page    {http}/
  HTTP API     {http}      documents {http}/docs  {http}/redoc  {http}/openapi.json
  WebSocket    {ws}        document  {http}/asyncapi.json

Two people, and their tokens for a day ({program} token makes others):

  ADA={ada_token}
  BOB={bob_token}

In another terminal, with those two lines pasted:

  # Ada opens the conversation with Bob, and writes to him
  curl -sX POST {http}/api/conversations/dm/{bob_id} -H "Authorization: Bearer $ADA"
  curl -sX POST {http}/api/conversations/{conversation}/messages -H "Authorization: Bearer $ADA" \
       -H "Content-Type: application/json" -d '{{"content":"Hello, Bob!","client_message_id":"first"}}'
  # Bob reads
  curl -s {http}/api/conversations/{conversation}/messages -H "Authorization: Bearer $BOB"
  # Bob listens; let Ada write again meanwhile
  {program} listen{port} --token $BOB

Ctrl-C stops it.
"#,
        ada_token = token(&ada)?,
        bob_token = token(&bob)?,
        bob_id = bob.id,
    ))
}

fn print_token(token: Token) -> Result<(), String> {
    let secret = environment::jwt_secret(&environment::of_process()).ok_or(
        "JWT_JWKS_URL is set, so the issuer there makes the tokens; set JWT_SECRET_KEY to make one here",
    )?;
    if secret.len() < shared::config::SECRET_MIN_BYTES {
        return Err(format!(
            "JWT_SECRET_KEY has {} bytes; at least {} are needed",
            secret.len(),
            shared::config::SECRET_MIN_BYTES
        ));
    }
    let claims = Claims {
        name: token.name,
        username: token.username,
        email: token.email,
        roles: token.roles,
        permissions: token.permissions,
        ..Claims::default()
    };
    let lifetime = Duration::from_secs(token.minutes * 60);
    let token = demo::token(&secret, token.user, claims, Clock::default().now(), lifetime)
        .map_err(|error| error.to_string())?;
    say(&token);
    Ok(())
}

fn print_settings(asked: &Settings) -> Result<(), String> {
    let overrides = environment::of_process();
    let template = environment::template(&overrides).map_err(|error| error.to_string())?;
    let address = |port: u16| format!("http://{}:{port}", asked.host);
    let addresses = Addresses::at(&address(asked.services_port), &address(asked.s3_port));
    let text = match &asked.sam {
        None => settings::of_all(&template, &overrides, &addresses),
        Some(binaries) => {
            let template = settings::sam_template(&template, &overrides, &addresses, binaries);
            serde_json::to_string_pretty(&template).map_err(|error| error.to_string())?
        }
    };
    say(text.trim_end());
    Ok(())
}

async fn send_back(command: Redrive) -> Result<(), String> {
    for redriven in redrive::ask(command.http_port, command.queue.as_deref()).await? {
        let jobs = if redriven.jobs == 1 { "job" } else { "jobs" };
        say(&format!(
            "{}: {} {jobs} sent back to {}",
            redriven.from, redriven.jobs, redriven.to
        ));
    }
    Ok(())
}

async fn listen_to(listen: Listen) -> Result<(), String> {
    let mut ending = Ending::new()?;
    let url = format!("ws://127.0.0.1:{}/?token={}", listen.ws_port, listen.token);
    let (mut socket, _) = tokio_tungstenite::connect_async(url)
        .await
        .map_err(|error| error.to_string())?;
    say("connected; frames appear below, a line that is typed is sent as it is");
    let mut lines = typed_lines();
    let mut typing = true;
    loop {
        tokio::select! {
            frame = socket.next() => match frame {
                Some(Ok(Message::Text(text))) => say(&text),
                Some(Ok(Message::Close(_))) | None => return Ok(()),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.to_string()),
            },
            line = lines.recv(), if typing => match line {
                Some(line) => {
                    socket.send(Message::text(line)).await.map_err(|error| error.to_string())?;
                }
                None => typing = false,
            },
            () = ending.comes() => return Ok(()),
        }
    }
}

/// The typed lines, read by a separate thread: the runtime would wait for its own thread until the next line, and the
/// program would not end before.
fn typed_lines() -> tokio::sync::mpsc::Receiver<String> {
    let (typed, lines) = tokio::sync::mpsc::channel(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if typed.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}
