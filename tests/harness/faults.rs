//! Fault injection: which call fails, how, and until when.
//!
//! [`Faults`] intercepts every call of a function to a service. It first [records](Faults::watch) the calls that a
//! story makes without faults. A [`Fault`] can then be [injected](Faults::inject) at each of these [points](Point), so
//! there is no list of calls to maintain. Faults can also be injected [at random](Faults::inject_randomly).

mod dice;
mod point;
mod rates;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use local_services::{AwsError, Call, Interceptor, Service, Services, Verdict};
use tokio::sync::watch;

pub use dice::Dice;
pub use point::Point;
pub use rates::{FaultRates, OPERATION};

use crate::world::{EXPORT, FANOUT, OFFLINE};

/// What happens to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The function dies before the call is made.
    DiesBefore,
    /// The call takes effect, and the function dies before it gets the response.
    DiesAfter,
    /// The call takes effect, but its first attempt returns an error: the SDK retries.
    FailsOnce,
    /// The call takes effect, but each attempt returns an error.
    Fails,
    /// The call takes effect, and its first attempt times out.
    TimesOutOnce,
    /// The first attempt is throttled.
    ThrottledOnce,
    /// Every attempt is throttled.
    Throttled,
    /// The first attempt conflicts with a transaction.
    ConflictsOnce,
    /// The call waits until it is [released](Faults::release), and is then made.
    WaitsBefore,
    /// The call takes effect, and its response waits until it is [released](Faults::release).
    WaitsAfter,
}

impl Fault {
    /// The faults, other than deaths, of a call that writes to the table.
    const OF_WRITES: [Self; 6] = [
        Self::FailsOnce,
        Self::Fails,
        Self::TimesOutOnce,
        Self::ThrottledOnce,
        Self::Throttled,
        Self::ConflictsOnce,
    ];
    /// Those of one that writes elsewhere: there are no transactions.
    const OF_WRITES_ELSEWHERE: [Self; 5] = [
        Self::FailsOnce,
        Self::Fails,
        Self::TimesOutOnce,
        Self::ThrottledOnce,
        Self::Throttled,
    ];
    /// Those of one that only reads: all failures are alike.
    const OF_READS: [Self; 2] = [Self::FailsOnce, Self::ThrottledOnce];

    /// The faults to inject at the call with this index: death before and after it, and one other, which rotates from
    /// call to call. With `TIDINGS_FAULTS=all`, every possible fault.
    pub fn at(point: &Point, index: usize) -> Vec<Self> {
        let others: &[Self] = if point.only_reads() {
            &Self::OF_READS
        } else if point.writes_to_the_table() {
            &Self::OF_WRITES
        } else {
            &Self::OF_WRITES_ELSEWHERE
        };
        let mut chosen = vec![Self::DiesBefore, Self::DiesAfter];
        if everything() {
            chosen.extend(others);
        } else {
            chosen.extend(others.get(index % others.len()));
        }
        chosen
    }

    /// Whether the SDK hides it by retrying.
    pub fn tries_again(self) -> bool {
        matches!(self, Self::ThrottledOnce | Self::ConflictsOnce)
    }

    /// Whether it affects every attempt of the call, or only the first.
    fn repeats(self) -> bool {
        matches!(self, Self::Fails | Self::Throttled)
    }
}

/// Whether to inject every fault at every call, which takes three times as long.
pub fn everything() -> bool {
    std::env::var("TIDINGS_FAULTS").is_ok_and(|wanted| wanted == "all")
}

/// How many calls functions made, and how many attempts their SDKs made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallCounts {
    /// Calls, each counted once however often it was attempted.
    pub calls: u64,
    /// Attempts.
    pub attempts: u64,
    /// The most attempts at one call.
    pub most_attempts: u64,
    /// Attempts that met a fault.
    pub injected: u64,
}

/// Fault injection of one desk, installed for its lifetime.
pub struct Faults {
    state: Mutex<State>,
    /// Whether the fault has occurred.
    injected: watch::Sender<bool>,
    /// Whether waiting calls may continue.
    released: watch::Sender<bool>,
}

#[derive(Default)]
struct State {
    /// Whether points are recorded.
    watching: bool,
    /// The points so far, in order.
    seen: Vec<Point>,
    /// How often each call was seen, ignoring its occurrence.
    occurrences: BTreeMap<(String, String), usize>,
    /// Calls by id: their points, and how often each was attempted.
    calls: HashMap<String, (Point, u64)>,
    armed: Vec<Armed>,
    random: Option<FaultRates>,
    tally: CallCounts,
    /// Calls that have begun but not ended.
    under_way: usize,
    last_call: Option<Instant>,
}

struct Armed {
    point: Point,
    fault: Fault,
    /// The id of the call that met the fault.
    call: Option<String>,
}

/// The decision before or after a call.
enum Decision {
    Verdict(Verdict),
    Wait,
}

impl Faults {
    /// Intercepts the calls of functions to these services from now on.
    pub fn install(services: &Services) -> Arc<Self> {
        let faults = Arc::new(Self {
            state: Mutex::default(),
            injected: watch::Sender::new(false),
            released: watch::Sender::new(false),
        });
        let interceptor: Arc<dyn Interceptor> = Arc::<Self>::clone(&faults);
        services.set_interceptor(Some(interceptor));
        faults
    }

    /// Starts recording calls, counted from the first.
    pub fn watch(&self) {
        let mut state = self.state();
        state.watching = true;
        state.seen.clear();
        state.occurrences.clear();
        state.calls.clear();
    }

    /// The points so far; recording continues.
    pub fn so_far(&self) -> Vec<Point> {
        self.state().seen.clone()
    }

    /// Stops recording; returns the points.
    pub fn seen(&self) -> Vec<Point> {
        let mut state = self.state();
        state.watching = false;
        std::mem::take(&mut state.seen)
    }

    /// Starts recording, and injects a fault at a point.
    pub fn inject(&self, point: &Point, fault: Fault) {
        self.inject_each(&[(point, fault)]);
    }

    /// Starts recording, and injects faults at several points.
    pub fn inject_each(&self, faults: &[(&Point, Fault)]) {
        self.watch();
        self.injected.send_replace(false);
        self.released.send_replace(false);
        let armed = faults.iter().map(|(point, fault)| Armed {
            point: (*point).clone(),
            fault: *fault,
            call: None,
        });
        self.state().armed = armed.collect();
    }

    /// Removes all faults; returns whether every armed point was reached.
    pub fn clear(&self) -> bool {
        let mut state = self.state();
        state.watching = false;
        state.random = None;
        let met = state.armed.drain(..).all(|armed| armed.call.is_some());
        drop(state);
        self.released.send_replace(true);
        met
    }

    /// Injects faults at random, until [`Faults::clear`].
    pub fn inject_randomly(&self, random: FaultRates) {
        self.state().random = Some(random);
    }

    /// Waits until the fault has occurred.
    ///
    /// # Panics
    /// If it does not occur.
    pub async fn was_injected(&self) {
        let mut injected = self.injected.subscribe();
        tokio::time::timeout(crate::PATIENCE, injected.wait_for(|injected| *injected))
            .await
            .expect("the point is met")
            .expect("the switches live");
    }

    /// Lets waiting calls continue.
    pub fn release(&self) {
        self.released.send_replace(true);
    }

    /// The counts since the last time.
    pub fn tally(&self) -> CallCounts {
        let mut state = self.state();
        state.calls.clear();
        std::mem::take(&mut state.tally)
    }

    /// Waits until no function has made a call for a while: all are idle.
    pub async fn quiet(&self) {
        const WHILE: Duration = Duration::from_millis(120);
        loop {
            let rests = {
                let state = self.state();
                let long_ago = state.last_call.is_none_or(|last| last.elapsed() >= WHILE);
                state.under_way == 0 && long_ago
            };
            if rests {
                return;
            }
            tokio::time::sleep(WHILE / 4).await;
        }
    }

    /// Waits until every job is done: failed jobs are retried at once, and delayed ones become due at once.
    ///
    /// # Panics
    /// If they are never done.
    pub async fn settle(&self, services: &Services) {
        let queues = services.queues();
        for _ in 0..100 {
            // A job in progress is left alone, however long it waits for its entry: made visible, it would be received
            // once too often and end in the dead-letter queue while it is still running.
            tokio::time::timeout(crate::PATIENCE, queues.at_rest())
                .await
                .expect("what is at work ends")
                .expect("the queues can be read");
            let made_visible = |queue| queues.make_visible_now(queue).expect("the queue is there");
            if [EXPORT, FANOUT, OFFLINE].map(made_visible) == [0; 3] {
                return;
            }
        }
        panic!("the queues do not come to rest");
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Decides before a call.
    fn meet(&self, call: &Call) -> Decision {
        let mut state = self.state();
        let point = state.note(call);
        if let Some(fault) = state.fault_for(call, point.as_ref()) {
            let decision = match fault {
                Fault::DiesBefore => Decision::Verdict(Verdict::Die),
                Fault::ThrottledOnce | Fault::Throttled => Decision::Verdict(throttled(call.service)),
                Fault::ConflictsOnce => Decision::Verdict(conflict(call)),
                Fault::WaitsBefore => Decision::Wait,
                _ => Decision::Verdict(Verdict::Proceed),
            };
            if !matches!(decision, Decision::Verdict(Verdict::Proceed)) {
                self.injected.send_replace(true);
            }
            return state.decided(decision);
        }
        let verdict = state.random.as_mut().map(|random| random.before(call));
        state.decided(Decision::Verdict(verdict.unwrap_or(Verdict::Proceed)))
    }

    /// Decides after a call.
    fn part(&self, call: &Call) -> Decision {
        let mut state = self.state();
        let met = state
            .armed
            .iter()
            .find(|armed| armed.call.as_ref() == Some(&call.id));
        let first = state.calls.get(&call.id).is_none_or(|(_, tries)| *tries <= 1);
        let fault = met
            .map(|armed| armed.fault)
            .filter(|fault| first || fault.repeats());
        let decision = match fault {
            Some(Fault::DiesAfter) => Decision::Verdict(Verdict::Die),
            Some(Fault::FailsOnce | Fault::Fails) => Decision::Verdict(failed(call.service)),
            Some(Fault::TimesOutOnce) => Decision::Verdict(Verdict::TimeOut),
            Some(Fault::WaitsAfter) => Decision::Wait,
            _ => {
                let verdict = state.random.as_mut().map(|random| random.after(call));
                Decision::Verdict(verdict.unwrap_or(Verdict::Proceed))
            }
        };
        if fault.is_some() && !matches!(decision, Decision::Verdict(Verdict::Proceed)) {
            self.injected.send_replace(true);
        }
        state.under_way = state.under_way.saturating_sub(1);
        state.last_call = Some(Instant::now());
        if !matches!(decision, Decision::Verdict(Verdict::Proceed)) {
            state.tally.injected += 1;
        }
        decision
    }

    async fn heed(&self, decision: Decision) -> Verdict {
        match decision {
            Decision::Verdict(verdict) => verdict,
            Decision::Wait => {
                let mut released = self.released.subscribe();
                released
                    .wait_for(|released| *released)
                    .await
                    .expect("the switches live");
                Verdict::Proceed
            }
        }
    }
}

impl State {
    /// Records an attempt; returns the point of its call.
    fn note(&mut self, call: &Call) -> Option<Point> {
        self.tally.attempts += 1;
        self.under_way += 1;
        self.last_call = Some(Instant::now());
        if let Some((point, attempts)) = self.calls.get_mut(&call.id) {
            *attempts += 1;
            self.tally.most_attempts = self.tally.most_attempts.max(*attempts);
            return Some(point.clone());
        }
        self.tally.calls += 1;
        self.tally.most_attempts = self.tally.most_attempts.max(1);
        let mut point = Point::of(call);
        let name = (point.function.clone(), point.call.clone());
        let occurrence = self.occurrences.entry(name).or_default();
        *occurrence += 1;
        point.occurrence = *occurrence;
        self.calls.insert(call.id.clone(), (point.clone(), 1));
        if !self.watching {
            return None;
        }
        self.seen.push(point.clone());
        Some(point)
    }

    /// The fault for this attempt, if any.
    fn fault_for(&mut self, call: &Call, point: Option<&Point>) -> Option<Fault> {
        for armed in &mut self.armed {
            match &armed.call {
                None if point == Some(&armed.point) => {
                    armed.call = Some(call.id.clone());
                    return Some(armed.fault);
                }
                Some(id) if *id == call.id && armed.fault.repeats() => return Some(armed.fault),
                _ => {}
            }
        }
        None
    }

    /// Counts a decision; a call that does not proceed ends here.
    fn decided(&mut self, decision: Decision) -> Decision {
        if let Decision::Verdict(verdict) = &decision
            && !matches!(verdict, Verdict::Proceed)
        {
            self.tally.injected += 1;
            self.under_way = self.under_way.saturating_sub(1);
        }
        decision
    }
}

impl Interceptor for Faults {
    fn before<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Verdict> {
        // A call by the harness itself is not a function's.
        if call.id.is_empty() {
            return Box::pin(async { Verdict::Proceed });
        }
        let decision = self.meet(call);
        Box::pin(self.heed(decision))
    }

    fn after<'a>(&'a self, call: &'a Call, _: u16) -> BoxFuture<'a, Verdict> {
        if call.id.is_empty() {
            return Box::pin(async { Verdict::Proceed });
        }
        let decision = self.part(call);
        Box::pin(self.heed(decision))
    }
}

/// The error of a throttling service.
fn throttled(service: Service) -> Verdict {
    match service {
        Service::DynamoDb => Verdict::throughput_exceeded(),
        Service::Sqs => Verdict::queue_throttled(),
        Service::S3 => Verdict::Answer(AwsError::new(503, "SlowDown", "Please reduce your request rate.")),
        Service::Connections => {
            Verdict::Answer(AwsError::new(429, "LimitExceededException", "Too many requests"))
        }
    }
}

/// The error of a write that conflicts with a transaction.
fn conflict(call: &Call) -> Verdict {
    if call.operation != "TransactWriteItems" {
        let message = "Transaction is ongoing for the item";
        return Verdict::Answer(AwsError::new(400, "TransactionConflictException", message));
    }
    let request: serde_json::Value = serde_json::from_slice(&call.request).unwrap_or_default();
    Verdict::transaction_conflict(request["TransactItems"].as_array().map_or(0, Vec::len))
}

/// An error that leaves open whether the call took effect.
fn failed(service: Service) -> Verdict {
    match service {
        Service::DynamoDb => Verdict::internal_error(),
        Service::Sqs => Verdict::Answer(AwsError::new(500, "InternalFailure", "We encountered an error.")),
        Service::S3 | Service::Connections => {
            Verdict::Answer(AwsError::new(500, "InternalServerError", "Internal server error"))
        }
    }
}
