//! The queues: standard SQS queues that survive the process.
//!
//! Functions use them with an SDK client (`wire`); the desk's pollers and the tests use the methods here. Messages are
//! durable; the queues themselves are created at each start, from the template, and find their messages again.

mod error;
mod message;
mod receiving;
mod requests;
mod store;
mod wire;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use md5::{Digest, Md5};
use tokio::sync::watch;

pub use error::QueueError;
pub use message::{Delivery, Depth, Outgoing, Peeked, QueueSpec, Received, State};
pub(crate) use requests::name;
use store::{NewMessage, Store};
pub(crate) use wire::{TARGET_PREFIX, answer};

/// The database file, in the data folder.
pub(crate) const FILE: &str = "queues.sqlite";

/// The current time in milliseconds since 1970.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Whether a queue is busy, in a certain sense.
type Busy = fn(&Store, &str, i64) -> rusqlite::Result<bool>;

#[derive(Clone)]
struct Queue {
    spec: Arc<QueueSpec>,
    /// Notified when a message may have become visible earlier than expected.
    arrivals: watch::Sender<()>,
}

/// All queues.
pub struct Queues {
    store: Store,
    by_name: RwLock<HashMap<String, Queue>>,
    clock: RwLock<Clock>,
    delivery: RwLock<Delivery>,
    /// Notified when a message has left a queue.
    departures: watch::Sender<()>,
}

impl Queues {
    /// Opens the queues, in `folder` or in memory.
    pub(crate) fn open(folder: Option<&Path>) -> Result<Self, QueueError> {
        Ok(Self {
            store: Store::open(folder)?,
            by_name: RwLock::default(),
            clock: RwLock::new(Arc::new(system_time_ms)),
            delivery: RwLock::default(),
            departures: watch::Sender::new(()),
        })
    }

    /// Creates the queue, or updates its settings.
    pub(crate) fn ensure(&self, spec: QueueSpec) {
        let mut queues = self.by_name.write().unwrap_or_else(PoisonError::into_inner);
        let arrivals = queues
            .get(&spec.name)
            .map(|queue| queue.arrivals.clone())
            .unwrap_or_default();
        queues.insert(
            spec.name.clone(),
            Queue {
                spec: Arc::new(spec),
                arrivals,
            },
        );
    }

    /// Replaces the clock, and notifies every receiver. For tests.
    pub fn set_clock(&self, clock: Clock) {
        *self.clock.write().unwrap_or_else(PoisonError::into_inner) = clock;
        self.clock_moved();
    }

    /// Notifies every receiver that a test has moved the clock.
    pub fn clock_moved(&self) {
        for queue in self.all() {
            queue.arrivals.send_replace(());
        }
        self.departures.send_replace(());
    }

    /// Chooses duplication and reordering of deliveries. For tests.
    pub fn set_delivery(&self, delivery: Delivery) {
        *self.delivery.write().unwrap_or_else(PoisonError::into_inner) = delivery;
    }

    /// The settings of every queue, by name.
    pub fn specs(&self) -> Vec<QueueSpec> {
        let mut specs: Vec<_> = self
            .all()
            .iter()
            .map(|queue| QueueSpec::clone(&queue.spec))
            .collect();
        specs.sort_by(|a, b| a.name.cmp(&b.name));
        specs
    }

    /// Sends a message and returns its id.
    pub fn send(&self, queue: &str, message: &Outgoing) -> Result<String, QueueError> {
        requests::check_message(message)?;
        let ids = self.send_all(queue, std::slice::from_ref(message))?;
        ids.into_iter().next().ok_or(QueueError::EmptyBatch)
    }

    /// Stores messages that were checked, all or none, and returns their ids.
    fn send_all(&self, queue: &str, messages: &[Outgoing]) -> Result<Vec<String>, QueueError> {
        let queue = self.find(queue)?;
        let now_ms = self.now_ms();
        let ids: Vec<_> = messages
            .iter()
            .map(|_| uuid::Uuid::new_v4().to_string())
            .collect();
        let attributes: Vec<_> = messages
            .iter()
            .map(|message| attributes_text(&message.message_attributes))
            .collect();
        let copies = self.delivery().copies();
        let rows: Vec<_> = messages
            .iter()
            .zip(ids.iter().zip(&attributes))
            .flat_map(|row| std::iter::repeat_n(row, copies))
            .map(|(message, (id, attributes))| {
                let delay_seconds = message.delay_seconds.unwrap_or(queue.spec.delay_seconds);
                let due_ms = now_ms + i64::from(delay_seconds) * 1000;
                NewMessage {
                    id,
                    body: &message.body,
                    attributes,
                    sender: &message.sender,
                    due_ms,
                }
            })
            .collect();
        self.store.insert(&queue.spec, &rows, now_ms)?;
        queue.arrivals.send_replace(());
        Ok(ids)
    }

    /// Deletes a message; no effect if the handle is stale.
    pub fn delete(&self, queue: &str, receipt_handle: &str) -> Result<(), QueueError> {
        let queue = self.find(queue)?;
        let (number, receipt) = parse_handle(receipt_handle)?;
        if self.store.delete(&queue.spec.name, number, receipt)? {
            self.departures.send_replace(());
        }
        Ok(())
    }

    /// Records that a receiver is finished with a message without deleting it: it stays hidden until its timeout, but
    /// nobody is working on it. No effect if the handle is stale.
    pub fn give_up(&self, queue: &str, receipt_handle: &str) -> Result<(), QueueError> {
        let queue = self.find(queue)?;
        let (number, receipt) = parse_handle(receipt_handle)?;
        self.store.give_up(&queue.spec.name, number, receipt)?;
        self.departures.send_replace(());
        Ok(())
    }

    /// Hides a message in flight for `timeout_seconds` from now; 0 makes it visible.
    pub fn change_visibility(
        &self,
        queue: &str,
        receipt_handle: &str,
        timeout_seconds: u32,
    ) -> Result<(), QueueError> {
        let queue = self.find(queue)?;
        let (number, receipt) = parse_handle(receipt_handle)?;
        let now_ms = self.now_ms();
        let due_ms = now_ms + i64::from(timeout_seconds) * 1000;
        if !self
            .store
            .set_due(&queue.spec.name, number, receipt, due_ms, now_ms)?
        {
            return Err(QueueError::NotInFlight);
        }
        queue.arrivals.send_replace(());
        Ok(())
    }

    /// Counts the messages of a queue.
    pub fn depth(&self, queue: &str) -> Result<Depth, QueueError> {
        Ok(self.store.depth(&self.find(queue)?.spec.name, self.now_ms())?)
    }

    /// Lists the messages of a queue without receiving them, in the order of sending.
    pub fn messages(&self, queue: &str) -> Result<Vec<Peeked>, QueueError> {
        Ok(self.store.peek(&self.find(queue)?.spec.name, self.now_ms())?)
    }

    /// Makes all delayed messages and messages in flight visible at once.
    pub fn make_visible_now(&self, queue: &str) -> Result<usize, QueueError> {
        let queue = self.find(queue)?;
        let count = self.store.make_visible(&queue.spec.name, self.now_ms())?;
        queue.arrivals.send_replace(());
        Ok(count)
    }

    /// Moves the messages of the dead-letter queue back to `source`, as if new, and returns their number.
    pub fn redrive(&self, dead_letter_queue: &str, source: &str) -> Result<usize, QueueError> {
        let (from, to) = (self.find(dead_letter_queue)?, self.find(source)?);
        let count = self.store.redrive(&from.spec, &to.spec, self.now_ms())?;
        to.arrivals.send_replace(());
        self.departures.send_replace(());
        Ok(count)
    }

    /// Deletes every message of a queue.
    pub fn purge(&self, queue: &str) -> Result<usize, QueueError> {
        let count = self.store.purge(&self.find(queue)?.spec.name)?;
        self.departures.send_replace(());
        Ok(count)
    }

    /// Waits until no queue, except dead-letter queues, has a visible message or one in flight.
    /// Delayed messages don't count.
    pub async fn idle(&self) -> Result<(), QueueError> {
        self.until_none_is(Store::is_busy).await
    }

    /// Waits until no queue, dead-letter queues apart, holds a visible message or one that is being worked on: what
    /// was given up ([`Queues::give_up`]) or is delayed may be left.
    pub async fn at_rest(&self) -> Result<(), QueueError> {
        self.until_none_is(Store::is_at_work).await
    }

    async fn until_none_is(&self, busy: Busy) -> Result<(), QueueError> {
        let mut departures = self.departures.subscribe();
        loop {
            departures.mark_unchanged();
            if !self.is_any(busy)? || departures.changed().await.is_err() {
                return Ok(());
            }
        }
    }

    fn is_any(&self, busy: Busy) -> Result<bool, QueueError> {
        let queues = self.all();
        let now_ms = self.now_ms();
        for queue in &queues {
            let name = &queue.spec.name;
            let is_dead_letters = queues
                .iter()
                .any(|other| other.spec.dead_letter_queue.as_ref() == Some(name));
            if !is_dead_letters && busy(&self.store, name, now_ms)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn find(&self, name: &str) -> Result<Queue, QueueError> {
        let queues = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
        queues
            .get(name)
            .cloned()
            .ok_or_else(|| QueueError::NoSuchQueue(name.to_owned()))
    }

    fn all(&self) -> Vec<Queue> {
        self.by_name
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .cloned()
            .collect()
    }

    fn delivery(&self) -> Delivery {
        *self.delivery.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn now_ms(&self) -> i64 {
        let clock = Arc::clone(&self.clock.read().unwrap_or_else(PoisonError::into_inner));
        clock()
    }
}

/// The system's clock: milliseconds since 1970.
pub(crate) fn system_time_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn attributes_text(attributes: &serde_json::Map<String, serde_json::Value>) -> String {
    serde_json::to_string(attributes).unwrap_or_default()
}

fn parse_handle(receipt_handle: &str) -> Result<(i64, &str), QueueError> {
    let (number, receipt) = receipt_handle
        .split_once('.')
        .ok_or(QueueError::InvalidReceiptHandle)?;
    Ok((
        number.parse().map_err(|_| QueueError::InvalidReceiptHandle)?,
        receipt,
    ))
}

fn md5_hex(text: &str) -> String {
    use std::fmt::Write as _;
    Md5::digest(text)
        .iter()
        .fold(String::with_capacity(32), |mut hex, byte| {
            // Writing to a string can't fail.
            write!(hex, "{byte:02x}").ok();
            hex
        })
}
