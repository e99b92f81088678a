//! The command `tidings`: tokens, listening, and the commands that it prints at its start.

use std::process::Stdio;
use std::time::Duration;

use harness::program::{self, Program};
use harness::{PATIENCE, World};
use local::demo;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use uuid::Uuid;

/// Runs `tidings token`; returns the token.
async fn token(arguments: &[&str]) -> String {
    let output = program::run(&[&["token"], arguments].concat()).await;
    let (said, errors) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    );
    assert!(output.status.success() && errors.is_empty(), "{errors}");
    assert_eq!(said.lines().count(), 1, "{said}");
    said.trim_end().to_owned()
}

/// Runs the program, which must fail with one line on standard error.
async fn refusal(arguments: &[&str]) -> String {
    refused(program::command(arguments)).await
}

async fn refused(command: std::process::Command) -> String {
    let output = program::finish(command).await;
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert_eq!(errors.lines().count(), 1, "{errors}");
    assert!(errors.starts_with("tidings: "), "{errors}");
    assert!(output.stdout.is_empty());
    errors
}

/// S1-A01: the API accepts the issued token with all its claims.
#[tokio::test]
async fn a_token_of_the_command_is_accepted_with_its_name_roles_and_permissions() {
    let world = World::start().await;
    let user = Uuid::new_v4();
    let token = token(&[
        "--user",
        &user.to_string(),
        "--name",
        "Grace Hopper",
        "--username",
        "grace",
        "--email",
        "grace@example.org",
        "--role",
        "moderator",
        "--role",
        "analyst",
        "--permission",
        "audit.view",
        "--minutes",
        "5",
    ])
    .await;
    let grace = world.bearer(user, token);
    let me = grace.get("/api/v1/users/me").await.is(200)["data"].clone();
    assert_eq!(me["id"], json!(user));
    assert_eq!(
        (&me["display_name"], &me["username"]),
        (&json!("Grace Hopper"), &json!("grace"))
    );
    assert_eq!(me["email"], "grace@example.org");
    assert_eq!(me["roles"], json!(["moderator", "analyst"]));
    let permissions: Vec<&str> = me["permissions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|word| word.as_str().unwrap())
        .collect();
    for permission in [
        "audit.view",
        "moderation.view",
        "moderation.action",
        "analytics.view",
        "analytics.export",
    ] {
        assert!(
            permissions.contains(&permission),
            "{permission} is missing from {permissions:?}"
        );
    }

    // It expires after five minutes and the leeway of 30 seconds.
    world.advance(Duration::from_secs(5 * 60 + 20));
    grace.get("/api/v1/users/me").await.is(200);
    world.advance(Duration::from_secs(20));
    grace
        .get("/api/v1/users/me")
        .await
        .is_error(401, "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_bad_argument_or_secret_is_refused_in_one_line() {
    let user = Uuid::new_v4().to_string();
    let errors = refusal(&["token", "--user", "ada"]).await;
    assert!(errors.contains("--user") && errors.contains("'ada'"), "{errors}");
    let errors = refusal(&["token"]).await;
    assert!(errors.contains("--user"), "{errors}");
    for minutes in ["0", "525601", "soon"] {
        let errors = refusal(&["token", "--user", &user, "--minutes", minutes]).await;
        assert!(
            errors.contains("--minutes") && errors.contains(minutes),
            "{errors}"
        );
    }
    let mut command = program::command(&["token", "--user", &user]);
    command.env("JWT_SECRET_KEY", "short");
    let errors = refused(command).await;
    assert!(
        errors.contains("JWT_SECRET_KEY") && errors.contains("32") && !errors.contains("short"),
        "{errors}"
    );
    let mut command = program::command(&["--memory", "--http-port", "0", "--ws-port", "0", "--s3-port", "0"]);
    command.env("JWT_SECRET_KEY", "short");
    let errors = refused(command).await;
    assert!(
        errors.contains("JWT_SECRET_KEY") && !errors.contains("short"),
        "{errors}"
    );
    let errors = refusal(&["listen", "--token", "x", "--ws-port", "1"]).await;
    assert!(errors.to_lowercase().contains("refused"), "{errors}");
}

#[tokio::test]
async fn help_and_version_go_to_standard_output_and_name_every_flag() {
    let help = program::run(&["--help"]).await;
    assert!(help.status.success() && help.stderr.is_empty());
    let text = String::from_utf8(help.stdout).unwrap();
    for word in [
        "token",
        "listen",
        "--http-port",
        "--ws-port",
        "--s3-port",
        "--data-dir",
        "--memory",
        "--log",
    ] {
        assert!(text.contains(word), "{word} is missing: {text}");
    }
    let help = program::run(&["token", "--help"]).await;
    let text = String::from_utf8(help.stdout).unwrap();
    for word in [
        "--user",
        "--name",
        "--username",
        "--email",
        "--role",
        "--permission",
        "--minutes",
    ] {
        assert!(text.contains(word), "{word} is missing: {text}");
    }
    let version = program::run(&["--version"]).await;
    assert!(version.status.success());
    assert_eq!(
        String::from_utf8(version.stdout).unwrap().trim(),
        concat!("tidings ", env!("CARGO_PKG_VERSION"))
    );
}

/// `listen` prints each frame as a line, and sends typed lines unchanged.
#[tokio::test]
async fn listening_prints_the_frames_and_sends_what_is_typed() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    world.settled().await;

    let port = bob.ws_url().rsplit(':').next().unwrap();
    let mut command = program::command(&["listen", "--ws-port", port, "--token", &bob.token]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut listener = tokio::process::Command::from(command)
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut typed = listener.stdin.take().unwrap();
    let mut lines = BufReader::new(listener.stdout.take().unwrap()).lines();
    let mut line = async || {
        let line = tokio::time::timeout(PATIENCE, lines.next_line())
            .await
            .expect("a line comes")
            .unwrap();
        line.expect("the listener goes on")
    };
    assert!(line().await.starts_with("connected"));
    let message = ada.says(&conversation, "Are you\nthere?").await;
    let frame: Value = serde_json::from_str(&line().await).expect("a frame is one line");
    assert_eq!(
        (&frame["type"], &frame["message"]["id"]),
        (&json!("new_message"), &message["id"])
    );
    typed.write_all(b"{\"type\":\"ping\"}\n").await.unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(&line().await).unwrap(),
        json!({ "type": "pong" })
    );
    // It ends with the server, although more could be typed.
    world.stop().await;
    let status = tokio::time::timeout(PATIENCE, listener.wait())
        .await
        .expect("the listener ends")
        .unwrap();
    assert!(status.success(), "the server said goodbye");
    drop(typed);
}

/// In a script nothing is typed; it keeps listening until a signal.
#[tokio::test]
async fn listening_goes_on_when_nothing_more_is_typed_and_ends_with_a_signal() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    world.settled().await;
    let port = bob.ws_url().rsplit(':').next().unwrap();
    let mut command = program::command(&["listen", "--ws-port", port, "--token", &bob.token]);
    command.stdout(Stdio::piped());
    let mut listener = tokio::process::Command::from(command)
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(listener.stdout.take().unwrap()).lines();
    assert!(lines.next_line().await.unwrap().unwrap().starts_with("connected"));
    ada.says(&conversation, "Hello?").await;
    let line = tokio::time::timeout(PATIENCE, lines.next_line())
        .await
        .expect("a line comes")
        .unwrap()
        .unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(&line).unwrap()["message"]["content"],
        "Hello?"
    );
    let id = listener.id().unwrap().to_string();
    assert!(
        std::process::Command::new("kill")
            .args(["-s", "INT", &id])
            .status()
            .unwrap()
            .success()
    );
    let status = tokio::time::timeout(PATIENCE, listener.wait())
        .await
        .expect("the listener ends")
        .unwrap();
    assert!(status.success());
}

/// The commands in the start text, without comments; a command may continue after a `\`.
fn commands(words: &str) -> Vec<String> {
    let mut commands: Vec<String> = Vec::new();
    for line in words.replace("\\\n", " ").lines() {
        let line = line.trim();
        if line.starts_with("curl ") {
            commands.push(line.to_owned());
        }
    }
    commands
}

/// Runs a line as a user would, after the two lines with tokens.
async fn types(tokens: &[&str], line: &str) -> Value {
    let mut script = tokens.join("\n");
    script.push('\n');
    script.push_str(line);
    let mut command = std::process::Command::new("bash");
    command
        .args(["-euo", "pipefail", "-c", &script])
        .stdin(Stdio::null());
    let output = program::finish(command).await;
    assert!(
        output.status.success(),
        "{line}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{line}: {error}"))
}

/// The commands that the desk prints at its start work unchanged.
#[tokio::test]
async fn the_commands_of_the_start_text_work_as_they_stand() {
    for tool in ["bash", "curl"] {
        let found = std::process::Command::new(tool)
            .arg("--version")
            .stdout(Stdio::null())
            .status();
        if !found.is_ok_and(|status| status.success()) {
            println!("skipped: there is no {tool} on this machine");
            return;
        }
    }
    let desk = Program::start(&["--memory"], &[]).await;
    let tokens: Vec<&str> = desk
        .words
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("ADA=") || line.starts_with("BOB="))
        .collect();
    assert_eq!(tokens.len(), 2, "{}", desk.words);
    let commands = commands(&desk.words);
    let [opens, writes, reads] = commands.as_slice() else {
        panic!("three commands: {commands:?}")
    };

    let conversation = types(&tokens, opens).await;
    assert_eq!(conversation["is_group"], false);
    let message = types(&tokens, writes).await;
    assert_eq!(message["content"], "Hello, Bob!");
    assert_eq!(
        (&message["seq"], &message["conversation_id"]),
        (&json!(1), &conversation["id"])
    );
    assert_eq!(message["sender_id"], json!(demo::USERS[0].id));
    // Run twice, it still sends one message.
    assert_eq!(types(&tokens, writes).await["id"], message["id"]);
    let page = types(&tokens, reads).await;
    assert_eq!(page["total"], 1);
    assert_eq!(page["messages"][0]["id"], message["id"]);

    // The line with which Bob listens, and its addresses.
    let listens = desk
        .words
        .lines()
        .map(str::trim)
        .find(|line| line.contains(" listen "))
        .expect("a line that listens");
    assert!(
        listens.contains(&format!("--ws-port {}", desk.ws_port())),
        "{listens}"
    );
    let script = format!("{}\nexec {listens}", tokens.join("\n"));
    let mut command = tokio::process::Command::new("bash");
    command
        .args(["-euc", &script])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    let mut listener = command.spawn().unwrap();
    let mut lines = BufReader::new(listener.stdout.take().unwrap()).lines();
    let line = tokio::time::timeout(PATIENCE, lines.next_line())
        .await
        .expect("a line comes")
        .unwrap();
    assert!(line.unwrap().starts_with("connected"));
    for word in desk
        .words
        .split_whitespace()
        .filter(|word| word.starts_with("http://"))
    {
        let word = word.trim_end_matches(',');
        if word.contains("/api/") || word.trim_end_matches('/') == desk.http_url() {
            continue;
        }
        let answer = reqwest::get(word).await.unwrap();
        assert_eq!(answer.status(), 200, "{word}");
    }
    let page = reqwest::get(format!("{}/", desk.http_url())).await.unwrap();
    assert!(page.text().await.unwrap().contains("Tidings"));
    desk.kill().await;
}
