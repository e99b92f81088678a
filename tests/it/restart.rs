//! The program's life cycle: killed, terminated, and refusing to start (design §6, contract §3).

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::future::join_all;
use harness::program::{self, Program};
use harness::world::OFFLINE;
use harness::{Person, Socket};
use local::demo::{self, DemoUser};
use local::desk::{Desk, Options};
use local_gateway::websocket::WebSocketOptions;
use serde_json::{Value, json};
use shared::clock::Clock;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

const ADA: DemoUser = demo::USERS[0];
const BOB: DemoUser = demo::USERS[1];
const CHEN: DemoUser = demo::USERS[2];
const DANA: DemoUser = demo::USERS[3];

/// A desk with a data folder.
async fn desk_in(folder: &Path) -> Program {
    Program::start(
        &["--data-dir", folder.to_str().unwrap()],
        &[("OFFLINE_GRACE_SECONDS", "600")],
    )
    .await
}

/// One attempt to send; none if the desk died meanwhile, so that the result is unknown.
async fn tries_to_send(person: &Person, conversation: &str, id: &str) -> Option<Value> {
    let path = format!("/api/conversations/{conversation}/messages");
    let body = json!({ "content": id, "client_message_id": id });
    let response = person.request("POST", &path).json(&body).send().await.ok()?;
    let is_acknowledged = response.status() == 201;
    response.json().await.ok().filter(|_| is_acknowledged)
}

async fn whole_log(person: &Person, conversation: &str) -> Vec<Value> {
    let mut events: Vec<Value> = Vec::new();
    loop {
        let path = format!(
            "/api/conversations/{conversation}/events?after_seq={}",
            events.len()
        );
        let page = person.get(&path).await.is(200);
        events.extend(page["events"].as_array().unwrap().iter().cloned());
        if page["has_more"] == false {
            return events;
        }
    }
}

fn dense(events: &[Value]) -> bool {
    events
        .iter()
        .zip(1_u64..)
        .all(|(event, number)| event["seq"] == number)
}

/// S1-E04, design §9: acknowledged messages survive `kill -9`, and others may be sent again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_desk_that_is_killed_in_the_middle_of_a_burst_has_lost_and_doubled_nothing() {
    const BURST: usize = 60;
    let folder = TempDir::new().unwrap();
    let desk = desk_in(folder.path()).await;
    let people = [ADA, BOB, CHEN].map(|user| desk.person(user));
    let [ada, bob, chen] = &people;
    let conversation = ada.open_group("before and after", &[bob, chen]).await;
    let first = ada.says(&conversation, "still here?").await;
    bob.reads(&conversation, &first).await;

    let acknowledged = Arc::new(Mutex::new(BTreeMap::new()));
    let enough = Arc::new(Semaphore::new(0));
    let burst = people.iter().enumerate().flat_map(|(sender, person)| {
        (0..BURST).map(move |message| (sender, person.clone(), format!("{sender}-{message}")))
    });
    let senders: Vec<_> = burst
        .map(|(sender, person, id)| {
            let (acknowledged, enough) = (Arc::clone(&acknowledged), Arc::clone(&enough));
            let conversation = conversation.clone();
            tokio::spawn(async move {
                let answer = tries_to_send(&person, &conversation, &id).await;
                if let Some(message) = &answer {
                    acknowledged.lock().unwrap().insert(id.clone(), message.clone());
                    enough.add_permits(1);
                }
                (sender, id, answer)
            })
        })
        .collect();
    drop(enough.acquire_many(40).await.unwrap());
    desk.kill().await;
    let outcomes: Vec<_> = join_all(senders).await.into_iter().map(Result::unwrap).collect();
    let acknowledged = acknowledged.lock().unwrap().clone();
    let unheard: Vec<_> = outcomes
        .iter()
        .filter(|(_, _, answer)| answer.is_none())
        .collect();
    println!(
        "{} acknowledged before the end, {} unheard",
        acknowledged.len(),
        unheard.len()
    );
    assert!(!unheard.is_empty(), "the burst was over before the end");

    let desk = desk_in(folder.path()).await;
    let people = [ADA, BOB, CHEN].map(|user| desk.person(user));
    let [ada, bob, chen] = &people;
    let log = whole_log(chen, &conversation).await;
    assert!(dense(&log), "the log has a gap");
    for message in acknowledged.values() {
        let seq = usize::try_from(message["seq"].as_u64().unwrap()).unwrap();
        assert_eq!(
            log[seq - 1]["message"]["id"],
            message["id"],
            "an acknowledged message moved"
        );
    }
    // Sends without a response are repeated, and others may be.
    for (sender, id, answer) in &outcomes {
        let again = people[*sender].says_as(&conversation, id, id).await;
        if let Some(message) = answer {
            assert_eq!(again.header("idempotency-replayed"), Some("true"));
            assert_eq!(
                (&again.json["id"], &again.json["seq"]),
                (&message["id"], &message["seq"])
            );
        }
        again.is(201);
    }
    let after = ada.says(&conversation, "yes").await;
    let total = people.len() * BURST + 2;
    assert_eq!(after["seq"], total);
    let log = whole_log(bob, &conversation).await;
    assert!(dense(&log), "the log has a gap");
    let contents: BTreeMap<&str, u64> = log
        .iter()
        .map(|event| {
            (
                event["message"]["content"].as_str().unwrap(),
                event["seq"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        (contents.len(), log.len()),
        (total, total),
        "a message is there twice"
    );
    let seen = bob.sees(&conversation).await;
    let bobs = seen["participants"]
        .as_array()
        .unwrap()
        .iter()
        .find(|member| member["user_id"] == json!(bob.id));
    assert_eq!(bobs.unwrap()["last_read_message_id"], first["id"]);
    assert_eq!(bob.reads(&conversation, &first).await["last_read_seq"], 1);
    assert_eq!(seen["last_message"]["id"], after["id"]);
    desk.kill().await;
}

/// S1-E02, S1-E05
#[tokio::test]
async fn conversations_cursors_and_jobs_that_wait_are_there_after_a_restart() {
    let folder = TempDir::new().unwrap();
    let desk = desk_in(folder.path()).await;
    let (ada, bob) = (desk.person(ADA), desk.person(BOB));
    let conversation = ada.open_direct(&bob).await;
    let first = ada.says(&conversation, "one").await;
    bob.reads(&conversation, &first).await;
    ada.says(&conversation, "two").await;
    let before = bob.get("/api/conversations").await.is(200);
    let token = bob.get("/api/events").await.is(200)["next"]
        .as_str()
        .unwrap()
        .to_owned();
    // Her own frame comes from the same job that hands Bob, who is offline, to `notify`.
    let mut socket = ada.connect().await;
    let missed = ada.says(&conversation, "three").await;
    socket.next_of("new_message").await;
    desk.ends_with("TERM").await;

    // Now in this process, to see the queues; an hour later, so that delayed jobs are due.
    let clock = Clock::default();
    clock.advance(Duration::from_hours(1));
    let log = Arc::new(Mutex::new(Vec::new()));
    let lines = Arc::clone(&log);
    let desk = Desk::start(Options {
        http_port: 0,
        ws_port: 0,
        s3_port: 0,
        data_dir: Some(folder.path().to_owned()),
        environment: BTreeMap::new(),
        clock,
        sink: Arc::new(move |line| lines.lock().unwrap().push(line.to_owned())),
        websocket: WebSocketOptions::default(),
        instances: 1,
        throttles: false,
        processes: None,
    })
    .await
    .unwrap();
    desk.services().queues().idle().await.unwrap();
    assert!(desk.services().queues().messages(OFFLINE).unwrap().is_empty());
    desk.stop().await;
    let is_notice = |line: &&String| line.contains(r#""function":"notify""#);
    let notices = log.lock().unwrap().iter().filter(is_notice).count();
    assert!(notices > 0, "no job waited");

    let desk = desk_in(folder.path()).await;
    let bob = desk.person(BOB);
    let after = bob.get("/api/conversations").await.is(200);
    assert_eq!(after["total"], before["total"]);
    let [before, after] = [&before, &after].map(|page| page["conversations"][0].clone());
    assert_eq!(after["participants"], before["participants"]);
    assert_eq!(
        (&before["unread_count"], &after["unread_count"]),
        (&json!(1), &json!(2))
    );
    // An earlier token is valid.
    let events = bob.get(&format!("/api/events?after={token}")).await.is(200);
    assert_eq!(events["events"][0]["message"]["id"], missed["id"]);
    assert_eq!(events["recovered"], true);
    desk.kill().await;
}

/// A termination signal ends it quickly, even with a connection and a waiting request.
#[tokio::test]
async fn a_signal_ends_the_desk_within_seconds_and_says_goodbye_to_whoever_is_connected() {
    for signal in ["TERM", "INT"] {
        let desk = Program::start(&["--memory"], &[]).await;
        let dana = desk.person(DANA);
        let mut socket = dana.connect().await;
        socket.send(json!({ "type": "ping" })).await;
        socket.next_of("pong").await;

        let began = Instant::now();
        let status = desk.ends_with(signal).await;
        assert_eq!(status.code(), Some(0), "{signal}");
        assert!(
            began.elapsed() < Duration::from_secs(5),
            "{signal}: {:?}",
            began.elapsed()
        );
        assert!(gone(socket).await, "the connection is closed");
    }
}

/// Whether the server closed the connection.
async fn gone(mut socket: Socket) -> bool {
    socket.next().await.is_none()
}

/// Runs the program, which must fail with one line on standard error.
async fn refusal(arguments: &[&str]) -> String {
    let output = program::run(arguments).await;
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{arguments:?} is refused");
    assert_eq!(errors.lines().count(), 1, "{arguments:?}: {errors}");
    assert!(errors.starts_with("tidings: "), "{errors}");
    assert!(output.stdout.is_empty());
    errors
}

#[tokio::test]
async fn a_failed_start_is_explained_in_one_line() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().to_str().unwrap();
    let desk = desk_in(folder.path()).await;
    let free = ["--http-port", "0", "--ws-port", "0"];
    let in_folder = |path| [free.as_slice(), &["--data-dir", path]].concat();

    let errors = refusal(&in_folder(path)).await;
    assert!(
        errors.contains("in use") && errors.contains(path) && errors.contains("--data-dir"),
        "{errors}"
    );
    // The running one is not affected.
    desk.person(ADA).get("/api/v1/users/me").await.is(200);
    desk.kill().await;

    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for flag in ["--http-port", "--ws-port"] {
        let other = if flag == "--http-port" {
            "--ws-port"
        } else {
            "--http-port"
        };
        let errors = refusal(&[flag, &port, other, "0", "--memory"]).await;
        assert!(errors.contains(&port) && errors.contains(flag), "{errors}");
    }

    std::fs::write(folder.path().join("VERSION"), "tidings data 0\n").unwrap();
    let errors = refusal(&in_folder(path)).await;
    assert!(errors.contains("another version (tidings data 0)"), "{errors}");

    let foreign = TempDir::new().unwrap();
    std::fs::write(foreign.path().join("letter.txt"), "Dear Ada").unwrap();
    let errors = refusal(&in_folder(foreign.path().to_str().unwrap())).await;
    assert!(errors.contains("holds no Tidings data"), "{errors}");
    assert_eq!(
        std::fs::read_dir(foreign.path()).unwrap().count(),
        1,
        "nothing was put there"
    );

    let errors = refusal(&["--porridge"]).await;
    assert!(errors.contains("--porridge"), "{errors}");
    let errors = refusal(&["--http-port", "70000"]).await;
    assert!(errors.contains("70000") && errors.contains("65535"), "{errors}");
    let errors = refusal(&["--memory", "--data-dir", "x"]).await;
    assert!(
        errors.contains("--memory") && errors.contains("--data-dir"),
        "{errors}"
    );
}
