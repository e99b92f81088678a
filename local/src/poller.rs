//! From queues to workers, like Lambda's event source mappings: batches, partial failures, and only processed messages
//! are deleted.
//! Source: AWS, *Using Lambda with Amazon SQS*.

use std::sync::Arc;
use std::time::{Duration, Instant};

use local_gateway::template::QueueMapping;
use local_services::{Received, Services};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::invoker::SharedInvoker;

/// The duration of one receive on an empty queue (the longest long poll of SQS).
const WAIT: Duration = Duration::from_secs(20);
/// How many batches of a queue are processed concurrently at first.
/// Source: AWS, *Configuring scaling behavior for SQS event source mappings*: five, and up to 300 a minute more as
/// long as messages are waiting.
const FIRST: usize = 5;
/// How many more each second.
const MORE: usize = 5;
/// The maximum, if the template does not set one.
const MOST: usize = 1_250;

/// Passes the messages of one queue to its function until told to stop, then waits for invocations in progress.
pub async fn run(
    services: Services,
    queue: String,
    mapping: QueueMapping,
    invoker: SharedInvoker,
    mut stop: watch::Receiver<bool>,
) {
    let most = mapping
        .maximum_concurrency
        .and_then(|most| usize::try_from(most).ok())
        .unwrap_or(MOST);
    let mut at_once = FIRST.min(most);
    let places = Arc::new(Semaphore::new(at_once));
    let mut grown = Instant::now();
    let batch_size = usize::try_from(mapping.batch_size).unwrap_or(1);
    let mut running = JoinSet::new();
    while !*stop.borrow() {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            break;
        };
        let received = tokio::select! {
            received = services.queues().receive(&queue, batch_size, WAIT) => received,
            _ = stop.changed() => break,
        };
        let batch = match received {
            Ok(batch) if batch.is_empty() => {
                at_once -= places.forget_permits(at_once.saturating_sub(FIRST));
                continue;
            }
            Ok(batch) => batch,
            Err(error) => {
                eprintln!("the queue {queue} cannot be read: {error}");
                break;
            }
        };
        let is_behind = batch.len() == batch_size && at_once < most;
        if is_behind && grown.elapsed() >= Duration::from_secs(1) {
            let more = MORE.min(most - at_once);
            places.add_permits(more);
            at_once += more;
            grown = Instant::now();
        }
        let (services, queue, function) = (services.clone(), queue.clone(), mapping.function.clone());
        let (invoker, partial) = (Arc::clone(&invoker), mapping.reports_batch_item_failures);
        running.spawn(async move {
            let answer = invoker.invoke(&function, event(&queue, &batch)).await;
            let failed = answer.map_or(Failed::All, |answer| Failed::of_answer(&answer, partial));
            for message in &batch {
                let handle = &message.receipt_handle;
                let noted = if failed.holds(&message.message_id) {
                    services.queues().give_up(&queue, handle)
                } else {
                    services.queues().delete(&queue, handle)
                };
                // It is delivered again, which is harmless.
                if let Err(error) = noted {
                    eprintln!("what became of a message of {queue} cannot be noted: {error}");
                }
            }
            drop(place);
        });
        while running.try_join_next().is_some() {}
    }
    while running.join_next().await.is_some() {}
}

/// Which messages of a batch stay in the queue.
enum Failed {
    All,
    Some(Vec<String>),
}

impl Failed {
    /// A response that is not such a report fails the whole batch, as on AWS.
    fn of_answer(answer: &[u8], partial: bool) -> Self {
        if !partial {
            return Self::Some(Vec::new());
        }
        let report: Option<Value> = serde_json::from_slice(answer).ok();
        let failures = report
            .as_ref()
            .and_then(|report| report.get("batchItemFailures"))
            .and_then(Value::as_array);
        let Some(failures) = failures else {
            return Self::All;
        };
        let id = |failure: &Value| Some(failure.get("itemIdentifier")?.as_str()?.to_owned());
        failures
            .iter()
            .map(id)
            .collect::<Option<_>>()
            .map_or(Self::All, Self::Some)
    }

    fn holds(&self, id: &str) -> bool {
        match self {
            Self::All => true,
            Self::Some(ids) => ids.iter().any(|failed| failed == id),
        }
    }
}

/// The event of a batch.
fn event(queue: &str, batch: &[Received]) -> Vec<u8> {
    let record = |message: &Received| {
        json!({
            "messageId": message.message_id,
            "receiptHandle": message.receipt_handle,
            "body": message.body,
            "attributes": message.attributes,
            "messageAttributes": message.message_attributes,
            "md5OfBody": message.md5_of_body,
            "eventSource": "aws:sqs",
            "eventSourceARN": format!("arn:aws:sqs:us-east-1:000000000000:{queue}"),
            "awsRegion": "us-east-1",
        })
    };
    json!({ "Records": batch.iter().map(record).collect::<Vec<_>>() })
        .to_string()
        .into_bytes()
}
