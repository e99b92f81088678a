//! `If-Match` and `ETag`: two devices that change one thing, of which one wins (RFC 9110 §8.8.3 and §13.1.1).

use super::Request;

/// Which versions of a thing a request is meant for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IfMatch {
    /// Whatever it is: there is no header, or it says `*`.
    Any,
    /// Those with one of these tags. A weak tag matches nothing.
    OneOf(Vec<String>),
}

impl IfMatch {
    /// What a request says.
    pub fn of(request: &Request) -> Self {
        match request.header("if-match").map(str::trim) {
            None | Some("*") => Self::Any,
            Some(tags) => Self::OneOf(tags.split(',').map(|tag| tag.trim().to_owned()).collect()),
        }
    }

    /// Whether it is meant for a version.
    pub fn admits(&self, version: u64) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(tags) => tags.contains(&etag(version)),
        }
    }
}

/// The tag of a version.
pub fn etag(version: u64) -> String {
    format!("\"{version}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_matches_its_version_alone() {
        let one_of = |tags: &[&str]| IfMatch::OneOf(tags.iter().map(|tag| (*tag).to_owned()).collect());
        assert!(IfMatch::Any.admits(7));
        assert!(one_of(&["\"6\"", "\"7\""]).admits(7));
        for tags in [&["\"8\""][..], &["W/\"7\""], &["7"], &[""], &[]] {
            assert!(!one_of(tags).admits(7), "{tags:?}");
        }
    }
}
