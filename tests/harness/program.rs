//! The program `tidings` as a separate process, for tests about its start, its end and its output.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use local::demo::{self, DemoUser};
use local::environment::DESK_JWT_SECRET;
use shared::clock::Clock;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::Child;

use crate::PATIENCE;
use crate::person::Person;

/// The last line of its output at start.
const READY: &str = "Ctrl-C stops it.";

/// The path of the program, which is built on first use.
pub fn path() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| build(["tidings"]).join("tidings"))
}

/// Builds binaries of the workspace with the profile of this test; returns their folder.
pub fn build<Name: AsRef<str>>(binaries: impl IntoIterator<Item = Name>) -> PathBuf {
    // target/<profile>/deps/it-<hash>
    let this = std::env::current_exe().expect("the tests have a path");
    let folder = this.ancestors().nth(2).expect("the folder of the profile");
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(profile) => profile,
    };
    let mut cargo = Command::new(env!("CARGO"));
    // With the features of the whole workspace, so that the dependencies are already built.
    cargo
        .args(["build", "--quiet", "--workspace", "--profile", profile])
        .arg("--target-dir")
        .arg(folder.parent().expect("the target folder"))
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    for binary in binaries {
        cargo.args(["--bin", binary.as_ref()]);
    }
    // The variables that cargo sets for a test. Some dependencies (ring) are rebuilt when they change, and with them
    // everything above: once here, and again at the next `cargo t`.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(name.as_ref());
        }
    }
    let status = cargo.status().expect("cargo runs");
    assert!(status.success(), "the binaries are built");
    folder.to_owned()
}

/// The program with arguments, without this process's settings.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(path());
    command.args(arguments).stdin(Stdio::null());
    for name in shared::config::Config::NAMES {
        command.env_remove(name);
    }
    command
}

/// Runs the program until it ends.
pub async fn run(arguments: &[&str]) -> Output {
    finish(command(arguments)).await
}

/// Runs a command until it ends.
pub async fn finish(command: Command) -> Output {
    let mut command = tokio::process::Command::from(command);
    let output = command.kill_on_drop(true).output();
    tokio::time::timeout(PATIENCE, output)
        .await
        .expect("the program ends")
        .expect("the program runs")
}

/// A desk in a separate process.
pub struct Program {
    child: Child,
    client: reqwest::Client,
    /// Its output at start.
    pub words: String,
    http_url: String,
    ws_url: String,
}

impl Program {
    /// Starts a desk on free ports, without rate limits. Returns when it responds.
    pub async fn start(arguments: &[&str], settings: &[(&str, &str)]) -> Self {
        let mut command = command(&["--http-port", "0", "--ws-port", "0", "--s3-port", "0"]);
        command.args(arguments);
        for name in [
            "SENDS_PER_MINUTE",
            "REQUESTS_PER_MINUTE",
            "FRAMES_PER_SECOND",
            "CONNECTS_PER_MINUTE",
        ] {
            command.env(format!("RATE_LIMIT_{name}"), "0");
        }
        command
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = tokio::process::Command::from(command)
            .kill_on_drop(true)
            .spawn()
            .expect("the program runs");
        let words = tokio::time::timeout(PATIENCE, until_ready(&mut child))
            .await
            .expect("the desk starts");
        let address = |scheme: &str| {
            let word = words.split_whitespace().find(|word| word.starts_with(scheme));
            word.expect("the desk says where it is")
                .trim_end_matches('/')
                .to_owned()
        };
        let (http_url, ws_url) = (address("http://"), address("ws://"));
        Self {
            child,
            client: reqwest::Client::new(),
            words,
            http_url,
            ws_url,
        }
    }

    /// The address of the HTTP API.
    pub fn http_url(&self) -> &str {
        &self.http_url
    }

    /// The port of the WebSocket API.
    pub fn ws_port(&self) -> &str {
        self.ws_url.rsplit(':').next().expect("an address has a port")
    }

    /// One of the desk's demo users.
    pub fn person(&self, user: DemoUser) -> Person {
        let lifetime = Duration::from_hours(1);
        let token = demo::token(
            DESK_JWT_SECRET,
            user.id,
            user.claims(),
            Clock::default().now(),
            lifetime,
        )
        .expect("a token is made");
        Person::new(
            self.client.clone(),
            self.http_url.clone(),
            self.ws_url.clone(),
            user.id,
            token,
        )
    }

    /// Kills it, like `kill -9`: it cannot clean up.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("the program can be killed");
    }

    /// Sends a signal, and waits for its end.
    pub async fn ends_with(mut self, signal: &str) -> ExitStatus {
        let id = self.child.id().expect("the program runs").to_string();
        let sent = Command::new("kill")
            .args(["-s", signal, &id])
            .status()
            .expect("kill runs");
        assert!(sent.success(), "the signal is sent");
        tokio::time::timeout(PATIENCE, self.child.wait())
            .await
            .expect("the program ends")
            .expect("it has a status")
    }
}

/// Reads its output until it is ready.
async fn until_ready(child: &mut Child) -> String {
    let mut words = String::new();
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    while let Some(line) = lines.next_line().await.expect("what it says can be read") {
        words.push_str(&line);
        words.push('\n');
        if line == READY {
            // The rest must be read, or a full pipe would block it.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            let mut errors = child.stderr.take().expect("a pipe");
            tokio::spawn(async move { errors.read_to_end(&mut Vec::new()).await });
            return words;
        }
    }
    let mut errors = String::new();
    child
        .stderr
        .take()
        .expect("a pipe")
        .read_to_string(&mut errors)
        .await
        .expect("errors can be read");
    panic!("the desk does not start: {words}{errors}");
}
