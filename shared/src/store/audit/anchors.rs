//! Anchors: earlier ends of the chain, stored outside the table where they cannot be changed.
//!
//! In every minute in which the log has grown, a chore writes the end of the chain to a bucket with Object Lock
//! ([`anchor`]). Its role may only add objects. So rewriting the table, even with the key, contradicts earlier anchors;
//! and removing entries, or restoring an older end, leaves anchors of what is gone.
//!
//! The name of an object holds everything, so [`verify`](super::verify()) only lists the names: `anchors/<day>/<number,
//! 12 digits>-<hash>-<signature>`. Because the name includes the hash, nobody can occupy the name of a later anchor in
//! advance.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::head::{End, end};
use super::{Position, keys_of};
use crate::App;
use crate::blob;
use crate::domain::audit::{Hash, Keys, hex};
use crate::domain::day::Day;
use crate::error::Result;
use crate::store::{Worker, keys};

/// Writes an anchor of the current end of the chain. Idempotent.
///
/// # Errors
/// [`Error::AuditUnavailable`](crate::Error::AuditUnavailable) if the end is lost: it must not be anchored anew.
pub async fn anchor(app: &App, _: Worker) -> Result<()> {
    match end(app).await? {
        End::NotBegun => Ok(()),
        End::Lost(loss) => Err(loss.error()),
        End::At(head) => {
            let anchor = Anchor {
                position: head.position,
                hash: head.hash,
            };
            let keys = keys_of(app)?;
            let (anchor, name) = (anchor.signed_part(), anchor.name(keys));
            let body = json!({ "anchor": anchor, "signature": hex(&keys.sign(&anchor)) });
            blob::put_anchor(app, &name, body.to_string()).await
        }
    }
}

/// An entry that was the last one when the anchor was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Anchor {
    pub(super) position: Position,
    pub(super) hash: Hash,
}

impl Anchor {
    /// The signed data. `kind` distinguishes it from entries and the end of the chain.
    fn signed_part(&self) -> Value {
        json!({
            "kind": "anchor",
            "day": self.position.day,
            "number": self.position.number,
            "hash": hex(&self.hash),
        })
    }

    fn name(&self, keys: &Keys) -> String {
        format!(
            "{}/{}-{}-{}",
            self.position.day,
            keys::entry_sort(self.position.number),
            hex(&self.hash),
            hex(&keys.sign(&self.signed_part()))
        )
    }

    /// Parses a name; none unless it is an anchor signed with one of the keys.
    fn from_name(keys: &Keys, name: &str) -> Option<Self> {
        let (day, rest) = name.split_once('/')?;
        let mut parts = rest.split('-');
        let position = Position {
            day: day.parse().ok()?,
            number: parts.next()?.parse().ok()?,
        };
        let (hash, signature) = (from_hex(parts.next()?)?, from_hex(parts.next()?)?);
        let anchor = Self { position, hash };
        let is_whole = parts.next().is_none();
        (is_whole && keys.verifies(&anchor.signed_part(), &signature)).then_some(anchor)
    }
}

fn from_hex(text: &str) -> Option<Hash> {
    let mut hash = Hash::default();
    if text.len() != 2 * hash.len() {
        return None;
    }
    for (index, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(hash)
}

/// The anchors of some days.
#[derive(Debug, Default)]
pub(super) struct Anchors {
    /// The anchors by position. Two of one position mean that one was forged with a key.
    pub(super) within: BTreeMap<Position, Vec<Hash>>,
    /// The newest anchor of any day.
    pub(super) newest: Option<Anchor>,
    /// How many objects are not valid anchors.
    pub(super) strange: usize,
}

/// The anchors of a range of days, both included, and the newest of all.
pub(super) async fn of_days(app: &App, first: Day, last: Day) -> Result<Anchors> {
    let keys = keys_of(app)?;
    let mut found = Anchors::default();
    let mut days: Vec<Day> = Vec::new();
    for name in blob::anchored_days(app).await? {
        match name.parse() {
            Ok(day) => days.push(day),
            Err(_) => found.strange += 1,
        }
    }
    days.sort_unstable();
    let newest = days.last().copied();
    for day in days {
        let is_within = first <= day && day <= last;
        if !is_within && Some(day) != newest {
            continue;
        }
        for name in blob::anchors_of(app, &day.to_string()).await? {
            let Some(anchor) = Anchor::from_name(keys, &name) else {
                found.strange += 1;
                continue;
            };
            found.newest = found.newest.max(Some(anchor));
            if is_within {
                found.within.entry(anchor.position).or_default().push(anchor.hash);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_holds_the_anchor_and_only_the_key_makes_it() {
        let keys = Keys::parse("a-key-of-the-audit-log-000000000000").unwrap();
        let anchor = Anchor {
            position: Position {
                day: "2026-01-15".parse().unwrap(),
                number: 42,
            },
            hash: [0xab; 32],
        };
        let name = anchor.name(&keys);
        assert!(name.starts_with("2026-01-15/000000000042-abab"), "{name}");
        assert_eq!(Anchor::from_name(&keys, &name), Some(anchor));
        let other = Keys::parse("another-key-of-the-audit-log-000000").unwrap();
        assert_eq!(Anchor::from_name(&other, &name), None);
        for wrong in [
            name.replace("000000000042", "000000000041"),
            name.replace("2026-01-15", "2026-01-16"),
            name.replacen("ab", "ac", 1),
            format!("{name}-00"),
            "2026-01-15/é".to_owned(),
            String::new(),
        ] {
            assert_eq!(Anchor::from_name(&keys, &wrong), None, "{wrong}");
        }
    }
}
