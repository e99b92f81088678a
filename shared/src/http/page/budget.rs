//! The size limit of a response, and how a response is fitted into it.

use std::io;

use serde::Serialize;

use crate::error::{Error, Result};

/// The maximum size of a list response (contract §1). Lambda returns at most 6 MB, and API Gateway gets the body as a
/// string within JSON; so bytes are counted in that form, with every quote escaped once more.
/// Source: AWS, *Lambda quotas*, invocation payload (response).
pub const ANSWER_LIMIT_BYTES: usize = 5_000_000;
/// Reserved for the other fields of a list: numbers, a cursor, a token, an envelope.
const FIELDS_BYTES: usize = 16_384;

/// Fits rows into a response that has other content too: the last rows are shrunk, as many as necessary; if that is not
/// enough, the last rows are left out. The first row always stays, since no single row exceeds the limit. Returns
/// whether rows were left out.
pub fn fit<T: Serialize>(
    rows: &mut Vec<T>,
    beside: &impl Serialize,
    lighten: impl Fn(&mut T),
) -> Result<bool> {
    fit_into(rows, beside, lighten, ANSWER_LIMIT_BYTES)
}

fn fit_into<T: Serialize>(
    rows: &mut Vec<T>,
    beside: &impl Serialize,
    lighten: impl Fn(&mut T),
    limit: usize,
) -> Result<bool> {
    let room = limit.saturating_sub(FIELDS_BYTES + weight(beside)?);
    // Each with its trailing comma.
    let weigh = |row: &T| weight(row).map(|bytes| bytes + 1);
    let mut weights: Vec<usize> = rows.iter().map(weigh).collect::<Result<_>>()?;
    let mut sum: usize = weights.iter().sum();
    for (row, bytes) in rows.iter_mut().zip(&mut weights).rev() {
        if sum <= room {
            return Ok(false);
        }
        lighten(row);
        let lighter = weigh(row)?;
        sum = sum - *bytes + lighter;
        *bytes = lighter;
    }
    let mut is_cut = false;
    while sum > room && rows.len() > 1 {
        rows.pop();
        sum -= weights.pop().unwrap_or_default();
        is_cut = true;
    }
    Ok(is_cut)
}

/// The size of a value in a function's response, where JSON is escaped within a JSON string.
pub fn weight(value: &impl Serialize) -> Result<usize> {
    let mut scale = Scale(0);
    serde_json::to_writer(&mut scale, value).map_err(Error::internal)?;
    Ok(scale.0)
}

/// Counts the bytes written to it, plus those that the second escaping adds.
struct Scale(usize);

impl io::Write for Scale {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let escaped = bytes.iter().filter(|byte| matches!(byte, b'"' | b'\\')).count();
        self.0 += bytes.len() + escaped;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_value_weighs_what_it_takes_up_escaped_twice(texts in prop::collection::vec("[a-z\"\\\\\n\t\r\u{1}é😀]{0,40}", 0..4)) {
            let once = serde_json::to_string(&texts).unwrap();
            let twice = serde_json::to_string(&once).unwrap();
            // Without the enclosing quotes.
            prop_assert_eq!(weight(&texts).unwrap(), twice.len() - 2);
        }

        /// Rows are shrunk from the end, and left out from the end, no more than necessary.
        #[test]
        fn rows_fit_and_no_more_is_lost_than_need_be(
            sizes in prop::collection::vec(0_usize..200, 0..20), room in 0_usize..2000, light in 0_usize..20
        ) {
            let whole: Vec<String> = sizes.iter().map(|size| "x".repeat(*size)).collect();
            let lighten = |row: &mut String| row.truncate(light);
            let mut rows = whole.clone();
            let nothing: [(); 0] = [];
            let is_cut = fit_into(&mut rows, &nothing, lighten, room + FIELDS_BYTES + 2).unwrap();
            let sum = |rows: &[String]| rows.iter().map(|row| row.len() + 5).sum::<usize>();
            prop_assert_eq!(is_cut, rows.len() < whole.len());
            prop_assert!(rows.len() == 1 || sum(&rows) <= room || rows.is_empty());
            prop_assert_eq!(rows.is_empty(), whole.is_empty());
            let lightened = |from: usize| -> Vec<String> {
                let each = whole.iter().enumerate().map(|(at, row)| {
                    let mut row = row.clone();
                    if at >= from {
                        lighten(&mut row);
                    }
                    row
                });
                each.collect()
            };
            // The longest prefix with which all rows fit; otherwise as many shrunk rows as fit.
            let fitting = (0..=whole.len()).rev().find(|from| sum(&lightened(*from)) <= room);
            if let Some(from) = fitting {
                prop_assert_eq!(rows, lightened(from));
            } else {
                let light = lightened(0);
                let most = (1..=light.len()).rev().find(|count| sum(&light[..*count]) <= room);
                prop_assert_eq!(&rows[..], &light[..most.unwrap_or(1).min(light.len())]);
            }
        }
    }
}
