//! Receiving: waiting for messages without polling.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::store::Taken;
use super::{QueueError, Queues, Received, md5_hex};

/// Longer waits are shortened to this, so that a deadline can be computed.
const LONGEST_WAIT: Duration = Duration::from_hours(24);

impl Queues {
    /// Receives up to `max` messages. Waits for the first of them, for `wait` at most.
    ///
    /// Cancelling the future loses nothing: taken messages are returned at once.
    pub async fn receive(
        &self,
        queue: &str,
        max: usize,
        wait: Duration,
    ) -> Result<Vec<Received>, QueueError> {
        let visibility_timeout_seconds = self.find(queue)?.spec.visibility_timeout_seconds;
        self.receive_hidden(queue, max, wait, visibility_timeout_seconds)
            .await
    }

    pub(super) async fn receive_hidden(
        &self,
        name: &str,
        max: usize,
        wait: Duration,
        visibility_timeout_seconds: u32,
    ) -> Result<Vec<Received>, QueueError> {
        let deadline = Instant::now() + wait.min(LONGEST_WAIT);
        let mut arrivals = self.find(name)?.arrivals.subscribe();
        loop {
            arrivals.mark_unchanged();
            let now_ms = self.now_ms();
            let received = self.try_receive(name, max, visibility_timeout_seconds, now_ms)?;
            if !received.is_empty() || Instant::now() >= deadline {
                return Ok(received);
            }
            // Computed at the same moment, or a message that becomes due in between would be missed.
            let next_due_ms = self.store.next_due_ms(name, now_ms)?;
            let until_due_ms = next_due_ms.map(|due_ms| due_ms - now_ms);
            let wake = until_due_ms.map_or(deadline, |until_due_ms| {
                // At least 5 ms, so that a stopped clock does not make this a busy loop.
                let pause_ms = u64::try_from(until_due_ms).unwrap_or_default().max(5);
                deadline.min(Instant::now() + Duration::from_millis(pause_ms))
            });
            tokio::select! {
                changed = arrivals.changed() => if changed.is_err() { return Ok(received) },
                () = tokio::time::sleep_until(wake) => {}
            }
        }
    }

    fn try_receive(
        &self,
        name: &str,
        max: usize,
        visibility_timeout_seconds: u32,
        now_ms: i64,
    ) -> Result<Vec<Received>, QueueError> {
        let queue = self.find(name)?;
        let dead_letters = queue
            .spec
            .dead_letter_queue
            .as_deref()
            .and_then(|name| self.find(name).ok());
        let attempt = self.store.take(
            &queue.spec,
            dead_letters.as_ref().map(|queue| &*queue.spec),
            max,
            now_ms + i64::from(visibility_timeout_seconds) * 1000,
            self.delivery().order(),
            now_ms,
        )?;
        if attempt.removed_count > 0 {
            self.departures.send_replace(());
            if let Some(dead_letters) = dead_letters {
                dead_letters.arrivals.send_replace(());
            }
        }
        Ok(attempt
            .taken
            .into_iter()
            .map(|taken| self.received(taken))
            .collect())
    }

    fn received(&self, taken: Taken) -> Received {
        let mut attributes = BTreeMap::from([
            (
                "ApproximateFirstReceiveTimestamp".to_owned(),
                taken.first_received_ms.to_string(),
            ),
            (
                "ApproximateReceiveCount".to_owned(),
                taken.receive_count.to_string(),
            ),
            ("SenderId".to_owned(), taken.sender),
            ("SentTimestamp".to_owned(), taken.sent_ms.to_string()),
        ]);
        if let Some(source) = taken.source.and_then(|source| self.find(&source).ok()) {
            attributes.insert("DeadLetterQueueSourceArn".to_owned(), source.spec.arn());
        }
        Received {
            message_id: taken.id,
            receipt_handle: format!("{}.{}", taken.number, taken.receipt),
            md5_of_body: md5_hex(&taken.body),
            body: taken.body,
            attributes,
            message_attributes: serde_json::from_str(&taken.attributes).unwrap_or_default(),
        }
    }
}
