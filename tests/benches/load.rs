//! Load: messages per second, the time from a send to its frame, and CPU per message, beside a stand-in of the source
//! documents' stack (`FastAPI`, `SQLAlchemy`, `PostgreSQL`, Redis) and beside one with its SQL by hand, in one run.
//!
//! ```sh
//! tests/benches/stand-in/install.sh
//! cargo build --workspace --bins --release
//! cargo build --workspace --bin tidings --profile deploy
//! cargo bench --workspace --bench load
//! cargo bench --workspace --bench load -- desk     # or `processes`, `stand-in`, `by-hand`: that server alone
//! cargo bench --workspace --bench load -- --desk path/to/tidings    # another build of the desk
//! ```
//!
//! The desk and the stand-in run as processes of their own, one after the other, and get the same requests from the
//! same closed loop: a sender sends once its message before has reached its recipients. Both keep their data in files
//! and neither waits for the disk; both verify the same tokens and have the same rate limits, for which senders take
//! turns. CPU time is the kernel's, of a whole process tree, the client's not counted. What the functions take alone is
//! seen in a run with functions as processes of their own, where it is the time of those.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark that cannot go on panics, and prints its figures"
)]

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use futures::future::join_all;
use harness::Socket;
use harness::figures::{cpu_of_trees, percentile};
use local::demo;
use local::environment::DESK_JWT_SECRET;
use local::processes::ProcessOptions;
use serde_json::{Value, json};
use shared::domain::time::Timestamp;
use shared::domain::user::Claims;
use tokio::process::{Child, Command};
use uuid::Uuid;

/// How many messages a sender sends before the next takes over: below the limits of a minute.
const TURN: usize = 25;
/// How many messages of each pair go before those that count.
const WARMING: usize = 50;
/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_mins(1);
const CONTENT: &str = "A message of a hundred and forty characters, about as long as what people write to each other \
                       in the course of a day, give or take a few.";

/// What is measured.
#[derive(Clone, Copy)]
struct Scenario {
    name: &'static str,
    /// How many loops run side by side.
    loops: usize,
    /// How many listen in each.
    listeners: usize,
    /// How many messages count in each.
    messages: usize,
}

const SCENARIOS: [Scenario; 3] = [
    Scenario {
        name: "1 pair",
        loops: 1,
        listeners: 1,
        messages: 1_500,
    },
    Scenario {
        name: "16 pairs",
        loops: 16,
        listeners: 1,
        messages: 200,
    },
    Scenario {
        name: "group, 30 listening",
        loops: 1,
        listeners: 30,
        messages: 500,
    },
];

#[tokio::main]
async fn main() {
    println!(
        "{:<39} {:<20} {:>7} {:>8} {:>8} {:>8} {:>9} {:>9}",
        "server", "scenario", "msg/s", "p50 ms", "p99 ms", "CPU ms", "functions", "msg/CPU s"
    );
    let built = ProcessOptions::beside_this_program().unwrap().binaries;
    // Its functions are in it, and so are optimized with it as those are that are deployed.
    let mut desk_binary = built.join("../deploy/tidings");
    let mut named = Vec::new();
    // Cargo passes `--bench`.
    let mut arguments = std::env::args().skip(1).filter(|name| name != "--bench");
    while let Some(argument) = arguments.next() {
        if argument == "--desk" {
            desk_binary = arguments.next().expect("the path of a desk").into();
        } else {
            let kind = Kind::named(&argument);
            named.push(kind.expect("a server is called desk, processes, stand-in or by-hand"));
        }
    }
    let run = |kind| run(kind, &desk_binary);
    if !named.is_empty() {
        for kind in named {
            run(kind).await;
        }
        return;
    }
    let desk = run(Kind::Desk).await;
    run(Kind::DeskOfProcesses).await;
    for kind in [Kind::StandIn, Kind::StandInByHand] {
        let other = run(kind).await;
        println!();
        for (scenario, (desk, other)) in SCENARIOS.iter().zip(desk.iter().zip(&other)) {
            println!(
                "{:<20} {:.1} times the messages per CPU second of {}",
                scenario.name,
                other / desk,
                kind.name()
            );
        }
        println!();
    }
}

/// Runs all scenarios on a fresh server each; CPU milliseconds per message.
async fn run(kind: Kind, desk_binary: &Path) -> Vec<f64> {
    let mut costs = Vec::new();
    for scenario in SCENARIOS {
        let mut server = Server::start(kind, desk_binary).await;
        let figures = server.measure(scenario).await;
        println!(
            "{:<39} {:<20} {:>7.0} {:>8.1} {:>8.1} {:>8.2} {:>9} {:>9.0}",
            kind.name(),
            scenario.name,
            figures.per_second,
            percentile(&figures.latencies, 0.5),
            percentile(&figures.latencies, 0.99),
            figures.cpu,
            figures
                .functions
                .map_or("-".to_owned(), |cpu| format!("{cpu:.2}")),
            1_000.0 / figures.cpu
        );
        costs.push(figures.cpu);
        server.end().await;
    }
    costs
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The desk with its functions in it.
    Desk,
    /// The desk with its functions as processes.
    DeskOfProcesses,
    /// The stack of the source documents.
    StandIn,
    /// The same without its models: SQL by hand.
    StandInByHand,
}

impl Kind {
    /// The one that is called so on the command line.
    fn named(name: &str) -> Option<Self> {
        match name {
            "desk" => Some(Self::Desk),
            "processes" => Some(Self::DeskOfProcesses),
            "stand-in" => Some(Self::StandIn),
            "by-hand" => Some(Self::StandInByHand),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Desk => "Tidings",
            Self::DeskOfProcesses => "Tidings, functions as processes",
            Self::StandIn => "FastAPI, SQLAlchemy, PostgreSQL, Redis",
            Self::StandInByHand => "FastAPI, SQL by hand, PostgreSQL, Redis",
        }
    }

    /// How a stand-in talks to its database: one of its modules.
    fn storage(self) -> Option<&'static str> {
        match self {
            Self::Desk | Self::DeskOfProcesses => None,
            Self::StandIn => Some("orm"),
            Self::StandInByHand => Some("sql"),
        }
    }

    fn command(self, desk_binary: &Path, http_port: u16, ws_port: u16, data: &Path) -> Command {
        if let Some(storage) = self.storage() {
            let package = Path::new(env!("CARGO_MANIFEST_DIR"));
            let mut command = Command::new(package.join("benches/stand-in/run.sh"));
            command.arg(http_port.to_string()).arg(storage);
            return command;
        }
        let mut command = Command::new(match self {
            Self::Desk => desk_binary.to_owned(),
            _ => ProcessOptions::beside_this_program()
                .unwrap()
                .binaries
                .join("tidings"),
        });
        command.args([
            "--http-port",
            &http_port.to_string(),
            "--ws-port",
            &ws_port.to_string(),
            "--s3-port",
            "0",
        ]);
        command.arg("--data-dir").arg(data);
        if self == Self::DeskOfProcesses {
            command.args(["--processes", "--most-per-function", "32"]);
        }
        command
    }
}

/// A server under measurement.
struct Server {
    kind: Kind,
    process: Child,
    http_url: String,
    ws_url: String,
    client: reqwest::Client,
    _data: tempfile::TempDir,
}

struct Figures {
    per_second: f64,
    /// Milliseconds from a send to each of its frames.
    latencies: Vec<f64>,
    /// CPU milliseconds per message, of everything.
    cpu: f64,
    /// Those of the functions alone, where they can be told apart.
    functions: Option<f64>,
}

impl Server {
    async fn start(kind: Kind, desk_binary: &Path) -> Self {
        let data = tempfile::tempdir().unwrap();
        let http_port = free_port();
        let ws_port = match kind.storage() {
            Some(_) => http_port,
            None => free_port(),
        };
        let process = kind
            .command(desk_binary, http_port, ws_port, data.path())
            .env("JWT_SECRET_KEY", DESK_JWT_SECRET)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("the server is there: see the head of this file");
        let server = Self {
            kind,
            process,
            http_url: format!("http://127.0.0.1:{http_port}"),
            ws_url: format!("ws://127.0.0.1:{ws_port}"),
            client: reqwest::Client::new(),
            _data: data,
        };
        let answers = async {
            let url = format!("{}/api/v1/users/me", server.http_url);
            while server.client.get(&url).send().await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, answers)
            .await
            .expect("the server answers");
        server
    }

    /// Ends the server as an operator would, so that it ends what it has started.
    async fn end(&mut self) {
        let id = self.process.id().unwrap().to_string();
        Command::new("kill").args(["-TERM", &id]).status().await.unwrap();
        self.process.wait().await.unwrap();
    }

    /// CPU time so far: of everything, and of the functions where they are processes.
    fn cpu(&self) -> (Duration, Option<Duration>) {
        let root = self.process.id().unwrap();
        let all = cpu_of_trees(&[root]);
        let functions = (self.kind == Kind::DeskOfProcesses).then(|| cpu_of_trees(&children(root)));
        (all, functions)
    }

    async fn measure(&self, scenario: Scenario) -> Figures {
        let mut loops = join_all((0..scenario.loops).map(|_| Loop::new(self, scenario))).await;
        join_all(loops.iter_mut().map(|one| one.run(self, WARMING))).await;
        let (before, functions_before) = self.cpu();
        let begun = Instant::now();
        let latencies = join_all(loops.iter_mut().map(|one| one.run(self, scenario.messages))).await;
        let taken = begun.elapsed();
        let (after, functions_after) = self.cpu();
        let messages = (scenario.loops * scenario.messages) as f64;
        let per_message = |cpu: Duration| cpu.as_secs_f64() * 1_000.0 / messages;
        Figures {
            per_second: messages / taken.as_secs_f64(),
            latencies: latencies.concat(),
            cpu: per_message(after.saturating_sub(before)),
            functions: functions_after
                .zip(functions_before)
                .map(|(after, before)| per_message(after.saturating_sub(before))),
        }
    }

    /// Somebody new, who has called once and so is known.
    async fn person(&self) -> (Uuid, String) {
        let user = Uuid::new_v4();
        let claims = Claims {
            username: Some(format!("user-{user}")),
            ..Claims::default()
        };
        let lifetime = Duration::from_hours(1);
        let token = demo::token(DESK_JWT_SECRET, user, claims, now(), lifetime).unwrap();
        self.call("GET", &token, "/api/v1/users/me", Value::Null).await;
        (user, token)
    }

    async fn call(&self, method: &str, token: &str, path: &str, body: Value) -> Value {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.client.request(method, format!("{}{path}", self.http_url));
        let request = request.bearer_auth(token);
        let request = if body.is_null() {
            request
        } else {
            request.json(&body)
        };
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    }
}

/// Those who talk in one loop: senders, who take turns, and listeners.
struct Loop {
    /// The token of each sender, and where they write.
    senders: Vec<(String, String)>,
    listeners: Vec<Socket>,
    sent: usize,
}

impl Loop {
    async fn new(server: &Server, scenario: Scenario) -> Self {
        let mut listening = Vec::new();
        for _ in 0..scenario.listeners {
            listening.push(server.person().await);
        }
        let senders = if let [(listener, _)] = listening.as_slice() {
            let path = format!("/api/conversations/dm/{listener}");
            let mut senders = Vec::new();
            for _ in 0..(WARMING + scenario.messages).div_ceil(TURN) {
                let (_, token) = server.person().await;
                let place = opened(&server.call("POST", &token, &path, Value::Null).await);
                senders.push((token, place));
            }
            senders
        } else {
            // All who listen, and nobody else: they send by turns, each to all.
            let (_, founder) = &listening[0];
            let members: Vec<Uuid> = listening[1..].iter().map(|(user, _)| *user).collect();
            let body = json!({ "name": "Group", "member_ids": members });
            let group = opened(&server.call("POST", founder, "/api/conversations", body).await);
            let sender = |(_, token): &(Uuid, String)| (token.clone(), group.clone());
            listening.iter().map(sender).collect()
        };
        let mut listeners = Vec::new();
        for (_, token) in &listening {
            let url = format!("{}/?token={token}", server.ws_url);
            listeners.push(Socket::open(&url).await.expect("the connection opens"));
        }
        Self {
            senders,
            listeners,
            sent: 0,
        }
    }

    /// Sends messages one after the other, each once that before has reached everybody; the milliseconds from each
    /// send to each of its frames.
    async fn run(&mut self, server: &Server, messages: usize) -> Vec<f64> {
        let mut latencies = Vec::with_capacity(messages * self.listeners.len());
        for _ in 0..messages {
            let (token, conversation) = self
                .senders
                .get(self.sent / TURN)
                .expect("a sender for each turn");
            let id = format!("message-{}", self.sent);
            self.sent += 1;
            let path = format!("/api/conversations/{conversation}/messages");
            let body = json!({ "content": CONTENT, "client_message_id": id });
            let begun = Instant::now();
            let frames = join_all(self.listeners.iter_mut().map(|socket| {
                let id = &id;
                async move {
                    // What was said when the connection had just been opened may come once more.
                    while socket.next_of("new_message").await["message"]["client_message_id"] != *id {}
                    begun.elapsed().as_secs_f64() * 1_000.0
                }
            }));
            let (frames, _) = tokio::join!(frames, server.call("POST", token, &path, body));
            latencies.extend(frames);
        }
        latencies
    }
}

fn opened(conversation: &Value) -> String {
    conversation["id"].as_str().expect("an id").to_owned()
}

fn now() -> Timestamp {
    shared::clock::Clock::default().now()
}

/// A port that nobody listens on.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// The processes that a process has started.
fn children(parent: u32) -> Vec<u32> {
    let text = std::fs::read_dir(format!("/proc/{parent}/task"))
        .unwrap()
        .flatten();
    let of_thread = |thread: std::fs::DirEntry| std::fs::read_to_string(thread.path().join("children")).ok();
    let ids = text.filter_map(of_thread).collect::<Vec<_>>().join(" ");
    ids.split_whitespace().filter_map(|id| id.parse().ok()).collect()
}
