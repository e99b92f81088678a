//! Requests of the SQS API, and their validation.

use std::collections::HashSet;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{Outgoing, QueueError, attributes_text};

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
pub(super) const MAX_MESSAGE_BYTES: usize = 1_048_576;
pub(super) const MAX_BATCH_ENTRIES: usize = 10;
pub(super) const MAX_DELAY_SECONDS: u32 = 900;
pub(super) const MAX_VISIBILITY_TIMEOUT_SECONDS: u32 = 43_200;
pub(super) const MAX_WAIT_SECONDS: u32 = 20;
pub(super) const MAX_ENTRY_ID_LETTERS: usize = 80;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ByName {
    pub(super) queue_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ByUrl {
    pub(super) queue_url: String,
    #[serde(default)]
    pub(super) attribute_names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OneMessage {
    pub(super) queue_url: String,
    pub(super) receipt_handle: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ChangeVisibility {
    pub(super) queue_url: String,
    pub(super) receipt_handle: String,
    pub(super) visibility_timeout: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Send {
    pub(super) queue_url: String,
    #[serde(flatten)]
    pub(super) content: Content,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Content {
    pub(super) message_body: String,
    pub(super) delay_seconds: Option<i64>,
    #[serde(default)]
    pub(super) message_attributes: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", bound = "E: DeserializeOwned")]
pub(super) struct Batch<E> {
    pub(super) queue_url: String,
    pub(super) entries: Vec<E>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SendEntry {
    pub(super) id: String,
    #[serde(flatten)]
    pub(super) content: Content,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeleteEntry {
    pub(super) id: String,
    pub(super) receipt_handle: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Receive {
    pub(super) queue_url: String,
    pub(super) max_number_of_messages: Option<i64>,
    pub(super) visibility_timeout: Option<i64>,
    pub(super) wait_time_seconds: Option<i64>,
    #[serde(default)]
    pub(super) attribute_names: Vec<String>,
    #[serde(default)]
    pub(super) message_system_attribute_names: Vec<String>,
    #[serde(default)]
    pub(super) message_attribute_names: Vec<String>,
}

impl Content {
    pub(super) fn into_outgoing(self, sender: &str) -> Result<Outgoing, QueueError> {
        let delay_seconds = match self.delay_seconds {
            Some(seconds) => Some(in_range("DelaySeconds", seconds, 0, MAX_DELAY_SECONDS)?),
            None => None,
        };
        let message = Outgoing {
            body: self.message_body,
            delay_seconds,
            message_attributes: self.message_attributes,
            sender: sender.to_owned(),
        };
        check_message(&message)?;
        Ok(message)
    }
}

/// Validates as SQS does.
pub(super) fn check_message(message: &Outgoing) -> Result<(), QueueError> {
    if message.body.is_empty() {
        return Err(QueueError::Malformed(
            "The request must contain the parameter MessageBody.".to_owned(),
        ));
    }
    if size_bytes(message) > MAX_MESSAGE_BYTES {
        return Err(QueueError::InvalidParameter(format!(
            "One or more parameters are invalid. Reason: Message must be shorter than {MAX_MESSAGE_BYTES} bytes."
        )));
    }
    if let Some(seconds) = message.delay_seconds {
        in_range("DelaySeconds", i64::from(seconds), 0, MAX_DELAY_SECONDS)?;
    }
    let is_allowed = |c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..);
    if message.body.chars().all(is_allowed) {
        Ok(())
    } else {
        Err(QueueError::InvalidContents)
    }
}

pub(super) fn size_bytes(message: &Outgoing) -> usize {
    let attributes = &message.message_attributes;
    message.body.len()
        + if attributes.is_empty() {
            0
        } else {
            attributes_text(attributes).len()
        }
}

pub(super) fn check_ids<'a>(ids: impl ExactSizeIterator<Item = &'a str>) -> Result<(), QueueError> {
    match ids.len() {
        0 => return Err(QueueError::EmptyBatch),
        count if count > MAX_BATCH_ENTRIES => return Err(QueueError::TooManyEntries(count)),
        _ => {}
    }
    let mut seen = HashSet::new();
    for id in ids {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if id.is_empty() || id.len() > MAX_ENTRY_ID_LETTERS || !id.chars().all(is_allowed) {
            return Err(QueueError::InvalidEntryId);
        }
        if !seen.insert(id) {
            return Err(QueueError::IdsNotDistinct(id.to_owned()));
        }
    }
    Ok(())
}

pub(super) fn in_range(parameter: &str, value: i64, least: u32, most: u32) -> Result<u32, QueueError> {
    u32::try_from(value).ok().filter(|value| (least..=most).contains(value)).ok_or_else(|| {
        QueueError::InvalidParameter(format!(
            "Value {value} for parameter {parameter} is invalid. Reason: Must be between {least} and {most}."
        ))
    })
}

/// The queue's name at the end of its URL.
pub(crate) fn name(queue_url: &str) -> &str {
    queue_url.rsplit('/').next().unwrap_or(queue_url)
}

pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, QueueError> {
    serde_json::from_slice(body).map_err(|error| QueueError::Malformed(error.to_string()))
}
