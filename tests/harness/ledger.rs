//! The costs of operations: every AWS call of every function, as the embedded services see it.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use futures::future::BoxFuture;
use local_services::{Call, Interceptor, Service, Verdict};
use serde_json::Value;

/// One call.
#[derive(Clone, Debug)]
pub struct Spent {
    /// The calling function.
    pub function: String,
    /// What.
    pub service: Service,
    /// Which operation.
    pub operation: String,
    /// Read capacity units.
    pub reads: f64,
    /// Write capacity units.
    pub writes: f64,
    /// How many calls of the function had to end before this one began, including itself.
    pub round: usize,
}

/// What identifies a call: function, operation and request.
type Name = (String, String, Vec<u8>);

/// Records calls and their costs.
#[derive(Debug, Default)]
pub struct Ledger {
    spent: Mutex<Vec<Spent>>,
    /// Per function, the round of the last completed call.
    ended: Mutex<HashMap<String, usize>>,
    /// The rounds of the calls in progress.
    begun: Mutex<HashMap<Name, usize>>,
}

impl Ledger {
    /// The calls since the last time.
    pub fn take(&self) -> Bill {
        self.ended.lock().unwrap().clear();
        Bill(std::mem::take(&mut self.spent.lock().unwrap()))
    }
}

/// The cost of an operation.
#[derive(Clone, Debug)]
pub struct Bill(pub Vec<Spent>);

impl Bill {
    /// The share of one function.
    #[must_use]
    pub fn of(&self, function: &str) -> Self {
        Self(
            self.0
                .iter()
                .filter(|spent| spent.function == function)
                .cloned()
                .collect(),
        )
    }

    /// Requests to AWS services.
    pub fn calls(&self) -> usize {
        self.0.len()
    }

    /// Requests to one service.
    pub fn calls_to(&self, service: Service) -> usize {
        self.0.iter().filter(|spent| spent.service == service).count()
    }

    /// Read capacity units.
    pub fn reads(&self) -> f64 {
        self.0.iter().map(|spent| spent.reads).sum()
    }

    /// Write capacity units.
    pub fn writes(&self) -> f64 {
        self.0.iter().map(|spent| spent.writes).sum()
    }

    /// Calls that had to wait for one another.
    pub fn rounds(&self) -> usize {
        self.0.iter().map(|spent| spent.round).max().unwrap_or(0)
    }
}

impl Interceptor for Ledger {
    fn before<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Verdict> {
        let ended = self
            .ended
            .lock()
            .unwrap()
            .get(&call.function)
            .copied()
            .unwrap_or(0);
        self.begun.lock().unwrap().insert(name(call), ended + 1);
        Box::pin(async {
            // Simulated network latency, so that concurrent calls overlap.
            tokio::time::sleep(Duration::from_millis(4)).await;
            Verdict::Proceed
        })
    }

    fn after<'a>(&'a self, call: &'a Call, _status: u16) -> BoxFuture<'a, Verdict> {
        let round = self.begun.lock().unwrap().get(&name(call)).copied().unwrap_or(1);
        let mut ended = self.ended.lock().unwrap();
        let last = ended.entry(call.function.clone()).or_default();
        *last = round.max(*last);
        drop(ended);
        Box::pin(async { Verdict::Proceed })
    }

    fn observe(&self, call: &Call, status: u16, response: &[u8]) {
        let round = self.begun.lock().unwrap().get(&name(call)).copied().unwrap_or(1);
        let units = units(response);
        let is_write = [
            "PutItem",
            "UpdateItem",
            "DeleteItem",
            "BatchWriteItem",
            "TransactWriteItems",
        ]
        .contains(&call.operation.as_str());
        let (reads, writes) = match (call.service, is_write) {
            (Service::DynamoDb, true) if status >= 400 => (0.0, 1.0),
            (Service::DynamoDb, true) => (0.0, units),
            (Service::DynamoDb, false) => (units, 0.0),
            _ => (0.0, 0.0),
        };
        self.spent.lock().unwrap().push(Spent {
            function: call.function.clone(),
            service: call.service,
            operation: call.operation.clone(),
            reads,
            writes,
            round,
        });
    }
}

fn name(call: &Call) -> Name {
    (
        call.function.clone(),
        format!("{} {}", call.operation, call.path),
        call.request.to_vec(),
    )
}

/// The capacity units in a response: one object, or one per table.
fn units(response: &[u8]) -> f64 {
    let Ok(response) = serde_json::from_slice::<Value>(response) else {
        return 0.0;
    };
    let of = |consumed: &Value| consumed["CapacityUnits"].as_f64().unwrap_or_default();
    match &response["ConsumedCapacity"] {
        Value::Array(tables) => tables.iter().map(of).sum(),
        consumed => of(consumed),
    }
}
