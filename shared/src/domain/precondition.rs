//! Conditional requests (RFC 9110 §13): protection against lost updates, and revalidation of cached data.
//!
//! A resource with an `ETag` evaluates `If-Match` and `If-None-Match` for every method, once it is known that the
//! request would otherwise succeed (§13.2.1), and before anything is done. They are only available as
//! `Call::preconditions`: functions that read or change a versioned resource require them, and the runner fails a
//! versioned route that has not evaluated them.
//!
//! `If-Modified-Since` and `If-Unmodified-Since` are ignored, as §13.1.3 and §13.1.4 require of a resource without a
//! modification date: no response has a `Last-Modified`, because its one-second resolution cannot distinguish two
//! versions within a second.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Why a precondition fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unmet {
    /// The resource has another version.
    Failed,
    /// A read of the version that the client already has.
    NotModified {
        /// The tag of the version.
        etag: String,
    },
}

/// The preconditions of a request on the version of its resource.
#[derive(Clone, Debug)]
pub struct Preconditions {
    if_match: Option<Tags>,
    if_none_match: Option<Tags>,
    /// Whether the method only reads: then a client that has the version gets 304 instead of 412.
    is_read: bool,
    looked_at: Arc<AtomicBool>,
}

/// The entity tags of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Tags {
    /// `*`: any existing version.
    Any,
    /// Any of these.
    OneOf(Vec<Tag>),
}

/// An entity tag (§8.8.3).
#[derive(Clone, Debug, PartialEq, Eq)]
struct Tag {
    is_weak: bool,
    /// With its quotes.
    opaque: String,
}

impl Preconditions {
    /// No preconditions, for changes of a resource other than the request's own.
    pub fn none() -> Self {
        Self::new(None, None, false)
    }

    /// The preconditions in the two headers of a request; `is_read` for a method that only reads.
    pub fn new(if_match: Option<&str>, if_none_match: Option<&str>, is_read: bool) -> Self {
        Self {
            if_match: if_match.map(Tags::parse),
            if_none_match: if_none_match.map(Tags::parse),
            is_read,
            looked_at: Arc::default(),
        }
    }

    /// Checks whether the current version may be read or changed. `current` is its tag; none if it has none.
    ///
    /// # Errors
    /// [`Unmet::NotModified`] for a read of what the client already has, else [`Unmet::Failed`].
    pub fn check(&self, current: Option<&str>) -> Result<(), Unmet> {
        self.looked_at.store(true, Ordering::Relaxed);
        // A weak tag does not guarantee identical bytes, so it never matches here (§13.1.1).
        let is_wanted =
            |tags: &Tags| tags.include(|tag| !tag.is_weak && Some(tag.opaque.as_str()) == current);
        if !self.if_match.as_ref().is_none_or(is_wanted) {
            return Err(Unmet::Failed);
        }
        let is_known = |tags: &Tags| tags.include(|tag| Some(tag.opaque.as_str()) == current);
        match (&self.if_none_match, current) {
            (Some(tags), Some(etag)) if self.is_read && is_known(tags) => Err(Unmet::NotModified {
                etag: etag.to_owned(),
            }),
            // Without a tag it is unknown what the client has.
            (Some(_), None) if self.is_read => Ok(()),
            (Some(tags), _) if is_known(tags) => Err(Unmet::Failed),
            _ => Ok(()),
        }
    }

    /// Whether they were evaluated, or there are none.
    pub fn are_settled(&self) -> bool {
        (self.if_match.is_none() && self.if_none_match.is_none()) || self.looked_at.load(Ordering::Relaxed)
    }
}

impl Tags {
    /// Parses a header. Invalid entity tags match nothing.
    fn parse(header: &str) -> Self {
        if header.trim() == "*" {
            return Self::Any;
        }
        let (mut tags, mut rest) = (Vec::new(), header);
        loop {
            rest = rest.trim_start_matches([',', ' ', '\t']);
            let (is_weak, quoted) = rest.strip_prefix("W/").map_or((false, rest), |rest| (true, rest));
            let Some((opaque, left)) = quoted.strip_prefix('"').and_then(|rest| rest.split_once('"')) else {
                return Self::OneOf(tags);
            };
            tags.push(Tag {
                is_weak,
                opaque: format!("\"{opaque}\""),
            });
            rest = left;
        }
    }

    fn include(&self, is_it: impl Fn(&Tag) -> bool) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(tags) => tags.iter().any(is_it),
        }
    }
}

/// The tag of a version.
pub fn etag(version: u64) -> String {
    format!("\"{version}\"")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 200, 304 or 412, for version 7.
    fn status(if_match: Option<&str>, if_none_match: Option<&str>, is_read: bool) -> u16 {
        match Preconditions::new(if_match, if_none_match, is_read).check(Some("\"7\"")) {
            Ok(()) => 200,
            Err(Unmet::NotModified { etag }) if etag == "\"7\"" => 304,
            Err(Unmet::Failed) => 412,
            Err(other) => panic!("{other:?}"),
        }
    }

    /// RFC 9110 §13.1.1: strong comparison.
    #[test]
    fn if_match_admits_its_versions_alone() {
        for tags in [
            "*",
            " * ",
            "\"7\"",
            "\"6\", \"7\"",
            "\"6\",\"7\" , \"8\"",
            ",, \"7\"",
            "W/\"7\", \"7\"",
            "\"a,b\",\"7\"",
        ] {
            assert_eq!(
                (status(Some(tags), None, false), status(Some(tags), None, true)),
                (200, 200),
                "{tags}"
            );
        }
        for tags in [
            "\"8\"", "W/\"7\"", "7", "", "\"7", "w/\"7\"", "\"6,7\"", "\"*\"", "\" 7\"", "x \"7\"",
        ] {
            assert_eq!(
                (status(Some(tags), None, false), status(Some(tags), None, true)),
                (412, 412),
                "{tags}"
            );
        }
    }

    /// RFC 9110 §13.1.2: weak comparison; 304 for reads, 412 otherwise.
    #[test]
    fn if_none_match_refuses_its_versions() {
        for tags in ["*", "\"7\"", "W/\"7\"", "\"6\", W/\"7\""] {
            assert_eq!(
                (status(None, Some(tags), true), status(None, Some(tags), false)),
                (304, 412),
                "{tags}"
            );
        }
        for tags in ["\"8\"", "", "7", "\"6\", W/\"8\""] {
            assert_eq!(
                (status(None, Some(tags), true), status(None, Some(tags), false)),
                (200, 200),
                "{tags}"
            );
        }
        // §13.2.2: If-Match comes first.
        assert_eq!(status(Some("\"8\""), Some("\"7\""), true), 412);
        assert_eq!(status(Some("\"7\""), Some("\"7\""), true), 304);
    }

    #[test]
    fn what_has_no_tag_matches_none() {
        let check = |if_match, if_none_match, is_read| {
            Preconditions::new(if_match, if_none_match, is_read)
                .check(None)
                .is_ok()
        };
        assert!(!check(Some("\"7\""), None, false));
        assert!(check(Some("*"), None, false));
        assert!(check(None, Some("\"7\""), false) && !check(None, Some("*"), false));
        assert!(check(None, Some("*"), true));
    }

    #[test]
    fn preconditions_are_settled_once_somebody_has_looked() {
        let some = Preconditions::new(Some("*"), None, false);
        assert!(!some.are_settled() && Preconditions::none().are_settled());
        some.clone().check(None).unwrap();
        assert!(some.are_settled());
    }

    proptest! {
        #[test]
        fn any_header_is_read(header in "[W/\"*, a7\t]{0,30}", other in "\\PC{0,20}") {
            drop(Tags::parse(&other));
            if let Tags::OneOf(tags) = Tags::parse(&header) {
                prop_assert!(tags.iter().all(|tag| tag.opaque.matches('"').count() == 2));
            }
        }
    }
}
