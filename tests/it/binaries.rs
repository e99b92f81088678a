//! The real binaries, through the Runtime API: cold starts, responses, crashes (design §7 and §8).
//!
//! A few functions of every kind run as processes here, and the others in the desk, because each binary must be linked
//! first. With `cargo build --workspace --bins && TIDINGS_PROCESSES=1 cargo t` all functions do, in these tests and in
//! all others; `TIDINGS_BINARIES` selects another folder, such as `target/lambda`.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::future::BoxFuture;
use harness::world::{FANOUT, processes as all_processes};
use harness::{Person, World, events};
use local::desk::{Desk, Options};
use local::processes::ProcessOptions;
use local_gateway::websocket::WebSocketOptions;
use local_services::{Call, Interceptor, Verdict};
use serde_json::json;
use shared::clock::Clock;
use tokio::sync::Notify;

/// The operations that write to the table or a queue.
const WRITES: &[&str] = &[
    "PutItem",
    "UpdateItem",
    "DeleteItem",
    "TransactWriteItems",
    "BatchWriteItem",
    "SendMessage",
];

/// The functions that run as processes by default: of the HTTP API, of the WebSocket API, and a worker.
const REPRESENTATIVES: [&str; 6] = [
    "AuthorizeConnection",
    "Deliver",
    "GetMe",
    "OpenConnection",
    "SendMessage",
    "ShowTyping",
];

/// Builds these binaries, once for all tests.
fn built() {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        let functions = harness::functions().into_iter();
        let representatives = functions
            .filter(|function| REPRESENTATIVES.contains(&events::logical_id(function.name).as_str()));
        harness::program::build(representatives.map(|function| function.binary()));
    });
}

/// All functions as processes if requested, with existing binaries; otherwise the selected ones.
async fn processes() -> ProcessOptions {
    if harness::world::wants_processes() {
        return all_processes();
    }
    tokio::task::spawn_blocking(built).await.unwrap();
    ProcessOptions {
        functions: Some(REPRESENTATIVES.map(str::to_owned).to_vec()),
        ..all_processes()
    }
}

async fn world_of_processes() -> World {
    World::in_processes(processes().await).await
}

/// Makes a function wait forever at one of its calls.
struct Hold {
    function: &'static str,
    operations: &'static [&'static str],
    /// Whether the call takes effect first.
    after: bool,
    /// At which of those calls.
    nth: usize,
    seen: AtomicUsize,
    reached: Notify,
}

impl Hold {
    /// Installs it in a world.
    fn in_the_way(
        world: &World,
        function: &'static str,
        operations: &'static [&'static str],
        after: bool,
        nth: usize,
    ) -> Arc<Self> {
        let hold = Arc::new(Self {
            function,
            operations,
            after,
            nth,
            seen: AtomicUsize::new(0),
            reached: Notify::new(),
        });
        world.services().set_interceptor(Some(Arc::clone(&hold) as _));
        hold
    }

    async fn pass(&self, call: &Call) -> Verdict {
        let is_meant = call.function == self.function && self.operations.contains(&call.operation.as_str());
        if is_meant && self.seen.fetch_add(1, Ordering::Relaxed) + 1 == self.nth {
            self.reached.notify_one();
            // Until the caller's connection closes, which ends this.
            std::future::pending::<()>().await;
        }
        Verdict::Proceed
    }
}

impl Interceptor for Hold {
    fn before<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Verdict> {
        Box::pin(async move {
            if self.after {
                Verdict::Proceed
            } else {
                self.pass(call).await
            }
        })
    }

    fn after<'a>(&'a self, call: &'a Call, _: u16) -> BoxFuture<'a, Verdict> {
        Box::pin(async move {
            if self.after {
                self.pass(call).await
            } else {
                Verdict::Proceed
            }
        })
    }
}

/// Kills the one process of a function that is handling a request.
fn kill(world: &World, function: &str) -> u32 {
    let busy = world.processes().busy(function);
    let [id] = busy[..] else {
        panic!("{function} has the processes {busy:?}")
    };
    let status = Command::new("kill")
        .args(["-9", &id.to_string()])
        .status()
        .unwrap();
    assert!(status.success());
    id
}

fn is_there(process: u32) -> bool {
    Path::new(&format!("/proc/{process}")).exists()
}

/// Sends without validating the response: the gateway's own errors are not in the API document.
fn sending(person: &Person, conversation: &str, id: &str) -> impl Future<Output = u16> + use<> {
    let path = format!("/api/conversations/{conversation}/messages");
    let body = json!({ "content": "Hello", "client_message_id": id });
    let request = person.request("POST", &path).json(&body);
    async move { request.send().await.unwrap().status().as_u16() }
}

/// S1-Q01
#[tokio::test]
async fn every_binary_does_what_its_recorded_event_asks() {
    let world = world_of_processes().await;
    events::replay(&world).await;
    for function in harness::functions() {
        let name = events::logical_id(function.name);
        if world.processes().has(&name) {
            assert!(world.processes().cold_starts(&name) > 0, "{name}");
        }
    }
}

#[tokio::test]
async fn no_odd_event_ends_a_process() {
    let world = world_of_processes().await;
    crate::odd_requests::answer_every_odd_event(&world).await;
    assert_eq!(world.processes().cold_starts("GetMe"), 1);
}

#[tokio::test]
async fn a_message_goes_its_way_through_processes() {
    let world = world_of_processes().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let mut socket = bob.connect().await;

    let message = ada.says(&conversation, "Hello, Bob!").await;
    let frame = socket.next_of("new_message").await;
    assert_eq!(frame["message"]["id"], message["id"]);
    bob.reads(&conversation, &message).await;
    assert_eq!(bob.sees(&conversation).await["unread_count"], 0);
    let path = format!(
        "/api/conversations/{conversation}/messages/{}",
        message["id"].as_str().unwrap()
    );
    ada.delete(&path).await.is(204);
    socket.next_of("message_deleted").await;
    assert_eq!(bob.messages(&conversation).await[0]["is_deleted"], true);
    socket.close().await;
    world.settled().await;
}

#[tokio::test]
async fn a_process_is_kept_for_the_next_request_and_ends_with_the_desk() {
    let world = world_of_processes().await;
    let ada = world.person("ada").await;
    for _ in 0..3 {
        ada.get("/api/v1/users/me").await.is(200);
    }
    assert_eq!(world.processes().cold_starts("GetMe"), 1);
    let idle = world.processes().idle("GetMe");
    assert!(is_there(idle[0]));

    world.stop().await;
    assert!(!is_there(idle[0]));
}

#[tokio::test]
async fn a_desk_whose_story_ends_early_leaves_no_process() {
    let world = world_of_processes().await;
    world.person("ada").await;
    let idle = world.processes().idle("GetMe");
    drop(world);

    let gone = async {
        while is_there(idle[0]) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(harness::PATIENCE, gone).await.unwrap();
}

/// A send that dies after any of its writes returns an error, and the retry leads to one message.
#[tokio::test]
async fn a_send_whose_process_is_killed_is_sent_once_by_its_retry() {
    let world = world_of_processes().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let mut sent = Vec::new();
    for nth in 1.. {
        let id = format!("killed-{nth}");
        let hold = Hold::in_the_way(&world, "SendMessage", WRITES, true, nth);
        let sending = sending(&ada, &conversation, &id);
        tokio::pin!(sending);
        let status = tokio::select! {
            status = &mut sending => status,
            () = hold.reached.notified() => {
                kill(&world, "SendMessage");
                sending.await
            }
        };
        world.services().set_interceptor(None);
        if status == 201 {
            // It makes fewer writes.
            break;
        }
        assert_eq!(status, 500);
        let retry = ada.says_as(&conversation, "Hello", &id).await.is(201);
        sent.insert(0, retry["id"].clone());
        let ids: Vec<_> = bob
            .messages(&conversation)
            .await
            .iter()
            .map(|message| message["id"].clone())
            .collect();
        assert_eq!(ids, sent, "after a death after write {nth}");
    }
    assert!(sent.len() >= 3, "a send was killed {} times", sent.len());
    assert_eq!(world.processes().cold_starts("SendMessage"), sent.len() + 1);
    world.settled().await;
}

/// The job of a worker that dies is delivered again.
#[tokio::test]
async fn a_delivery_whose_process_is_killed_is_made_by_the_next() {
    let world = world_of_processes().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let mut socket = bob.connect().await;
    world.caught_up().await;

    let hold = Hold::in_the_way(&world, "Deliver", &["PostToConnection"], false, 1);
    let message = ada.says(&conversation, "Hello, Bob!").await;
    hold.reached.notified().await;
    kill(&world, "Deliver");
    world.services().set_interceptor(None);
    // The queue would do this by itself in two minutes.
    assert_eq!(world.services().queues().make_visible_now(FANOUT).unwrap(), 1);

    let frame = socket.next_of("new_message").await;
    assert_eq!(frame["message"]["id"], message["id"]);
    world.settled().await;
}

/// A function that times out is killed; the next request is a cold start that works.
#[tokio::test]
async fn a_process_that_times_out_is_killed() {
    let options = ProcessOptions {
        longest_invocation: Duration::from_secs(1),
        ..processes().await
    };
    let world = World::in_processes(options).await;
    let ada = world.person("ada").await;
    let process = world.processes().idle("GetMe")[0];

    Hold::in_the_way(&world, "GetMe", &["GetItem"], false, 1);
    let answer = ada.request("GET", "/api/v1/users/me").send().await.unwrap();
    assert_eq!(answer.status(), 500);
    assert!(!is_there(process));
    assert_eq!(world.processes().idle("GetMe"), Vec::<u32>::new());

    world.services().set_interceptor(None);
    ada.get("/api/v1/users/me").await.is(200);
    assert_eq!(world.processes().cold_starts("GetMe"), 2);
}

#[tokio::test]
async fn a_request_beyond_the_processes_that_there_may_be_is_throttled() {
    let options = ProcessOptions {
        most_per_function: 1,
        ..processes().await
    };
    let world = World::in_processes(options).await;
    let ada = world.person("ada").await;

    let hold = Hold::in_the_way(&world, "GetMe", &["GetItem"], false, 1);
    let first = tokio::spawn(ada.request("GET", "/api/v1/users/me").send());
    hold.reached.notified().await;
    let second = ada.request("GET", "/api/v1/users/me").send().await.unwrap();
    assert_eq!(second.status(), 429);

    kill(&world, "GetMe");
    assert_eq!(first.await.unwrap().unwrap().status(), 500);
    world.services().set_interceptor(None);
    ada.get("/api/v1/users/me").await.is(200);
}

#[tokio::test]
async fn a_desk_without_binaries_says_how_to_build_them() {
    let folder = tempfile::tempdir().unwrap();
    let started = Desk::start(Options {
        http_port: 0,
        ws_port: 0,
        s3_port: 0,
        data_dir: None,
        environment: local::environment::Environment::new(),
        clock: Clock::default(),
        sink: Arc::new(|_| {}),
        websocket: WebSocketOptions::default(),
        instances: 1,
        throttles: false,
        processes: Some(ProcessOptions::in_folder(folder.path())),
    });
    let error = started.await.err().unwrap().to_string();
    assert!(error.contains("`cargo build --workspace --bins`"), "{error}");
    assert_eq!(error.lines().count(), 1);
}
