//! The messages, in `SQLite`.
//!
//! A message is *visible* from `due_ms` on. Before that it is *in flight* if it has a receipt, and *delayed* if not.
//! Receiving sets a new receipt, so that earlier handles become stale; the receipt of an abandoned message is empty.

mod taking;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OptionalExtension, params};

use super::{Depth, Peeked, QueueSpec, State};
pub(super) use taking::Taken;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS message (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        queue TEXT NOT NULL,
        id TEXT NOT NULL,
        body TEXT NOT NULL,
        attributes TEXT NOT NULL,
        sender TEXT NOT NULL,
        source TEXT,
        sent_ms INTEGER NOT NULL,
        due_ms INTEGER NOT NULL,
        expires_ms INTEGER NOT NULL,
        receive_count INTEGER NOT NULL DEFAULT 0,
        first_received_ms INTEGER,
        receipt TEXT
    );
    CREATE INDEX IF NOT EXISTS message_due ON message (queue, due_ms, number);
    CREATE INDEX IF NOT EXISTS message_expires ON message (queue, expires_ms);
    CREATE INDEX IF NOT EXISTS message_received ON message (queue, due_ms) WHERE receipt IS NOT NULL;";

/// A message to store.
pub(super) struct NewMessage<'a> {
    pub(super) id: &'a str,
    pub(super) body: &'a str,
    /// JSON, as the sender gave it.
    pub(super) attributes: &'a str,
    pub(super) sender: &'a str,
    pub(super) due_ms: i64,
}

/// The database of all queues.
pub(super) struct Store {
    connection: Mutex<Connection>,
}

impl Store {
    /// Opens the database, in `folder` or in memory.
    pub(super) fn open(folder: Option<&Path>) -> rusqlite::Result<Self> {
        let connection = match folder {
            Some(folder) => Connection::open(folder.join(super::FILE))?,
            None => Connection::open_in_memory()?,
        };
        // As for the table: with a write-ahead log and without waiting for the disk, a commit is in the kernel when the
        // sender gets the response. It survives `kill -9`, but not a power failure. Nobody else opens the database, so
        // the log's index is in memory, and a transaction needs no file locks.
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "OFF")?;
        connection.set_prepared_statement_cache_capacity(64);
        // Cached statements are planned once, not for each use.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self {
            connection: Mutex::new(connection),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores the messages, all or none.
    pub(super) fn insert(
        &self,
        queue: &QueueSpec,
        messages: &[NewMessage<'_>],
        now_ms: i64,
    ) -> rusqlite::Result<()> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        {
            let mut insert = transaction.prepare_cached(
                "INSERT INTO message (queue, id, body, attributes, sender, sent_ms, due_ms, expires_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?;
            for m in messages {
                let expires_ms = now_ms + queue.retention_ms();
                insert.execute(params![
                    queue.name,
                    m.id,
                    m.body,
                    m.attributes,
                    m.sender,
                    now_ms,
                    m.due_ms,
                    expires_ms
                ])?;
            }
        }
        transaction.commit()
    }

    /// Deletes the message if the receipt is its latest.
    pub(super) fn delete(&self, queue: &str, number: i64, receipt: &str) -> rusqlite::Result<bool> {
        let connection = self.lock();
        let mut delete = connection
            .prepare_cached("DELETE FROM message WHERE number = ?1 AND queue = ?2 AND receipt = ?3")?;
        Ok(delete.execute(params![number, queue, receipt])? > 0)
    }

    /// Empties the receipt if it is the message's latest.
    pub(super) fn give_up(&self, queue: &str, number: i64, receipt: &str) -> rusqlite::Result<()> {
        self.lock()
            .prepare_cached(
                "UPDATE message SET receipt = '' WHERE number = ?1 AND queue = ?2 AND receipt = ?3",
            )?
            .execute(params![number, queue, receipt])
            .map(|_| ())
    }

    /// Sets when the message is visible again, if it is in flight under that receipt.
    pub(super) fn set_due(
        &self,
        queue: &str,
        number: i64,
        receipt: &str,
        due_ms: i64,
        now_ms: i64,
    ) -> rusqlite::Result<bool> {
        let connection = self.lock();
        let mut update = connection.prepare_cached(
            "UPDATE message SET due_ms = ?4
             WHERE number = ?1 AND queue = ?2 AND receipt = ?3 AND due_ms > ?5",
        )?;
        Ok(update.execute(params![number, queue, receipt, due_ms, now_ms])? > 0)
    }

    /// Counts the messages by state.
    pub(super) fn depth(&self, queue: &str, now_ms: i64) -> rusqlite::Result<Depth> {
        let connection = self.lock();
        let mut count = connection.prepare_cached(
            "SELECT COUNT(*) FILTER (WHERE due_ms <= ?2),
                    COUNT(*) FILTER (WHERE due_ms > ?2 AND receipt IS NOT NULL),
                    COUNT(*) FILTER (WHERE due_ms > ?2 AND receipt IS NULL)
             FROM message WHERE queue = ?1 AND expires_ms > ?2",
        )?;
        count.query_row(params![queue, now_ms], |row| {
            Ok(Depth {
                visible: row.get(0)?,
                in_flight: row.get(1)?,
                delayed: row.get(2)?,
            })
        })
    }

    /// Whether any message of the queue is visible or in flight.
    pub(super) fn is_busy(&self, queue: &str, now_ms: i64) -> rusqlite::Result<bool> {
        let connection = self.lock();
        let mut exists = connection.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM message WHERE queue = ?1 AND due_ms <= ?2)
                 OR EXISTS (SELECT 1 FROM message WHERE queue = ?1 AND receipt IS NOT NULL)",
        )?;
        exists.query_row(params![queue, now_ms], |row| row.get(0))
    }

    /// Whether any message of the queue is visible, or in flight and not abandoned.
    pub(super) fn is_at_work(&self, queue: &str, now_ms: i64) -> rusqlite::Result<bool> {
        let connection = self.lock();
        let mut exists = connection.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM message WHERE queue = ?1 AND due_ms <= ?2)
                 OR EXISTS (SELECT 1 FROM message WHERE queue = ?1 AND receipt <> '')",
        )?;
        exists.query_row(params![queue, now_ms], |row| row.get(0))
    }

    /// When the next invisible message becomes visible.
    pub(super) fn next_due_ms(&self, queue: &str, now_ms: i64) -> rusqlite::Result<Option<i64>> {
        let connection = self.lock();
        let mut next = connection.prepare_cached(
            "SELECT due_ms FROM message WHERE queue = ?1 AND due_ms > ?2 ORDER BY due_ms LIMIT 1",
        )?;
        next.query_row(params![queue, now_ms], |row| row.get(0))
            .optional()
    }

    /// Deletes every message.
    pub(super) fn purge(&self, queue: &str) -> rusqlite::Result<usize> {
        self.lock()
            .prepare_cached("DELETE FROM message WHERE queue = ?1")?
            .execute(params![queue])
    }

    /// Makes every message visible, in the order in which they would have become so.
    pub(super) fn make_visible(&self, queue: &str, now_ms: i64) -> rusqlite::Result<usize> {
        self.lock()
            .prepare_cached("UPDATE message SET due_ms = ?2 WHERE queue = ?1 AND due_ms > ?2")?
            .execute(params![queue, now_ms])
    }

    /// Moves every message back, as if newly sent.
    pub(super) fn redrive(
        &self,
        dead_letters: &QueueSpec,
        target: &QueueSpec,
        now_ms: i64,
    ) -> rusqlite::Result<usize> {
        self.lock()
            .prepare_cached(
                "UPDATE message SET queue = ?2, source = NULL, receive_count = 0, receipt = NULL,
                        first_received_ms = NULL, sent_ms = ?3, due_ms = ?3, expires_ms = ?4
                 WHERE queue = ?1 AND (source IS NULL OR source = ?2)",
            )?
            .execute(params![
                dead_letters.name,
                target.name,
                now_ms,
                now_ms + target.retention_ms()
            ])
    }

    /// Lists the messages in the order of sending, without receiving them.
    pub(super) fn peek(&self, queue: &str, now_ms: i64) -> rusqlite::Result<Vec<Peeked>> {
        let connection = self.lock();
        let mut select = connection.prepare_cached(
            "SELECT id, body, sent_ms, due_ms, receive_count, receipt IS NOT NULL
             FROM message WHERE queue = ?1 AND expires_ms > ?2 ORDER BY number",
        )?;
        let rows = select.query_map(params![queue, now_ms], |row| {
            let due_ms: i64 = row.get(3)?;
            let state = match (due_ms <= now_ms, row.get(5)?) {
                (true, _) => State::Visible,
                (false, true) => State::InFlight,
                (false, false) => State::Delayed,
            };
            Ok(Peeked {
                message_id: row.get(0)?,
                body: row.get(1)?,
                sent_ms: row.get(2)?,
                due_ms,
                receive_count: row.get(4)?,
                state,
            })
        })?;
        rows.collect()
    }
}
