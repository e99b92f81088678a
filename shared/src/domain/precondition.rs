//! Conditional requests (RFC 9110 §13): two devices that change one thing, of which one wins, and a client that asks
//! for what it has already.
//!
//! A resource that hands out an `ETag` evaluates `If-Match` and `If-None-Match` on every method, after it knows that the
//! request would succeed (§13.2.1) and before it does anything. They come from `Call::preconditions` alone: what reads
//! or changes a versioned resource demands them, and the runner refuses the answer of a versioned route that has not
//! looked at them.
//!
//! `If-Modified-Since` and `If-Unmodified-Since` are ignored, as §13.1.3 and §13.1.4 demand of a resource without a
//! modification date: no answer has a `Last-Modified`, because its seconds could not tell apart two versions that come
//! within one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Why a request is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unmet {
    /// The resource has another version.
    Failed,
    /// A read of the version that the client has.
    NotModified {
        /// The tag of the version.
        etag: String,
    },
}

/// What a request demands of the version of the resource that it is about.
#[derive(Clone, Debug)]
pub struct Preconditions {
    if_match: Option<Tags>,
    if_none_match: Option<Tags>,
    /// Whether the method only reads, so that a client which has the version is told so and not refused.
    is_read: bool,
    looked_at: Arc<AtomicBool>,
}

/// The entity tags of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Tags {
    /// `*`: any version, as long as there is one.
    Any,
    /// These.
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
    /// Nothing is demanded: for what changes a resource without a request that is about it alone.
    pub fn none() -> Self {
        Self::new(None, None, false)
    }

    /// What the two headers say of a request that only reads, or that does more.
    pub fn new(if_match: Option<&str>, if_none_match: Option<&str>, is_read: bool) -> Self {
        Self {
            if_match: if_match.map(Tags::parse),
            if_none_match: if_none_match.map(Tags::parse),
            is_read,
            looked_at: Arc::default(),
        }
    }

    /// Whether what there is may be read or changed. `current` is its tag, none if it hands out none.
    ///
    /// # Errors
    /// [`Unmet::NotModified`] for a read of what the client has already, else [`Unmet::Failed`].
    pub fn check(&self, current: Option<&str>) -> Result<(), Unmet> {
        self.looked_at.store(true, Ordering::Relaxed);
        // A weak tag says of nothing that it is byte for byte the same, so it never matches here (§13.1.1).
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
            // A read of what has no tag cannot tell what the client has.
            (Some(_), None) if self.is_read => Ok(()),
            (Some(tags), _) if is_known(tags) => Err(Unmet::Failed),
            _ => Ok(()),
        }
    }

    /// Whether somebody has looked at them, or there is nothing to look at.
    pub fn are_settled(&self) -> bool {
        (self.if_match.is_none() && self.if_none_match.is_none()) || self.looked_at.load(Ordering::Relaxed)
    }
}

impl Tags {
    /// Reads a header. What is no entity tag in it matches nothing.
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

    /// 200, 304 or 412, for the version 7.
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

    /// RFC 9110 §13.1.2: weak comparison; 304 for what only reads, 412 for the rest.
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
