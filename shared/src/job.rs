//! Workers: each is a function of one message of a queue.

use std::collections::BTreeMap;
use std::future::Future;

use futures::future::join_all;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::App;
use crate::error::{Error, Result};
use crate::http::endpoint::BoxFuture;
use crate::queue::{self, Queue};
use crate::rights::Rights;
use crate::store::Worker;

/// What a worker does with one message. Everything that it does must do no harm if it is done twice.
pub trait Job: 'static {
    /// The name of the function.
    const NAME: &'static str;
    /// The queue that it works for.
    const QUEUE: Queue;
    /// What it may do to the stack's resources. To read its queue, SAM adds a managed policy to its role.
    const RIGHTS: Rights;
    /// The message.
    type Message: Clone + DeserializeOwned + Send + Sync;

    /// Does it; an error leaves the message in the queue, and nothing else of its batch.
    fn run(app: &App, worker: Worker, message: Self::Message) -> impl Future<Output = Result<()>> + Send;

    /// What is done when a message was tried for the last time and in vain, before it goes to the dead letters. A worker
    /// that dies has no time for it.
    fn give_up(_: &App, _: Worker, _: Self::Message, _: &Error) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }

    /// Which messages of a batch one other message can stand for: each of the answer with the places in the batch
    /// of those that are done when it is done. Unless a job says otherwise, each stands for itself.
    fn fold(batch: Vec<(usize, Self::Message)>) -> Vec<(Self::Message, Vec<usize>)> {
        batch
            .into_iter()
            .map(|(place, message)| (message, vec![place]))
            .collect()
    }
}

/// A job with its types forgotten.
#[derive(Clone, Copy)]
pub struct Entry {
    /// The name of the function.
    pub name: &'static str,
    /// The queue.
    pub queue: Queue,
    /// Works off a batch.
    pub work: Work,
}

/// Works off a batch: what could not be done, and what went wrong.
pub type Work = for<'a> fn(&'a App, &'a [Record]) -> BoxFuture<'a, (Failures, Option<Error>)>;

/// A message of a batch.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// The id that a failure is reported by.
    pub message_id: String,
    /// The job.
    pub body: String,
    /// What SQS says of it.
    #[serde(default)]
    pub attributes: Attributes,
}

/// What SQS says of a message.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Attributes {
    /// How often it was received, this time included.
    pub approximate_receive_count: String,
}

impl Record {
    /// Whether it goes to the dead letters if it cannot be done this time.
    fn is_tried_for_the_last_time(&self) -> bool {
        let count = self.attributes.approximate_receive_count.parse();
        count.is_ok_and(|count: u32| count >= queue::MOST_RECEIVES)
    }
}

/// What stays in the queue.
/// Source: AWS, *Handling errors for an SQS event source in Lambda*, partial batch responses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failures {
    /// The messages.
    pub batch_item_failures: Vec<Failure>,
}

/// A message that stays in the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// Its id.
    pub item_identifier: String,
}

impl Entry {
    /// The entry of a job.
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
            // One that cannot be done must not take the others along.
            (Err(Error::Internal(_)), [_, _, ..]) => alone.extend(places),
            (Err(error), places) => {
                let others = places.iter().skip(1);
                failed.extend(others.map(|place| (*place, Error::unavailable("done together with another"))));
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
            // Both are for the log alone: the message fails as it is.
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
