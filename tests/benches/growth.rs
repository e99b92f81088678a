//! Growth: the same operations with one thousand and with one million stored messages: units, requests and time.
//!
//! ```sh
//! cargo bench --workspace --bench growth
//! ```
//!
//! All messages are in the one conversation that is used, so that log and table grow alike. The two desks stand side
//! by side in one process, in memory, and are asked by turns, so that whatever else the machine does is the same for
//! both.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a benchmark that cannot go on panics, and prints its figures"
)]

use std::sync::Arc;
use std::time::Instant;

use harness::figures::percentile;
use harness::ledger::{Bill, Ledger};
use harness::{Person, World, history};
use serde_json::{Value, json};

/// How many messages are stored: those of the short history, and of the long one.
const STORED: [u64; 2] = [1_000, 1_000_000];
/// How often each operation is timed.
const TIMES: usize = 400;
/// How many operations go before those that count.
const WARMING: usize = 20;

/// An operation on the conversation.
struct Operation {
    name: &'static str,
    method: &'static str,
    /// With `{conversation}`, `{peer}` and `{token}` to be filled in.
    path: &'static str,
    body: Value,
}

fn operations() -> Vec<Operation> {
    let get = |name, path| Operation {
        name,
        method: "GET",
        path,
        body: Value::Null,
    };
    let post = |name, path, body| Operation {
        name,
        method: "POST",
        path,
        body,
    };
    let content = json!({ "content": "Hello" });
    vec![
        get("newest page of 50", "/api/conversations/{conversation}/messages"),
        get(
            "page 10 of 50",
            "/api/conversations/{conversation}/messages?page=10",
        ),
        get(
            "page of 50 before a number",
            "/api/conversations/{conversation}/messages?before_seq=500",
        ),
        get(
            "log from a number",
            "/api/conversations/{conversation}/events?after_seq=500&limit=50",
        ),
        get("unread and newest", "/api/conversations/{conversation}"),
        get("list of conversations", "/api/conversations"),
        get("sync", "/api/events?after={token}"),
        post("open", "/api/conversations/dm/{peer}", Value::Null),
        post("send", "/api/conversations/{conversation}/messages", content),
    ]
}

/// A desk with a history.
struct Stored {
    world: World,
    ledger: Arc<Ledger>,
    ada: Person,
    bob: Person,
    conversation: String,
    token: String,
}

impl Stored {
    async fn of(messages: u64) -> Self {
        let world = World::start().await;
        let [ada, bob] = world.people(["ada", "bob"]).await;
        let conversation = ada.open_direct(&bob).await;
        ada.says(&conversation, "first").await;
        world.settled().await;
        history::lengthen(world.services(), &conversation, messages).await;
        let token = bob.get("/api/events").await.is(200)["next"].clone();
        Self {
            world,
            ledger: Arc::default(),
            ada,
            bob,
            conversation,
            token: token.as_str().unwrap().to_owned(),
        }
    }

    /// Does an operation as Bob; how many milliseconds it takes.
    async fn time(&self, operation: &Operation) -> f64 {
        let path = operation
            .path
            .replace("{conversation}", &self.conversation)
            .replace("{peer}", &self.ada.id.to_string())
            .replace("{token}", &self.token);
        let request = self.bob.request(operation.method, &path);
        let request = if operation.body.is_null() {
            request
        } else {
            request.json(&operation.body)
        };
        let begun = Instant::now();
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        let taken = begun.elapsed().as_secs_f64() * 1_000.0;
        assert!(status.is_success(), "{path}: {status} {text}");
        taken
    }

    /// What an operation costs, all that it sets off included.
    async fn bill(&self, operation: &Operation) -> Bill {
        self.world.settled().await;
        let services = self.world.services();
        services.set_interceptor(Some(Arc::clone(&self.ledger) as _));
        self.time(operation).await;
        self.world.settled().await;
        services.set_interceptor(None);
        self.ledger.take()
    }
}

#[tokio::main]
async fn main() {
    let begun = Instant::now();
    let stored = [Stored::of(STORED[0]).await, Stored::of(STORED[1]).await];
    println!("stored in {:.0} s\n", begun.elapsed().as_secs_f64());
    println!(
        "{:<28} {:>6} {:>6} {:>6} {:>6} {:>12} {:>9} {:>9} {:>11}",
        "operation", "RRU", "WRU", "calls", "waits", "units ratio", "1k ms", "1M ms", "time ratio"
    );
    // A send makes the history of what comes after it another: it comes last.
    let (sends, others): (Vec<_>, Vec<_>) = operations().into_iter().partition(|one| one.name == "send");
    compare(&stored, &others).await;
    compare(&stored, &sends).await;
}

/// Times operations on the short and on the long history by turns, and prints what they cost.
async fn compare(stored: &[Stored; 2], operations: &[Operation]) {
    let mut times = vec![[Vec::new(), Vec::new()]; operations.len()];
    for round in 0..WARMING + TIMES {
        for (operation, times) in operations.iter().zip(&mut times) {
            // Each first as often as the other: what else goes on meanwhile meets both.
            for which in [round % 2, 1 - round % 2] {
                let taken = stored[which].time(operation).await;
                if round >= WARMING {
                    times[which].push(taken);
                }
            }
        }
    }
    for (operation, times) in operations.iter().zip(times) {
        let short = stored[0].bill(operation).await;
        let long = stored[1].bill(operation).await;
        let units = |bill: &Bill| bill.reads() + bill.writes();
        let [short_ms, long_ms] = times.map(|times| percentile(&times, 0.5));
        println!(
            "{:<28} {:>6.1} {:>6.1} {:>6} {:>6} {:>12.3} {:>9.2} {:>9.2} {:>11.3}",
            operation.name,
            long.reads(),
            long.writes(),
            long.calls(),
            long.rounds(),
            units(&long) / units(&short),
            short_ms,
            long_ms,
            long_ms / short_ms
        );
        assert!(units(&long) <= 1.05 * units(&short), "{}", operation.name);
        assert_eq!(long.calls(), short.calls(), "{}", operation.name);
    }
}
