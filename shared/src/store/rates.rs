//! Rate limits: exact sliding windows, one write per request for all limits of a user together.
//!
//! The item of a subject holds the timestamps of the admitted requests within each window. A warm process remembers the
//! item as it wrote it, so it need not read before it writes, and a flood of refused requests costs no writes. A
//! process without memory of a subject assumes that there is no item; if there is one, the refused write returns it.
//! Each write is conditional on the item's version, so no two processes can admit the same request twice.
//!
//! Refused frames are counted in the same item: a connection is closed after [`MOST_REFUSALS`] of them, so they cost at
//! most that many writes a minute.

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

/// A rate limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateLimit {
    /// Messages that a user sends.
    Sends,
    /// HTTP requests of a user.
    Requests,
    /// A user's attempts to connect.
    Connects,
    /// Frames of a connection.
    Frames,
    /// Uploads that a user starts.
    Uploads,
    /// Resumes of a connection.
    Resumes,
    /// At most one concurrent resume per connection. It is [released](release) when the resume ends.
    Resuming,
    /// Refused frames of a connection. This only counts; it refuses nothing.
    Refusals,
}

/// How many refused frames within a minute close a connection (contract §3).
pub const MOST_REFUSALS: usize = 20;

impl RateLimit {
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

    fn allowed(self, app: &App) -> usize {
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
            // Longer than the timeout of an invocation (29 s): a resume that died blocks the next one for no longer
            // than this.
            Self::Resuming => Duration::from_secs(30),
        }
    }
}

/// Whose requests are limited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RateSubject {
    /// A user.
    User(UserId),
    /// A connection.
    Connection(ConnectionId),
}

impl RateSubject {
    fn name(&self) -> String {
        match self {
            Self::User(user) => format!("U#{user}"),
            Self::Connection(connection) => format!("W#{}", connection.as_str()),
        }
    }
}

/// The state of the strictest limit that a request was counted against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// How many requests are allowed within the window.
    pub limit: usize,
    /// How many are left.
    pub remaining: usize,
    /// When all of them are available again.
    pub reset: Timestamp,
}

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passage {
    /// None if every limit is switched off.
    pub standing: Option<Standing>,
    /// How long to wait, if a limit is exceeded.
    pub refused: Option<Duration>,
    /// Whether the connection exceeded [`MOST_REFUSALS`] and must be closed.
    pub is_flood: bool,
}

impl Passage {
    /// The error, if the request was refused.
    pub fn admitted(self) -> Result<()> {
        match self.refused {
            Some(retry_after) => Err(Error::RateLimited { retry_after }),
            None => Ok(()),
        }
    }
}

/// The items that this process wrote last.
#[derive(Debug, Default)]
struct Memory(Mutex<HashMap<String, Slot>>);

type Slot = Arc<tokio::sync::Mutex<Option<History>>>;

impl Memory {
    const CAPACITY: usize = 10_000;

    /// The slot of one subject. Concurrent requests of one user in one process wait here instead of racing each other.
    fn slot(&self, subject: &str) -> Slot {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= Self::CAPACITY {
            slots.retain(|_, slot| Arc::strong_count(slot) > 1);
        }
        Arc::clone(slots.entry(subject.to_owned()).or_default())
    }
}

/// The timestamps per limit, oldest first, and the version of the item.
#[derive(Clone, Debug, Default)]
struct History {
    version: u64,
    passed: [Vec<i64>; RateLimit::ALL.len()],
}

/// How often a write is tried again after a lost race.
const ATTEMPTS: u32 = 10;

/// Counts a request against several limits, all or none. A refusal of a connection is counted.
pub async fn pass(app: &App, subject: &RateSubject, limits: &[RateLimit]) -> Result<Passage> {
    let limits: Vec<RateLimit> = limits
        .iter()
        .copied()
        .filter(|limit| limit.allowed(app) > 0)
        .collect();
    if limits.is_empty() {
        return Ok(Passage {
            standing: None,
            refused: None,
            is_flood: false,
        });
    }
    let passage = change(app, subject, |history, now| {
        let refused = history.wait(app, &limits, now);
        let counts = matches!(subject, RateSubject::Connection(_))
            && history.of(RateLimit::Refusals).len() < MOST_REFUSALS;
        match refused {
            None => history.note(&limits, now),
            Some(_) if counts => history.note(&[RateLimit::Refusals], now),
            Some(_) => {}
        }
        let passage = Passage {
            standing: history.standing(app, &limits, now),
            refused,
            is_flood: refused.is_some() && history.of(RateLimit::Refusals).len() >= MOST_REFUSALS,
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

/// Gives back the newest use of a limit.
pub async fn release(app: &App, subject: &RateSubject, limit: RateLimit) -> Result<()> {
    change(app, subject, |history, _| {
        if let Some(passed) = history.passed.get_mut(limit as usize) {
            passed.pop();
        }
        Change::Write(())
    })
    .await
}

/// What to do with a subject's history.
enum Change<T> {
    /// Write it.
    Write(T),
    /// Leave it unchanged.
    None(T),
}

/// Changes the history of a subject, without expired timestamps. `decide` is called again after a lost race.
async fn change<T>(
    app: &App,
    subject: &RateSubject,
    decide: impl Fn(&mut History, Timestamp) -> Change<T>,
) -> Result<T> {
    let name = subject.name();
    let slot = app.remembered::<Memory>().slot(&name);
    let mut remembered = slot.lock().await;
    let mut backoff = Backoff::new(ATTEMPTS);
    loop {
        let now = app.now();
        let mut history = remembered.clone().unwrap_or_default();
        history.forget_old(now);
        let decided = match decide(&mut history, now) {
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
        // A version must never repeat after the item expired, so it continues from the clock, not from one.
        history.version = history
            .version
            .max(u64::try_from(now.milliseconds()).unwrap_or_default())
            + 1;
        match table::put(app, history.encode(&name, now), condition).await? {
            Written::Done(_) => {
                *remembered = Some(history);
                return Ok(decided);
            }
            Written::Refused(item) => {
                let was_a_bet = remembered.is_none();
                *remembered = History::decode(&item)?;
                if !was_a_bet {
                    backoff.wait("passing a rate limit").await?;
                }
            }
        }
    }
}

const VERSION: &str = "v";

impl History {
    fn of(&self, limit: RateLimit) -> &[i64] {
        self.passed.get(limit as usize).map_or(&[], Vec::as_slice)
    }

    fn forget_old(&mut self, now: Timestamp) {
        for (limit, passed) in RateLimit::ALL.iter().zip(&mut self.passed) {
            let oldest = now.minus(limit.window()).milliseconds();
            passed.retain(|moment| *moment > oldest);
        }
    }

    fn note(&mut self, limits: &[RateLimit], now: Timestamp) {
        for limit in limits {
            if let Some(passed) = self.passed.get_mut(*limit as usize) {
                passed.push(now.milliseconds());
            }
        }
    }

    /// How long until all limits admit a request; none if they do now.
    fn wait(&self, app: &App, limits: &[RateLimit], now: Timestamp) -> Option<Duration> {
        let wait = |limit: &RateLimit| {
            let passed = self.of(*limit);
            let allowed = limit.allowed(app);
            // The request that must leave the window is the one `allowed` before the newest.
            let blocking = passed.len().checked_sub(allowed)?;
            let moment = Timestamp::from_milliseconds(*passed.get(blocking)?);
            Some(moment.plus(limit.window()).since(now))
        };
        limits.iter().filter_map(wait).max()
    }

    fn standing(&self, app: &App, limits: &[RateLimit], now: Timestamp) -> Option<Standing> {
        let standing = |limit: &RateLimit| {
            let passed = self.of(*limit);
            let newest = passed
                .last()
                .map_or(now, |moment| Timestamp::from_milliseconds(*moment));
            let allowed = limit.allowed(app);
            Standing {
                limit: allowed,
                remaining: allowed.saturating_sub(passed.len()),
                reset: newest.plus(limit.window()),
            }
        };
        limits
            .iter()
            .map(standing)
            .min_by_key(|standing| standing.remaining)
    }

    fn encode(&self, name: &str, now: Timestamp) -> Item {
        let mut item = Item::new(&keys::rate(name))
            .number(VERSION, self.version)
            // After the longest window: an expired item holds nothing that counts.
            .number(keys::EXPIRES, now.seconds() + 61);
        for (limit, passed) in RateLimit::ALL.iter().zip(&self.passed) {
            if !passed.is_empty() {
                let six_bytes = |moment: &i64| moment.to_be_bytes().into_iter().skip(2);
                item = item.bytes(
                    limit.attribute(),
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
        let passed = RateLimit::ALL.map(|limit| {
            item.find_bytes(limit.attribute())
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
            let mut history = History { version: 7, ..History::default() };
            history.passed[RateLimit::Requests as usize] = moments;
            let stored = History::decode(&history.encode("x", Timestamp::default())).unwrap().unwrap();
            prop_assert_eq!(stored.passed, history.passed);
            prop_assert_eq!(stored.version, 7);
        }
    }
}
