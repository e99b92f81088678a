//! Workers: functions that process the messages of a queue.

use std::collections::BTreeMap;
use std::future::Future;

use futures::future::{BoxFuture, join_all};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::App;
use crate::error::{Error, Result};
use crate::queue::{self, Queue};
use crate::rights::Rights;
use crate::store::Worker;

/// The processing of one message of a queue. Must be idempotent: SQS delivers at least once.
pub trait Job: 'static {
    /// The name of the function.
    const NAME: &'static str;
    /// The queue whose messages it processes.
    const QUEUE: Queue;
    /// The rights of its role. For reading the queue SAM adds a managed policy.
    const RIGHTS: Rights;
    /// The message.
    type Message: Clone + DeserializeOwned + Send + Sync;

    /// Processes a message. On an error the message stays in the queue; other messages of the batch are not affected.
    fn run(app: &App, worker: Worker, message: Self::Message) -> impl Future<Output = Result<()>> + Send;

    /// Called when the last attempt at a message has failed, before SQS moves it to the dead-letter queue. Not called
    /// if the function dies.
    fn give_up(_: &App, _: Worker, _: Self::Message, _: &Error) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }

    /// Merges messages of a batch that one call can process. Returns the merged messages, each with the indexes of the
    /// messages that it stands for. By default nothing is merged.
    fn fold(batch: Vec<(usize, Self::Message)>) -> Vec<(Self::Message, Vec<usize>)> {
        batch
            .into_iter()
            .map(|(place, message)| (message, vec![place]))
            .collect()
    }
}

/// A [`Job`] with its types erased.
#[derive(Clone, Copy)]
pub struct AnyJob {
    /// The name of the function.
    pub name: &'static str,
    /// The queue.
    pub queue: Queue,
    /// Processes a batch.
    pub work: Work,
}

/// Processes a batch; returns the failed messages and the first error.
pub type Work = for<'a> fn(&'a App, &'a [Record]) -> BoxFuture<'a, (Failures, Option<Error>)>;

/// A message of a batch.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// The id by which a failure is reported.
    pub message_id: String,
    /// The job.
    pub body: String,
    /// Attributes that SQS adds.
    #[serde(default)]
    pub attributes: Attributes,
}

/// Attributes that SQS adds to a message.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Attributes {
    /// How often it was received, including this time.
    pub approximate_receive_count: String,
}

impl Record {
    /// Whether the message goes to the dead-letter queue if this attempt fails.
    fn is_tried_for_the_last_time(&self) -> bool {
        let count = self.attributes.approximate_receive_count.parse();
        count.is_ok_and(|count: u32| count >= queue::MOST_RECEIVES)
    }
}

/// The failed messages, which stay in the queue.
/// Source: AWS, *Handling errors for an SQS event source in Lambda*, partial batch responses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failures {
    /// The messages.
    pub batch_item_failures: Vec<Failure>,
}

/// A failed message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// Its id.
    pub item_identifier: String,
}

impl AnyJob {
    /// Erases the types of a job.
    pub const fn of<J: Job>() -> Self {
        Self {
            name: J::NAME,
            queue: J::QUEUE,
            work: |app, records| Box::pin(work::<J>(app, records)),
        }
    }
}

async fn work<J: Job>(app: &App, records: &[Record]) -> (Failures, Option<Error>) {
    let mut batch: BTreeMap<usize, J::Message> = BTreeMap::new();
    let mut failed: BTreeMap<usize, Error> = BTreeMap::new();
    for (place, record) in records.iter().enumerate() {
        match queue::parse(&record.body) {
            Ok(message) => {
                batch.insert(place, message);
            }
            Err(error) => {
                failed.insert(place, error);
            }
        }
    }
    let whole = batch
        .iter()
        .map(|(place, message)| (*place, message.clone()))
        .collect();
    let folded = J::fold(whole)
        .into_iter()
        .map(|(message, places)| async { (places, J::run(app, Worker::new(), message).await) });
    let mut alone = Vec::new();
    for (places, result) in join_all(folded).await {
        match (result, places.as_slice()) {
            (Ok(()), _) => {}
            // One message that fails permanently must not fail the others.
            (Err(Error::Internal(_)), [_, _, ..]) => alone.extend(places),
            (Err(error), places) => {
                let others = places.iter().skip(1);
                failed.extend(
                    others.map(|place| (*place, Error::unavailable("failed together with another message"))),
                );
                failed.extend(places.first().map(|place| (*place, error)));
            }
        }
    }
    let alone = alone
        .into_iter()
        .filter_map(|place| Some((place, batch.get(&place)?.clone())))
        .map(|(place, message)| async move { (place, J::run(app, Worker::new(), message).await) });
    for (place, result) in join_all(alone).await {
        if let Err(error) = result {
            failed.insert(place, error);
        }
    }
    for (place, error) in &mut failed {
        let is_last = records
            .get(*place)
            .is_some_and(Record::is_tried_for_the_last_time);
        if let Some(message) = batch.get(place).filter(|_| is_last)
            && let Err(unsaid) = J::give_up(app, Worker::new(), message.clone(), error).await
        {
            // Both errors go to the log; the message fails anyway.
            *error = Error::internal(format!("{}; and giving up: {}", error.chain(), unsaid.chain()));
        }
    }
    let failure = |place: &usize| {
        Some(Failure {
            item_identifier: records.get(*place)?.message_id.clone(),
        })
    };
    let failures = Failures {
        batch_item_failures: failed.keys().filter_map(failure).collect(),
    };
    (failures, failed.into_values().next())
}
