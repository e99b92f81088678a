//! Days in UTC: the unit of the audit log and of the markers of the archive.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::macros::format_description;
use time::{Date, OffsetDateTime};

use super::text::Invalid;
use super::time::Timestamp;

const MILLISECONDS: i64 = 24 * 60 * 60 * 1000;

/// A day of the years 0001 to 9999, counted from 1970-01-01.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i64);

impl Day {
    /// The day of a moment.
    pub const fn of(moment: Timestamp) -> Self {
        Self(moment.milliseconds().div_euclid(MILLISECONDS))
    }

    /// 0001-01-01, the first representable day.
    pub const FIRST: Self = Self::of(Timestamp::FIRST);
    /// 9999-12-31, the last representable day.
    pub const LAST: Self = Self::of(Timestamp::LAST);

    /// Its first moment.
    pub const fn start(self) -> Timestamp {
        Timestamp::from_milliseconds(self.0.saturating_mul(MILLISECONDS))
    }

    /// The first moment after it; for the last day, the last representable moment.
    pub const fn end(self) -> Timestamp {
        Timestamp::from_milliseconds(self.0.saturating_add(1).saturating_mul(MILLISECONDS))
    }

    /// The day after it; none after the last.
    pub fn next(self) -> Option<Self> {
        (self < Self::LAST).then_some(Self(self.0 + 1))
    }

    /// The day before it; none before the first.
    pub fn previous(self) -> Option<Self> {
        (self > Self::FIRST).then_some(Self(self.0 - 1))
    }

    /// How many days this comes after `earlier`; negative if it comes before.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }
}

impl fmt::Display for Day {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = OffsetDateTime::from_unix_timestamp(self.start().seconds()).map_err(|_| fmt::Error)?;
        moment.date().fmt(formatter)
    }
}

impl FromStr for Day {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        // The format would also accept a sign and the year 0.
        let date = Date::parse(text, format_description!("[year]-[month]-[day]"))
            .ok()
            .filter(|date| date.year() >= 1 && text.starts_with(|first: char| first.is_ascii_digit()))
            .ok_or_else(|| Invalid::new("wrong_format", "must be a date such as 2026-01-15"))?;
        let seconds = date.midnight().assume_utc().unix_timestamp();
        Ok(Self::of(Timestamp::from_milliseconds(
            seconds.saturating_mul(1000),
        )))
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Day {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Day".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date", "description": "A day, in UTC.", "examples": ["2026-01-15"] })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn days_sort_as_their_texts_do_and_read_back(
            a in Day::FIRST.0..=Day::LAST.0,
            b in Day::FIRST.0..=Day::LAST.0,
        ) {
            let (a, b) = (Day(a), Day(b));
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
            prop_assert_eq!(a.to_string().parse::<Day>().unwrap(), a);
            prop_assert_eq!(Day::of(a.start()), a);
            prop_assert_eq!(Day::of(a.end().minus(Duration::from_millis(1))), a);
            prop_assert_eq!(a.next().map(|next| (next.start(), next.previous())), (a < Day::LAST).then_some((a.end(), Some(a))));
        }
    }

    #[test]
    fn nothing_comes_before_the_first_day_or_after_the_last() {
        assert_eq!(
            (Day::FIRST.to_string(), Day::LAST.to_string()),
            ("0001-01-01".to_owned(), "9999-12-31".to_owned())
        );
        assert_eq!((Day::FIRST.previous(), Day::LAST.next()), (None, None));
        assert_eq!(
            (Day::FIRST.start(), Day::LAST.end()),
            (Timestamp::FIRST, Timestamp::LAST)
        );
    }

    #[test]
    fn a_day_is_written_as_a_date() {
        assert_eq!(
            Day::of(Timestamp::from_milliseconds(1_768_473_000_000)).to_string(),
            "2026-01-15"
        );
        let none = [
            "",
            "2026-1-5",
            "2026-02-30",
            "2026-01-15T00:00:00Z",
            "20260115",
            "0000-01-01",
            "-0001-01-01",
            "+2026-01-15",
            "10000-01-01",
            "+10000-01-01",
        ];
        for text in none {
            assert!(text.parse::<Day>().is_err(), "{text}");
        }
    }
}
