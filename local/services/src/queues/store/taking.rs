//! Taking messages: hiding them from other receivers, or moving them to the dead-letter queue.

use rusqlite::{Connection, Row, Transaction, TransactionBehavior, params};

use super::Store;
use crate::queues::message::{Order, QueueSpec};

/// A message as it was taken.
pub(in crate::queues) struct Taken {
    pub(in crate::queues) number: i64,
    pub(in crate::queues) id: String,
    pub(in crate::queues) body: String,
    pub(in crate::queues) attributes: String,
    pub(in crate::queues) sender: String,
    pub(in crate::queues) source: Option<String>,
    pub(in crate::queues) sent_ms: i64,
    pub(in crate::queues) receive_count: u32,
    pub(in crate::queues) first_received_ms: i64,
    pub(in crate::queues) receipt: String,
}

/// The result of one attempt to receive.
#[derive(Default)]
pub(in crate::queues) struct Attempt {
    pub(in crate::queues) taken: Vec<Taken>,
    /// How many messages went to the dead-letter queue or expired.
    pub(in crate::queues) removed_count: usize,
}

impl Store {
    /// Takes up to `max` visible messages and hides them until `hidden_until_ms`; those received
    /// too often go to `dead_letters` instead.
    pub(in crate::queues) fn take(
        &self,
        queue: &QueueSpec,
        dead_letters: Option<&QueueSpec>,
        max: usize,
        hidden_until_ms: i64,
        order: Order,
        now_ms: i64,
    ) -> rusqlite::Result<Attempt> {
        let mut connection = self.lock();
        if !has_work(&connection, &queue.name, now_ms)? {
            return Ok(Attempt::default());
        }
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let removed_count = transaction
            .prepare_cached("DELETE FROM message WHERE queue = ?1 AND expires_ms <= ?2")?
            .execute(params![queue.name, now_ms])?;
        let mut attempt = Attempt {
            taken: Vec::new(),
            removed_count,
        };
        while attempt.taken.len() < max {
            let found = visible(
                &transaction,
                &queue.name,
                max - attempt.taken.len(),
                order,
                now_ms,
            )?;
            if found.is_empty() {
                break;
            }
            for mut message in found {
                match (queue.max_receive_count, dead_letters) {
                    (Some(limit), Some(dead_letters)) if message.receive_count >= limit => {
                        bury(&transaction, &message, queue, dead_letters, now_ms)?;
                        attempt.removed_count += 1;
                    }
                    _ => {
                        mark_taken(&transaction, &mut message, hidden_until_ms)?;
                        attempt.taken.push(message);
                    }
                }
            }
            if hidden_until_ms <= now_ms {
                // With a timeout of zero they are visible again, so the next round would find them.
                break;
            }
        }
        transaction.commit()?;
        Ok(attempt)
    }
}

/// Whether there is anything to take or to remove: usually not, and a query is cheaper than a transaction.
fn has_work(connection: &Connection, queue: &str, now_ms: i64) -> rusqlite::Result<bool> {
    connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM message WHERE queue = ?1 AND due_ms <= ?2)
                 OR EXISTS (SELECT 1 FROM message WHERE queue = ?1 AND expires_ms <= ?2)",
        )?
        .query_row(params![queue, now_ms], |row| row.get(0))
}

fn visible(
    transaction: &Transaction<'_>,
    queue: &str,
    max: usize,
    order: Order,
    now_ms: i64,
) -> rusqlite::Result<Vec<Taken>> {
    let order = match order {
        Order::ByTime => "due_ms, number",
        Order::Shuffled => "random()",
    };
    let mut select = transaction.prepare_cached(&format!(
        "SELECT number, id, body, attributes, sender, source, sent_ms, receive_count, first_received_ms
         FROM message WHERE queue = ?1 AND due_ms <= ?2 ORDER BY {order} LIMIT ?3"
    ))?;
    let limit = i64::try_from(max).unwrap_or(i64::MAX);
    let rows = select.query_map(params![queue, now_ms, limit], |row| taken(row, now_ms))?;
    rows.collect()
}

fn taken(row: &Row<'_>, now_ms: i64) -> rusqlite::Result<Taken> {
    Ok(Taken {
        number: row.get(0)?,
        id: row.get(1)?,
        body: row.get(2)?,
        attributes: row.get(3)?,
        sender: row.get(4)?,
        source: row.get(5)?,
        sent_ms: row.get(6)?,
        receive_count: row.get(7)?,
        first_received_ms: row.get::<_, Option<i64>>(8)?.unwrap_or(now_ms),
        receipt: uuid::Uuid::new_v4().simple().to_string(),
    })
}

fn mark_taken(transaction: &Transaction<'_>, message: &mut Taken, due_ms: i64) -> rusqlite::Result<()> {
    message.receive_count += 1;
    transaction
        .prepare_cached(
            "UPDATE message SET receipt = ?2, receive_count = ?3, first_received_ms = ?4, due_ms = ?5
             WHERE number = ?1",
        )?
        .execute(params![
            message.number,
            message.receipt,
            message.receive_count,
            message.first_received_ms,
            due_ms
        ])?;
    Ok(())
}

/// Moves a message to the dead-letter queue; its age still counts from when it was sent.
fn bury(
    transaction: &Transaction<'_>,
    message: &Taken,
    queue: &QueueSpec,
    dead_letters: &QueueSpec,
    now_ms: i64,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "UPDATE message SET queue = ?2, source = ?3, receipt = NULL, due_ms = ?4, expires_ms = ?5
             WHERE number = ?1",
        )?
        .execute(params![
            message.number,
            dead_letters.name,
            queue.name,
            now_ms,
            message.sent_ms + dead_letters.retention_ms()
        ])?;
    Ok(())
}
