//! Time ranges in a query: `from` and `to`, each a moment or a date.

use std::borrow::Cow;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error as Refusal, StringDeserializer};
use serde::{Deserialize, Deserializer, Serialize};

use crate::domain::day::Day;
use crate::domain::text::Invalid;
use crate::domain::time::Timestamp;
use crate::error::{Error, Result};

/// One end of a time range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Edge {
    /// The whole day is included.
    Day(Day),
    /// The range begins at this moment, or ends before it.
    Moment(Timestamp),
}

impl Edge {
    fn begins(self) -> Timestamp {
        match self {
            Self::Day(day) => day.start(),
            Self::Moment(moment) => moment,
        }
    }

    fn ends(self) -> Timestamp {
        match self {
            Self::Day(day) => day.end(),
            Self::Moment(moment) => moment,
        }
    }
}

impl<'de> Deserialize<'de> for Edge {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if let Ok(day) = text.parse() {
            return Ok(Self::Day(day));
        }
        let moment: StringDeserializer<Refusal> = text.into_deserializer();
        Timestamp::deserialize(moment).map(Self::Moment).map_err(|_| {
            let reason = "must be a date such as 2026-01-15, or a moment such as 2026-01-15T10:30:00Z";
            serde::de::Error::custom(Invalid::new("wrong_format", reason))
        })
    }
}

impl JsonSchema for Edge {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Edge".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "examples": ["2026-01-15", "2026-01-15T10:30:00Z"] })
    }
}

/// A time range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
}

impl Span {
    /// The range that a query asks for. By default it ends now and is as long as `usual`; it is never longer than
    /// `most_days`.
    ///
    /// A `to` in the future means "everything", however far ahead it is: libraries write `9999-12-31` for an open end.
    /// Nothing is dated later than tomorrow, so the range ends there.
    pub fn of(
        now: Timestamp,
        from: Option<Edge>,
        to: Option<Edge>,
        usual: Duration,
        most_days: i64,
    ) -> Result<Self> {
        let tomorrow = Day::of(now.plus(Duration::from_hours(24)));
        // Includes events of the current millisecond.
        let mut to = to.map_or(now.plus(Duration::from_millis(1)), Edge::ends);
        if from.is_none_or(|from| from.begins() < tomorrow.end()) {
            to = to.min(tomorrow.end());
        }
        let from = from.map_or(to.minus(usual), Edge::begins);
        if from >= to {
            return Err(Error::invalid("from", "out_of_order", "must be before to"));
        }
        let span = Self { from, to };
        let days = span.last_day().since(Day::of(from)) + 1;
        if days > most_days {
            let reason =
                format!("lies {days} days before to; at most {most_days} can be asked about at once");
            return Err(Error::invalid("from", "too_broad", reason));
        }
        Ok(span)
    }

    /// The day of its first moment.
    pub fn first_day(&self) -> Day {
        Day::of(self.from)
    }

    /// The day of its last moment.
    pub fn last_day(&self) -> Day {
        Day::of(self.to.minus(Duration::from_millis(1)))
    }
}
