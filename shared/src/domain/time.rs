//! Timestamps: RFC 3339 in UTC with milliseconds and `Z` for clients, milliseconds in the table.
//!
//! RFC 3339 has four-digit years, so a [`Timestamp`] lies within the years 0001 to 9999. Arithmetic is clamped to
//! [`Timestamp::FIRST`] and [`Timestamp::LAST`]; every value can be formatted.

use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

/// A moment of the years 0001 to 9999, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 0001-01-01T00:00:00.000Z, the first representable moment.
    pub const FIRST: Self = Self(-62_135_596_800_000);
    /// 9999-12-31T23:59:59.999Z, the last representable moment.
    pub const LAST: Self = Self(253_402_300_799_999);

    /// A moment from milliseconds since 1970, clamped to the representable range.
    pub const fn from_milliseconds(milliseconds: i64) -> Self {
        if milliseconds < Self::FIRST.0 {
            Self::FIRST
        } else if milliseconds > Self::LAST.0 {
            Self::LAST
        } else {
            Self(milliseconds)
        }
    }

    /// Milliseconds since 1970.
    pub const fn milliseconds(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, rounded down: the unit of DynamoDB's TTL and of a token's `exp`.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The moment this much later, at most [`Timestamp::LAST`].
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let milliseconds = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self::from_milliseconds(self.0.saturating_add(milliseconds))
    }

    /// The moment this much earlier, at least [`Timestamp::FIRST`].
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        let milliseconds = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self::from_milliseconds(self.0.saturating_sub(milliseconds))
    }

    /// The time since `earlier`; zero if this is not later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const FORMAT: &[time::format_description::BorrowedFormatItem<'_>] =
            format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
        let text = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .ok()
            .and_then(|moment| moment.format(FORMAT).ok())
            .ok_or(fmt::Error)?;
        formatter.write_str(&text)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Parses RFC 3339. A moment that leaves the years 0001 to 9999 only by its offset is clamped: libraries write such
/// values for an open end (`datetime.max` with an offset).
impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let moment = OffsetDateTime::parse(&text, &Rfc3339).map_err(serde::de::Error::custom)?;
        if moment.year() < 1 {
            return Err(serde::de::Error::custom("the year must lie within 0001 and 9999"));
        }
        let milliseconds = moment.unix_timestamp_nanos().div_euclid(1_000_000);
        i64::try_from(milliseconds)
            .map(Self::from_milliseconds)
            .map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Timestamp {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "date-time",
            "description": "RFC 3339, UTC, with milliseconds.",
            "examples": ["2026-01-15T10:30:00.000Z"]
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::day::Day;

    proptest! {
        #[test]
        fn every_moment_is_written_and_reads_back(milliseconds in milliseconds()) {
            let moment = Timestamp::from_milliseconds(milliseconds);
            let text = serde_json::to_string(&moment).unwrap();
            prop_assert_eq!(text.len(), "\"2026-01-15T10:30:00.000Z\"".len());
            prop_assert_eq!(serde_json::from_str::<Timestamp>(&text).unwrap(), moment);
            prop_assert_eq!(Day::of(moment).to_string(), &text[1..11]);
        }

        #[test]
        fn moments_sort_as_their_texts_do(a in milliseconds(), b in milliseconds()) {
            let (a, b) = (Timestamp::from_milliseconds(a), Timestamp::from_milliseconds(b));
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
        }

        #[test]
        fn arithmetic_never_leaves_the_years_that_can_be_written(
            milliseconds in milliseconds(),
            duration in prop_oneof![any::<u64>(), 0_u64..1_000_000_000_000],
        ) {
            let (moment, duration) = (Timestamp::from_milliseconds(milliseconds), Duration::from_millis(duration));
            for other in [moment.plus(duration), moment.minus(duration)] {
                prop_assert!((Timestamp::FIRST..=Timestamp::LAST).contains(&other));
                prop_assert_eq!(other.to_string().len(), 24);
            }
            prop_assert!(moment.plus(duration).since(moment) <= duration);
        }

        #[test]
        fn any_text_is_a_moment_that_can_be_written_or_none(
            year in 0_u32..=9999, month in 0_u32..=13, day in 0_u32..=32, hour in 0_u32..=24, second in 0_u32..=60,
            sign in "[+-]", offset in 0_u32..=24,
        ) {
            let text = format!("\"{year:04}-{month:02}-{day:02}T{hour:02}:59:{second:02}{sign}{offset:02}:59\"");
            if let Ok(moment) = serde_json::from_str::<Timestamp>(&text) {
                prop_assert!(year > 0);
                prop_assert_eq!(moment.to_string().len(), 24);
            }
        }
    }

    /// The whole range, and the neighbourhood of its ends.
    fn milliseconds() -> impl Strategy<Value = i64> {
        let about = |edge: Timestamp| edge.milliseconds() - 100_000..edge.milliseconds() + 100_000;
        prop_oneof![
            any::<i64>(),
            Timestamp::FIRST.milliseconds()..=Timestamp::LAST.milliseconds(),
            about(Timestamp::FIRST),
            about(Timestamp::LAST),
        ]
    }

    /// What Python writes for `datetime.min` and `datetime.max` with an offset.
    #[test]
    fn an_offset_that_leads_out_of_the_years_leads_to_the_first_or_the_last_moment() {
        let read = |text: &str| serde_json::from_value::<Timestamp>(text.into()).ok();
        assert_eq!(read("9999-12-31T23:59:59.999999-05:00"), Some(Timestamp::LAST));
        assert_eq!(read("0001-01-01T00:00:00+14:00"), Some(Timestamp::FIRST));
        assert_eq!(read("9999-12-31T23:59:59.999999Z"), Some(Timestamp::LAST));
        assert_eq!(read("0000-12-31T23:59:59-14:00"), None);
        assert_eq!(read("10000-01-01T00:00:00Z"), None);
        assert_eq!(read("-0001-01-01T00:00:00Z"), None);
    }

    #[test]
    fn a_moment_is_written_in_utc_with_milliseconds() {
        assert_eq!(
            Timestamp::from_milliseconds(1_768_473_000_000).to_string(),
            "2026-01-15T10:30:00.000Z"
        );
    }
}
