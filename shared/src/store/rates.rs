//! Rate buckets: exact sliding windows, one write per request for all buckets of a user together.
//!
//! The item holds the moments of what passed within each window. A warm process remembers the item as it wrote
//! it, so that it need not read before it writes, and so that a flood of requests that it has to refuse costs no
//! write at all. A process that remembers nothing bets that nothing passed lately; if it loses, the refused write
//! brings the item. All passing is decided by the condition on the item's version, so no two processes give away
//! the same place.
//!
//! Refused frames are counted in the same item: a connection that goes on sending is closed after
//! [`MOST_REFUSALS`] of them, so they cost at most as many writes a minute.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::item::{Item, number};
use super::keys;
use super::table::{self, Backoff, Condition, Written};
use crate::App;
use crate::domain::ids::{ConnectionId, UserId};
use crate::domain::time::Timestamp;
use crate::error::{Error, Result};
use crate::telemetry::Count;

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bucket {
    /// Message sends of a user.
    Sends,
    /// HTTP requests of a user.
    Requests,
    /// Attempts of a user to connect.
    Connects,
    /// Frames of a connection.
    Frames,
    /// Uploads that a user begins.
    Uploads,
    /// Resumes of a connection.
    Resumes,
    /// The one resume that a connection may have under way. It is [released](release) when the resume ends.
    Resuming,
    /// Frames of a connection that were refused. Nothing passes through it: it counts.
    Refusals,
}

/// After how many refused frames within a minute a connection is closed (contract §3).
pub const MOST_REFUSALS: usize = 20;

impl Bucket {
    const ALL: [Self; 8] = [
        Self::Sends,
        Self::Requests,
        Self::Connects,
        Self::Frames,
        Self::Uploads,
        Self::Resumes,
        Self::Resuming,
        Self::Refusals,
    ];

    const fn attribute(self) -> &'static str {
        match self {
            Self::Sends => "s",
            Self::Requests => "r",
            Self::Connects => "c",
            Self::Frames => "f",
            Self::Uploads => "u",
            Self::Resumes => "m",
            Self::Resuming => "h",
            Self::Refusals => "n",
        }
    }

    fn limit(self, app: &App) -> usize {
        let limits = app.config().limits;
        let limit = match self {
            Self::Sends => limits.sends_per_minute,
            Self::Requests => limits.requests_per_minute,
            Self::Connects => limits.connects_per_minute,
            Self::Frames => limits.frames_per_second,
            Self::Uploads => limits.uploads_per_minute,
            Self::Resumes => limits.resumes_per_minute,
            Self::Resuming => 1,
            Self::Refusals => return MOST_REFUSALS,
        };
        usize::try_from(limit).unwrap_or(usize::MAX)
    }

    const fn window(self) -> Duration {
        match self {
            Self::Sends
            | Self::Requests
            | Self::Connects
            | Self::Uploads
            | Self::Resumes
            | Self::Refusals => Duration::from_mins(1),
            Self::Frames => Duration::from_secs(1),
            // Longer than an invocation may take (29 s): one that died blocks the next one no longer than this.
            Self::Resuming => Duration::from_secs(30),
        }
    }
}

/// Who is limited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A user.
    User(UserId),
    /// A connection.
    Connection(ConnectionId),
}

impl Subject {
    fn name(&self) -> String {
        match self {
            Self::User(user) => format!("U#{user}"),
            Self::Connection(connection) => format!("W#{}", connection.as_str()),
        }
    }
}

/// Where a subject stands in the strictest of the buckets that a request went through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// How many may pass within the window.
    pub limit: usize,
    /// How many still may.
    pub remaining: usize,
    /// When all of them may again.
    pub reset: Timestamp,
}

/// What came of asking to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passage {
    /// None where every bucket is switched off.
    pub standing: Option<Standing>,
    /// Set if a bucket was full: how long until a place is free.
    pub refused: Option<Duration>,
    /// Whether a connection has been refused so often that it is to be closed.
    pub is_flood: bool,
}

impl Passage {
    /// The error of a refusal.
    pub fn admitted(self) -> Result<()> {
        match self.refused {
            Some(retry_after) => Err(Error::RateLimited { retry_after }),
            None => Ok(()),
        }
    }
}

/// What this process remembers of the items that it wrote.
#[derive(Debug, Default)]
pub(crate) struct Memory(Mutex<HashMap<String, Slot>>);

type Slot = Arc<tokio::sync::Mutex<Option<Log>>>;

impl Memory {
    const CAPACITY: usize = 10_000;

    /// The place of one subject. Requests of one user in one process line up there and do not race each other.
    fn slot(&self, subject: &str) -> Slot {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= Self::CAPACITY {
            slots.retain(|_, slot| Arc::strong_count(slot) > 1);
        }
        Arc::clone(slots.entry(subject.to_owned()).or_default())
    }
}

/// The moments that passed, per bucket, oldest first, and the version of the item.
#[derive(Clone, Debug, Default)]
struct Log {
    version: u64,
    passed: [Vec<i64>; Bucket::ALL.len()],
}

/// How often a lost race is run again.
const ATTEMPTS: u32 = 10;

/// Asks to pass through buckets, all or none. A refusal of a connection is counted.
pub async fn pass(app: &App, subject: &Subject, buckets: &[Bucket]) -> Result<Passage> {
    let buckets: Vec<Bucket> = buckets
        .iter()
        .copied()
        .filter(|bucket| bucket.limit(app) > 0)
        .collect();
    if buckets.is_empty() {
        return Ok(Passage {
            standing: None,
            refused: None,
            is_flood: false,
        });
    }
    let passage = change(app, subject, |log, now| {
        let refused = log.wait(app, &buckets, now);
        let counts =
            matches!(subject, Subject::Connection(_)) && log.of(Bucket::Refusals).len() < MOST_REFUSALS;
        match refused {
            None => log.note(&buckets, now),
            Some(_) if counts => log.note(&[Bucket::Refusals], now),
            Some(_) => {}
        }
        let passage = Passage {
            standing: log.standing(app, &buckets, now),
            refused,
            is_flood: refused.is_some() && log.of(Bucket::Refusals).len() >= MOST_REFUSALS,
        };
        if refused.is_none() || counts {
            Change::Write(passage)
        } else {
            Change::None(passage)
        }
    })
    .await?;
    if passage.refused.is_some() {
        app.meter().count(Count::RateLimitHits, 1);
    }
    Ok(passage)
}

/// Gives back the place in a bucket that was passed last.
pub async fn release(app: &App, subject: &Subject, bucket: Bucket) -> Result<()> {
    change(app, subject, |log, _| {
        if let Some(passed) = log.passed.get_mut(bucket as usize) {
            passed.pop();
        }
        Change::Write(())
    })
    .await
}

/// What is done with a subject's log.
enum Change<T> {
    /// It is written as it is now.
    Write(T),
    /// It stays as it was.
    None(T),
}

/// Changes the log of a subject, without the moments that count no more. `decide` is asked again after a lost race.
async fn change<T>(
    app: &App,
    subject: &Subject,
    decide: impl Fn(&mut Log, Timestamp) -> Change<T>,
) -> Result<T> {
    let name = subject.name();
    let slot = app.outside.rates.slot(&name);
    let mut remembered = slot.lock().await;
    let mut backoff = Backoff::new(ATTEMPTS);
    loop {
        let now = app.now();
        let mut log = remembered.clone().unwrap_or_default();
        log.forget_old(now);
        let decided = match decide(&mut log, now) {
            Change::None(decided) => return Ok(decided),
            Change::Write(decided) => decided,
        };
        let condition = match &*remembered {
            Some(before) => {
                Condition::holds(format!("{VERSION} = :version")).value(":version", number(before.version))
            }
            None => Condition::holds(format!(
                "attribute_not_exists({VERSION}) OR {} < :now",
                keys::EXPIRES
            ))
            .value(":now", number(now.seconds())),
        };
        // A version of a forgotten item must not come again: it continues from the clock, not from one.
        log.version = log
            .version
            .max(u64::try_from(now.milliseconds()).unwrap_or_default())
            + 1;
        match table::put(app, log.encode(&name, now), condition).await? {
            Written::Done(_) => {
                *remembered = Some(log);
                return Ok(decided);
            }
            Written::Refused(item) => {
                let was_a_bet = remembered.is_none();
                *remembered = Log::decode(&item)?;
                if !was_a_bet {
                    backoff.wait("passing a rate bucket").await?;
                }
            }
        }
    }
}

const VERSION: &str = "v";

impl Log {
    fn of(&self, bucket: Bucket) -> &[i64] {
        self.passed.get(bucket as usize).map_or(&[], Vec::as_slice)
    }

    fn forget_old(&mut self, now: Timestamp) {
        for (bucket, passed) in Bucket::ALL.iter().zip(&mut self.passed) {
            let oldest = now.minus(bucket.window()).milliseconds();
            passed.retain(|moment| *moment > oldest);
        }
    }

    fn note(&mut self, buckets: &[Bucket], now: Timestamp) {
        for bucket in buckets {
            if let Some(passed) = self.passed.get_mut(*bucket as usize) {
                passed.push(now.milliseconds());
            }
        }
    }

    /// How long until all buckets have a place; none if they have one.
    fn wait(&self, app: &App, buckets: &[Bucket], now: Timestamp) -> Option<Duration> {
        let wait = |bucket: &Bucket| {
            let passed = self.of(*bucket);
            let limit = bucket.limit(app);
            // The place that must become free is that of the moment `limit` before the newest.
            let blocking = passed.len().checked_sub(limit)?;
            let moment = Timestamp::from_milliseconds(*passed.get(blocking)?);
            Some(moment.plus(bucket.window()).since(now))
        };
        buckets.iter().filter_map(wait).max()
    }

    fn standing(&self, app: &App, buckets: &[Bucket], now: Timestamp) -> Option<Standing> {
        let standing = |bucket: &Bucket| {
            let passed = self.of(*bucket);
            let newest = passed
                .last()
                .map_or(now, |moment| Timestamp::from_milliseconds(*moment));
            let limit = bucket.limit(app);
            Standing {
                limit,
                remaining: limit.saturating_sub(passed.len()),
                reset: newest.plus(bucket.window()),
            }
        };
        buckets
            .iter()
            .map(standing)
            .min_by_key(|standing| standing.remaining)
    }

    fn encode(&self, name: &str, now: Timestamp) -> Item {
        let mut item = Item::new(&keys::rate(name))
            .number(VERSION, self.version)
            // Behind the longest window: an item that has expired holds nothing that counts.
            .number(keys::EXPIRES, now.seconds() + 61);
        for (bucket, passed) in Bucket::ALL.iter().zip(&self.passed) {
            if !passed.is_empty() {
                let six_bytes = |moment: &i64| moment.to_be_bytes().into_iter().skip(2);
                item = item.bytes(
                    bucket.attribute(),
                    passed.iter().flat_map(six_bytes).collect::<Vec<u8>>(),
                );
            }
        }
        item
    }

    fn decode(item: &Item) -> Result<Option<Self>> {
        let Some(version) = item.find_number(VERSION)? else {
            return Ok(None);
        };
        let moment = |bytes: &[u8]| {
            bytes
                .iter()
                .fold(0_i64, |moment, byte| moment << 8 | i64::from(*byte))
        };
        let passed = Bucket::ALL.map(|bucket| {
            item.find_bytes(bucket.attribute())
                .unwrap_or_default()
                .chunks_exact(6)
                .map(moment)
                .collect()
        });
        Ok(Some(Self { version, passed }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_log_reads_back_as_it_was_stored(moments in proptest::collection::vec(0_i64..1 << 47, 0..100)) {
            let mut log = Log { version: 7, ..Log::default() };
            log.passed[Bucket::Requests as usize] = moments;
            let stored = Log::decode(&log.encode("x", Timestamp::default())).unwrap().unwrap();
            prop_assert_eq!(stored.passed, log.passed);
            prop_assert_eq!(stored.version, 7);
        }
    }
}
