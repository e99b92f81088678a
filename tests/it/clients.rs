//! The client in `docs/clients.md`, unchanged, against the desk. Without Node these tests report that they were
//! skipped.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use harness::{Person, World};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};

/// The timeout of an output line of the client.
const PATIENCE: Duration = Duration::from_mins(1);
/// The first version of Node with everything that the client needs.
const NODE: u32 = 20;
/// The maximum length of the example.
const MOST_LINES: usize = 100;

/// The program around the client: it prints frames and sends what it is told. The simulated network loses every third
/// live message, duplicates every fifth, and drops every second response to a send.
const DRIVER: &str = r#"
import { readFileSync, writeFileSync, existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { Tidings } from "./tidings.mjs";

const { API, WS, TOKEN } = process.env;
const say = (line) => console.log(JSON.stringify(line));
const Socket = globalThis.WebSocket;
if (Socket) globalThis.WebSocket = class extends Socket {
  set onmessage(handler) {
    super.onmessage = (event) => {
      const { type, seq } = JSON.parse(event.data);
      if (type !== "new_message" || seq % 3 !== 0) handler(event);
      if (type === "new_message" && seq % 5 === 0) handler(event);
    };
  }
};
const reached = globalThis.fetch;
let sends = 0;
globalThis.fetch = async (url, init) => {
  const answer = await reached(url, init);
  if (init.method === "POST" && url.endsWith("/messages") && sends++ % 2 === 0) {
    await answer.arrayBuffer();
    throw new TypeError("the connection was reset");
  }
  return answer;
};
const state = existsSync("state.json") ? JSON.parse(readFileSync("state.json", "utf8")) : {};
let isReady = false;
const client = new Tidings({
  api: API, ws: WS, state, token: async () => TOKEN, onEvent: say,
  save: (state) => {
    writeFileSync("state.json", JSON.stringify(state));
    if (state.next && !isReady) { isReady = true; say({ type: "ready" }); }
  },
});
createInterface({ input: process.stdin }).on("line", (line) => {
  const { conversation, content } = JSON.parse(line);
  client.send(conversation, content).then((message) => say({ type: "sent", message }), (error) => say({ type: "refused", status: error.status }));
});
await client.start();
"#;

/// The example in the document.
fn example() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/clients.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (_, rest) = text.split_once("```js\n").expect("the document has an example");
    rest.split_once("```").unwrap().0.to_owned()
}

/// Whether Node can run the client.
fn has_node() -> bool {
    let version = std::process::Command::new("node").arg("--version").output();
    let version = version.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let major = version.ok().and_then(|text| {
        let (major, _) = text.trim().trim_start_matches('v').split_once('.')?;
        major.parse::<u32>().ok()
    });
    let is_there = major.is_some_and(|major| major >= NODE);
    if !is_there {
        println!("skipped: there is no Node {NODE} on this machine");
    }
    is_there
}

/// A client in a process of its own.
struct Client {
    child: Child,
    typed: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Client {
    fn start(folder: &Path, world: &World, person: &Person, arguments: &[&str]) -> Self {
        std::fs::write(folder.join("tidings.mjs"), example()).unwrap();
        std::fs::write(folder.join("driver.mjs"), DRIVER).unwrap();
        let mut child = tokio::process::Command::new("node")
            .args(arguments)
            .arg("driver.mjs")
            .current_dir(folder)
            .env("API", world.desk().http_url())
            .env("WS", format!("{}/", person.ws_url()))
            .env("TOKEN", &person.token)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self {
            typed: child.stdin.take().unwrap(),
            lines: BufReader::new(child.stdout.take().unwrap()).lines(),
            child,
        }
    }

    /// The next line of one of these types.
    async fn next_of(&mut self, types: &[&str]) -> Value {
        loop {
            let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await;
            let line = line.expect("a line comes").unwrap().expect("the client runs");
            let frame: Value = serde_json::from_str(&line).unwrap();
            if types.iter().any(|wanted| frame["type"] == *wanted) {
                return frame;
            }
        }
    }

    /// The numbers of the next messages.
    async fn shows(&mut self, count: usize) -> Vec<u64> {
        let mut seqs = Vec::new();
        while seqs.len() < count {
            seqs.push(self.next_of(&["new_message"]).await["seq"].as_u64().unwrap());
        }
        seqs
    }

    async fn sends(&mut self, conversation: &str, content: &str) {
        let line = json!({ "conversation": conversation, "content": content });
        self.typed
            .write_all(format!("{line}\n").as_bytes())
            .await
            .unwrap();
    }
}

#[test]
fn the_example_is_short() {
    let lines = example().lines().count();
    assert!(lines < MOST_LINES, "{lines} lines");
}

/// S1-E02, contract §3 *Delivery*
async fn shows_everything_once_and_in_order(arguments: &[&str]) {
    const LIVE: u64 = 20;
    const SENT: u64 = 5;
    // More than one page of a resume and of a sync.
    const MISSED: u64 = 230;
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let folder = TempDir::new().unwrap();

    let mut client = Client::start(folder.path(), &world, &bob, arguments);
    client.next_of(&["ready"]).await;
    for number in 1..=LIVE {
        ada.says(&conversation, &number.to_string()).await;
    }
    let live: Vec<u64> = (1..=LIVE).collect();
    assert_eq!(client.shows(live.len()).await, live);

    // Each is sent twice, because the first response is lost, but is one message; the sender gets it as well.
    for number in 1..=SENT {
        client.sends(&conversation, &format!("from Bob {number}")).await;
        let sent = client.next_of(&["sent", "refused"]).await;
        assert_eq!(sent["message"]["seq"], LIVE + number);
    }
    // The network may lose the last of them: later messages reveal the gap.
    ada.says(&conversation, "so far").await;
    ada.says(&conversation, "so good").await;
    client.child.kill().await.unwrap();

    for number in 1..=MISSED {
        ada.says(&conversation, &format!("missed {number}")).await;
    }
    let shown: Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("state.json")).unwrap()).unwrap();
    let shown = shown["seqs"][&conversation].as_u64().unwrap();
    let mut client = Client::start(folder.path(), &world, &bob, arguments);
    let all = LIVE + SENT + 2 + MISSED;
    let missed: Vec<u64> = (shown + 1..=all).collect();
    assert_eq!(client.shows(missed.len()).await, missed);
    // Connected again, without duplicates.
    let next: Vec<u64> = (all + 1..=all + 4).collect();
    for number in &next {
        ada.says(&conversation, &number.to_string()).await;
    }
    assert_eq!(client.shows(next.len() - 1).await, next[..next.len() - 1]);
    let page = bob
        .get(&format!("/api/conversations/{conversation}/messages"))
        .await
        .is(200);
    assert_eq!(page["total"], all + 4, "nothing was sent twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_of_the_document_loses_and_doubles_nothing_over_a_socket() {
    if has_node() {
        shows_everything_once_and_in_order(&["--experimental-websocket", "--no-warnings"]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_of_the_document_loses_and_doubles_nothing_by_polling() {
    if has_node() {
        shows_everything_once_and_in_order(&["--no-experimental-websocket"]).await;
    }
}
