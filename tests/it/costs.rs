//! The cost ledger: units, requests, waits, posts and invocations of operations, counted in real runs.
//!
//! `cargo t costs -- --nocapture` prints the tables. The costs at list prices are in [`prices`].

mod administration;
mod boxes;
mod connections;
mod files;
mod history;
mod paid;
mod prices;
mod sends;

use std::collections::BTreeMap;
use std::sync::Arc;

use harness::World;
use harness::ledger::{Bill, Ledger};
use local_services::Service;
use serde_json::Value;

/// A world whose calls are recorded: only those of requests, not those of the inits of processes.
async fn world() -> (World, Arc<Ledger>) {
    let limits = [
        ("RATE_LIMIT_SENDS_PER_MINUTE", "1000000"),
        ("RATE_LIMIT_REQUESTS_PER_MINUTE", "1000000"),
        ("RATE_LIMIT_UPLOADS_PER_MINUTE", "1000000"),
    ];
    let world = World::in_desk(&limits).await;
    let ledger = Arc::new(Ledger::default());
    world
        .services()
        .set_interceptor(Some(Arc::clone(&ledger) as Arc<_>));
    (world, ledger)
}

/// The functions with an SQS trigger.
const WORKERS: [&str; 3] = ["Deliver", "ExportMessages", "Notify"];

/// The cost of something.
#[derive(Clone, Debug)]
struct Cost {
    /// Every call of every function.
    bill: Bill,
    /// How often each function was invoked.
    invocations: BTreeMap<String, usize>,
}

impl Cost {
    /// The cost of an operation and everything that it triggers, until the queues are idle.
    async fn of<F: Future>(world: &World, ledger: &Ledger, operation: F) -> Self {
        world.settled().await;
        ledger.take();
        let before = world.log().len();
        operation.await;
        world.settled().await;
        let mut invocations = BTreeMap::new();
        for line in world.log().into_iter().skip(before) {
            *invocations.entry(logical_id(&line)).or_default() += 1;
        }
        Self {
            bill: ledger.take(),
            invocations,
        }
    }

    /// The share of one function.
    fn part(&self, function: &str) -> Self {
        let mut invocations = self.invocations.clone();
        invocations.retain(|name, _| name == function);
        Self {
            bill: self.bill.of(function),
            invocations,
        }
    }

    /// How many batches the workers got.
    fn batches(&self) -> usize {
        let of = |worker: &&str| self.invocations.get(*worker);
        WORKERS.iter().filter_map(of).sum()
    }

    /// Requests to SQS: those of the functions and, for each batch of a worker, one receive and one delete.
    fn queue_requests(&self) -> usize {
        self.bill.calls_to(Service::Sqs) + 2 * self.batches()
    }

    /// Frames posted to connections.
    fn posts(&self) -> usize {
        self.bill.calls_to(Service::Connections)
    }

    fn invoked(&self) -> usize {
        self.invocations.values().sum()
    }
}

/// The function that wrote a log line, as named in the template.
fn logical_id(line: &Value) -> String {
    harness::events::logical_id(line["function"].as_str().unwrap())
}

/// Rows that are printed at once, so that tables of concurrent tests are not mixed.
struct Table(Vec<String>);

impl Table {
    fn new(title: &str) -> Self {
        Self(vec![format!(
            "\n{title:<46}    RRU   WRU  calls waits queue posts invoked"
        )])
    }

    fn row(&mut self, name: &str, cost: &Cost) {
        self.0.push(format!(
            "{name:<46} {:>6.1} {:>5.1} {:>6} {:>5} {:>5} {:>5} {:>7}",
            cost.bill.reads(),
            cost.bill.writes(),
            cost.bill.calls(),
            cost.bill.rounds(),
            cost.queue_requests(),
            cost.posts(),
            cost.invoked(),
        ));
    }

    fn line(&mut self, name: &str, value: &str) {
        self.0.push(format!("{name:<46} {value}"));
    }

    fn print(self) {
        println!("{}", self.0.join("\n"));
    }
}
