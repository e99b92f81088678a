//! The binaries under `cargo lambda watch`, which implements the Runtime API differently from the desk. Without
//! `cargo-lambda` (`pip install cargo-lambda`) this test reports that it was skipped.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use harness::{World, events};
use local::environment::{self, Addresses};
use local::processes::{self, services};
use local::settings;
use local_runtime::loopback::Server;
use serde_json::Value;
use tokio::process::{Child, Command};

/// The timeout of starting the emulator, and of a response.
const PATIENCE: Duration = Duration::from_mins(1);

/// The `cargo-lambda` of this machine.
fn cargo_lambda() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join("cargo-lambda"))
        .find(|path| path.is_file());
    if found.is_none() {
        println!("skipped: there is no cargo-lambda on this machine");
    }
    found
}

/// Only the emulator: the test starts the functions itself.
async fn watch(program: &Path, port: u16) -> Child {
    let mut child = Command::new(program)
        .args([
            "lambda",
            "watch",
            "--only-lambda-apis",
            "--invoke-address",
            "127.0.0.1",
            "--invoke-port",
        ])
        .arg(port.to_string())
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    // It reports its start before it listens.
    let is_ready = async {
        let mut tries = tokio::time::interval(Duration::from_millis(20));
        while tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port))
            .await
            .is_err()
        {
            assert!(matches!(child.try_wait(), Ok(None)), "cargo lambda watch ended");
            tries.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, is_ready)
        .await
        .expect("cargo lambda watch starts");
    child
}

/// A function as a process of the emulator's, with the settings that `tidings settings` prints.
fn function(world: &World, services: &Server, name: &str, binaries: &Path, port: u16) -> Child {
    let template = environment::template(&BTreeMap::new()).unwrap();
    let spec = template.function(name).unwrap();
    let addresses = Addresses::at(&format!("http://{}", services.address()), &world.desk().s3_url());
    let settings = settings::of_all(&template, &BTreeMap::new(), &addresses);
    Command::new(processes::find(binaries, &spec.binary).unwrap())
        .env_clear()
        .envs(settings.lines().filter_map(|line| line.split_once('=')))
        .env("AWS_LAMBDA_FUNCTION_NAME", &spec.binary)
        .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .env(
            "AWS_LAMBDA_RUNTIME_API",
            format!("http://127.0.0.1:{port}/.rt/{}", spec.binary),
        )
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// S1-Q01; cargo-lambda/cargo-lambda: an answer without `cookies` is a 500 there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_binaries_answer_under_cargo_lambda_watch_and_invoke() {
    let Some(program) = cargo_lambda() else { return };
    let build = || harness::program::build(["get-me", "send-message"]);
    let binaries = tokio::task::spawn_blocking(build).await.unwrap();
    let world = World::start().await;
    let [ada, bob] = events::ada_and_bob(&world);
    let conversation = ada.open_direct(&bob).await;
    let services = services::serve(world.services().clone(), 0).await.unwrap();
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let _emulator = watch(&program, port).await;
    let _functions = ["GetMe", "SendMessage"].map(|name| function(&world, &services, name, &binaries, port));

    // Through its function URL, as an HTTP event.
    let url = format!("http://127.0.0.1:{port}/lambda-url/get-me/api/v1/users/me");
    let request = reqwest::Client::new()
        .get(url)
        .bearer_auth(&ada.token)
        .timeout(PATIENCE);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let me: Value = answer.json().await.unwrap();
    assert_eq!(me["data"]["username"], "ada");

    // By its recorded event.
    let mut invoke = Command::new(&program);
    invoke
        .args([
            "lambda",
            "invoke",
            "send-message",
            "--invoke-address",
            "127.0.0.1",
            "--invoke-port",
        ])
        .arg(port.to_string())
        .args(["--data-file", "events/send-message.json"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, invoke.output())
        .await
        .expect("an answer comes")
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["statusCode"], 201, "{answer}");
    let sent: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    assert_eq!(bob.messages(&conversation).await, [sent]);
}
