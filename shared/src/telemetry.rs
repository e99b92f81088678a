//! Telemetry: one JSON line per invocation, with CloudWatch embedded metrics.
//!
//! A line says which function ran, for which request, with what result, how long it took and what it cost. It never
//! contains a token, a body, a text, an e-mail or an address; nor ids of users and conversations, because a line per
//! request would then record who talks to whom.
//! Source of the metric format: AWS, *CloudWatch embedded metric format specification*.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::domain::time::Timestamp;

/// The calls and costs of one invocation.
#[derive(Debug, Default)]
pub struct Meter {
    calls: AtomicU64,
    read_units_tenths: AtomicU64,
    write_units_tenths: AtomicU64,
    counts: [AtomicU64; Count::ALL.len()],
}

/// What is counted as a metric (S1-Q02).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Messages stored.
    MessagesSent,
    /// Frames handed to connections.
    Deliveries,
    /// Connections found gone.
    GoneConnections,
    /// Requests and frames refused by a rate limit.
    RateLimitHits,
    /// Connections opened.
    Connects,
    /// Connections closed.
    Disconnects,
    /// Lost races for the next number of a log.
    Contentions,
}

impl Count {
    /// Every metric.
    pub const ALL: [Self; 7] = [
        Self::MessagesSent,
        Self::Deliveries,
        Self::GoneConnections,
        Self::RateLimitHits,
        Self::Connects,
        Self::Disconnects,
        Self::Contentions,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::MessagesSent => "messages_sent",
            Self::Deliveries => "deliveries",
            Self::GoneConnections => "gone_connections",
            Self::RateLimitHits => "rate_limit_hits",
            Self::Connects => "connects",
            Self::Disconnects => "disconnects",
            Self::Contentions => "contentions",
        }
    }
}

impl Meter {
    /// Counts a request to an AWS service.
    pub fn call(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    /// Adds read capacity units.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "units are small and positive"
    )]
    pub fn read(&self, units: f64) {
        self.read_units_tenths
            .fetch_add((units * 10.0).round() as u64, Ordering::Relaxed);
    }

    /// Adds write capacity units.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "units are small and positive"
    )]
    pub fn write(&self, units: f64) {
        self.write_units_tenths
            .fetch_add((units * 10.0).round() as u64, Ordering::Relaxed);
    }

    /// Adds to a metric.
    pub fn count(&self, count: Count, by: u64) {
        if let Some(counter) = self.counts.get(count as usize) {
            counter.fetch_add(by, Ordering::Relaxed);
        }
    }

    /// Read and write capacity units so far.
    #[expect(clippy::cast_precision_loss, reason = "tenths of units stay far below 2^52")]
    pub fn units(&self) -> (f64, f64) {
        let tenths = |counter: &AtomicU64| counter.load(Ordering::Relaxed) as f64 / 10.0;
        (tenths(&self.read_units_tenths), tenths(&self.write_units_tenths))
    }

    /// Requests to AWS services so far.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }
}

/// Where log lines go.
pub type Sink = Arc<dyn Fn(&str) + Send + Sync>;

/// Standard output, which Lambda sends to CloudWatch.
pub fn standard_output() -> Sink {
    Arc::new(|line| {
        // If the log cannot be written, there is nobody to tell.
        writeln!(std::io::stdout().lock(), "{line}").ok();
    })
}

/// The result of an invocation.
#[derive(Clone, Debug)]
pub struct Outcome<'a> {
    /// The function.
    pub function: &'a str,
    /// The request id that the client got, or Lambda's own.
    pub request_id: &'a str,
    /// The route: `POST /api/…`, a WebSocket route key or a queue.
    pub route: &'a str,
    /// The status of the answer.
    pub status: u16,
    /// What went wrong, with its causes.
    pub error: Option<String>,
    /// How long it took.
    pub duration: Duration,
    /// When it ended.
    pub at: Timestamp,
}

/// A log line: its fields, and which of them are metrics.
#[derive(Serialize)]
struct Line<'a> {
    timestamp: Timestamp,
    level: &'static str,
    function: &'a str,
    request_id: &'a str,
    route: &'a str,
    status: u16,
    aws_calls: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    duration_ms: f64,
    read_units: f64,
    write_units: f64,
    /// Only those that are not zero.
    #[serde(flatten, serialize_with = "entries")]
    counts: &'a [(&'static str, u64)],
    #[serde(rename = "_aws")]
    aws: Embedded<'a>,
}

fn entries<S: Serializer>(counts: &&[(&'static str, u64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(counts.iter().copied())
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Embedded<'a> {
    timestamp: i64,
    cloud_watch_metrics: [Directive<'a>; 1],
}

/// The metrics and their dimensions.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive<'a> {
    namespace: &'static str,
    dimensions: [[&'static str; 1]; 1],
    metrics: &'a [Metric],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metric {
    name: &'static str,
    unit: &'static str,
}

/// The log line of an invocation.
pub fn line(outcome: &Outcome<'_>, meter: &Meter) -> String {
    let (read_units, write_units) = meter.units();
    let level = match (outcome.status, &outcome.error) {
        (500.., _) => "ERROR",
        (_, Some(_)) => "WARN",
        _ => "INFO",
    };
    #[expect(
        clippy::cast_precision_loss,
        reason = "an invocation lasts minutes at the most"
    )]
    let duration_ms = (outcome.duration.as_micros() as f64) / 1000.0;
    let counts = Count::ALL.iter().zip(&meter.counts);
    let counts = counts.map(|(count, counter)| (count.name(), counter.load(Ordering::Relaxed)));
    let counts: Vec<_> = counts.filter(|(_, value)| *value > 0).collect();
    let duration = Metric {
        name: "duration_ms",
        unit: "Milliseconds",
    };
    let names = ["read_units", "write_units"].into_iter();
    let names = names.chain(counts.iter().map(|(name, _)| *name));
    let counted = names.map(|name| Metric { name, unit: "Count" });
    let metrics: Vec<_> = std::iter::once(duration).chain(counted).collect();
    let line = Line {
        timestamp: outcome.at,
        level,
        function: outcome.function,
        request_id: outcome.request_id,
        route: outcome.route,
        status: outcome.status,
        aws_calls: meter.calls(),
        error: outcome.error.as_deref(),
        duration_ms,
        read_units,
        write_units,
        counts: &counts,
        aws: Embedded {
            timestamp: outcome.at.milliseconds(),
            cloud_watch_metrics: [Directive {
                namespace: "Tidings",
                dimensions: [["function"]],
                metrics: &metrics,
            }],
        },
    };
    // A map with text keys and number values cannot fail to serialize.
    serde_json::to_string(&line).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn a_line_is_json_with_its_metrics_declared() {
        let meter = Meter::default();
        meter.read(1.5);
        meter.write(3.0);
        meter.count(Count::MessagesSent, 1);
        let outcome = Outcome {
            function: "send-message",
            request_id: "r",
            route: "POST /x",
            status: 201,
            error: None,
            duration: Duration::from_micros(1500),
            at: Timestamp::from_milliseconds(0),
        };
        let line: Value = serde_json::from_str(&line(&outcome, &meter)).unwrap();
        assert_eq!(line["read_units"], 1.5);
        assert_eq!(line["duration_ms"], 1.5);
        for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]
            .as_array()
            .unwrap()
        {
            assert!(line[metric["Name"].as_str().unwrap()].is_number(), "{metric}");
        }
    }
}
