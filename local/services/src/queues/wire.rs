//! The JSON protocol of SQS.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::requests::{
    Batch, ByName, ByUrl, ChangeVisibility, DeleteEntry, MAX_BATCH_ENTRIES, MAX_MESSAGE_BYTES,
    MAX_VISIBILITY_TIMEOUT_SECONDS, MAX_WAIT_SECONDS, OneMessage, Receive, Send, SendEntry, check_ids,
    in_range, name, read,
};
use super::{QueueError, Queues, Received, md5_hex};
use crate::answer::{self, Answer};
use crate::interceptor::Service;

/// The prefix of `X-Amz-Target`.
pub(crate) const TARGET_PREFIX: &str = "AmazonSQS.";

/// Answers one request of `sender`, a function.
pub(crate) async fn answer(queues: &Queues, sender: &str, operation: &str, body: &[u8]) -> Answer {
    match run(queues, sender, operation, body).await {
        Ok(body) => answer::json(Service::Sqs, 200, body.to_string()),
        Err(error) => {
            if let QueueError::Storage(error) = &error {
                tracing::error!(%error, "the queue database failed");
            }
            let mut answer = answer::error(Service::Sqs, &error.to_aws());
            answer::set_header(&mut answer, "x-amzn-query-error", &error.query_error());
            answer
        }
    }
}

async fn run(queues: &Queues, sender: &str, operation: &str, body: &[u8]) -> Result<Value, QueueError> {
    match operation {
        "SendMessage" => send(queues, sender, body),
        "SendMessageBatch" => send_batch(queues, sender, body),
        "ReceiveMessage" => receive(queues, body).await,
        "DeleteMessage" => {
            let request: OneMessage = read(body)?;
            queues.delete(name(&request.queue_url), &request.receipt_handle)?;
            Ok(json!({}))
        }
        "DeleteMessageBatch" => delete_batch(queues, body),
        "ChangeMessageVisibility" => {
            let request: ChangeVisibility = read(body)?;
            let timeout_seconds = in_range(
                "VisibilityTimeout",
                request.visibility_timeout,
                0,
                MAX_VISIBILITY_TIMEOUT_SECONDS,
            )?;
            queues.change_visibility(name(&request.queue_url), &request.receipt_handle, timeout_seconds)?;
            Ok(json!({}))
        }
        "GetQueueUrl" => {
            let request: ByName = read(body)?;
            Ok(json!({ "QueueUrl": queues.find(&request.queue_name)?.spec.url() }))
        }
        "GetQueueAttributes" => attributes(queues, body),
        "PurgeQueue" => {
            let request: ByUrl = read(body)?;
            queues.purge(name(&request.queue_url))?;
            Ok(json!({}))
        }
        other => Err(QueueError::UnknownOperation(other.to_owned())),
    }
}

fn send(queues: &Queues, sender: &str, body: &[u8]) -> Result<Value, QueueError> {
    let request: Send = read(body)?;
    let digest = md5_hex(&request.content.message_body);
    let id = queues.send(name(&request.queue_url), &request.content.into_outgoing(sender)?)?;
    Ok(json!({ "MessageId": id, "MD5OfMessageBody": digest }))
}

fn send_batch(queues: &Queues, sender: &str, body: &[u8]) -> Result<Value, QueueError> {
    let request: Batch<SendEntry> = read(body)?;
    let queue = name(&request.queue_url);
    queues.find(queue)?;
    check_ids(request.entries.iter().map(|entry| entry.id.as_str()))?;
    let total_bytes: usize = request
        .entries
        .iter()
        .map(|entry| entry.content.message_body.len())
        .sum();
    if total_bytes > MAX_MESSAGE_BYTES {
        return Err(QueueError::BatchTooLong(total_bytes));
    }
    let (mut ids, mut messages, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    for entry in request.entries {
        match entry.content.into_outgoing(sender) {
            Ok(message) => {
                ids.push(entry.id);
                messages.push(message);
            }
            Err(error) => failed.push(error.to_entry(&entry.id)),
        }
    }
    let message_ids = queues.send_all(queue, &messages)?;
    let successful: Vec<_> = ids
        .iter()
        .zip(messages.iter().zip(&message_ids))
        .map(|(id, (message, message_id))| {
            json!({ "Id": id, "MessageId": message_id, "MD5OfMessageBody": md5_hex(&message.body) })
        })
        .collect();
    Ok(json!({ "Successful": successful, "Failed": failed }))
}

async fn receive(queues: &Queues, body: &[u8]) -> Result<Value, QueueError> {
    let request: Receive = read(body)?;
    let queue = name(&request.queue_url);
    let spec = queues.find(queue)?.spec;
    let max = in_range(
        "MaxNumberOfMessages",
        request.max_number_of_messages.unwrap_or(1),
        1,
        10,
    )?;
    let wait_seconds = in_range(
        "WaitTimeSeconds",
        request.wait_time_seconds.unwrap_or(0),
        0,
        MAX_WAIT_SECONDS,
    )?;
    let timeout_seconds = match request.visibility_timeout {
        Some(seconds) => in_range("VisibilityTimeout", seconds, 0, MAX_VISIBILITY_TIMEOUT_SECONDS)?,
        None => spec.visibility_timeout_seconds,
    };
    let wait = Duration::from_secs(u64::from(wait_seconds));
    let max = usize::try_from(max).unwrap_or(MAX_BATCH_ENTRIES);
    let received = queues.receive_hidden(queue, max, wait, timeout_seconds).await?;
    let messages: Vec<_> = received
        .into_iter()
        .map(|message| request.show(message))
        .collect();
    Ok(if messages.is_empty() {
        json!({})
    } else {
        json!({ "Messages": messages })
    })
}

impl Receive {
    /// The message with the requested attributes.
    fn show(&self, message: Received) -> Value {
        let mut shown = json!({
            "MessageId": message.message_id,
            "ReceiptHandle": message.receipt_handle,
            "MD5OfBody": message.md5_of_body,
            "Body": message.body,
        });
        let Some(fields) = shown.as_object_mut() else {
            return shown;
        };
        let system_names = [
            self.attribute_names.as_slice(),
            &self.message_system_attribute_names,
        ]
        .concat();
        let attributes: Map<_, _> = message
            .attributes
            .into_iter()
            .filter(|(name, _)| is_asked(&system_names, name))
            .map(|(name, value)| (name, Value::from(value)))
            .collect();
        if !attributes.is_empty() {
            fields.insert("Attributes".to_owned(), Value::from(attributes));
        }
        let Value::Object(mut attributes) = message.message_attributes else {
            return shown;
        };
        attributes.retain(|name, _| is_asked(&self.message_attribute_names, name));
        if !attributes.is_empty() {
            fields.insert("MessageAttributes".to_owned(), Value::from(attributes));
        }
        shown
    }
}

fn is_asked(names: &[String], name: &str) -> bool {
    names.iter().any(|asked| match asked.strip_suffix(".*") {
        Some(prefix) => name.starts_with(prefix),
        None => asked == "All" || asked == name,
    })
}

fn delete_batch(queues: &Queues, body: &[u8]) -> Result<Value, QueueError> {
    let request: Batch<DeleteEntry> = read(body)?;
    let queue = name(&request.queue_url);
    queues.find(queue)?;
    check_ids(request.entries.iter().map(|entry| entry.id.as_str()))?;
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for entry in &request.entries {
        match queues.delete(queue, &entry.receipt_handle) {
            Ok(()) => successful.push(json!({ "Id": entry.id })),
            Err(error) => failed.push(error.to_entry(&entry.id)),
        }
    }
    Ok(json!({ "Successful": successful, "Failed": failed }))
}

fn attributes(queues: &Queues, body: &[u8]) -> Result<Value, QueueError> {
    let request: ByUrl = read(body)?;
    let spec = queues.find(name(&request.queue_url))?.spec;
    let depth = queues.depth(&spec.name)?;
    let mut all = vec![
        ("QueueArn", spec.arn()),
        ("ApproximateNumberOfMessages", depth.visible.to_string()),
        (
            "ApproximateNumberOfMessagesNotVisible",
            depth.in_flight.to_string(),
        ),
        ("ApproximateNumberOfMessagesDelayed", depth.delayed.to_string()),
        ("VisibilityTimeout", spec.visibility_timeout_seconds.to_string()),
        ("DelaySeconds", spec.delay_seconds.to_string()),
        ("MessageRetentionPeriod", spec.retention_seconds.to_string()),
        ("MaximumMessageSize", MAX_MESSAGE_BYTES.to_string()),
    ];
    if let (Some(count), Some(target)) = (spec.max_receive_count, &spec.dead_letter_queue) {
        let target = queues.find(target)?.spec.arn();
        let policy = json!({ "deadLetterTargetArn": target, "maxReceiveCount": count });
        all.push(("RedrivePolicy", policy.to_string()));
    }
    let asked: Map<_, _> = all
        .into_iter()
        .filter(|(name, _)| is_asked(&request.attribute_names, name))
        .map(|(name, value)| (name.to_owned(), Value::from(value)))
        .collect();
    Ok(json!({ "Attributes": asked }))
}
