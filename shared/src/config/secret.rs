//! Secrets that sign and verify, of which there are two while one takes the place of the other.

use std::fmt;

/// The fewest bytes of a secret that signs (RFC 7518 §3.2: a key as long as the hash).
pub const SECRET_MIN_BYTES: usize = 32;

/// A secret. While it is being replaced, what the previous one has signed is still good, so that a rotation ends nothing.
/// Source: NIST SP 800-57 Part 1, §5.3.4, by which a key may verify for longer than it signs.
#[derive(Clone)]
pub struct Secret {
    current: String,
    previous: Option<String>,
}

impl Secret {
    /// A secret, and the one before it.
    pub const fn new(current: String, previous: Option<String>) -> Self {
        Self { current, previous }
    }

    /// Reads the setting of this name, and `<name>_PREVIOUS`; also what is wrong with them.
    pub(super) fn read(name: &str, lookup: impl Fn(&str) -> Option<String>) -> (Option<Self>, Vec<String>) {
        let previous_name = format!("{name}_PREVIOUS");
        let (current, previous) = (lookup(name), lookup(&previous_name));
        let mut problems = Vec::new();
        for (name, value) in [(name, &current), (&previous_name, &previous)] {
            let length = value.as_ref().map(String::len);
            if let Some(length) = length.filter(|length| *length < SECRET_MIN_BYTES) {
                problems.push(format!(
                    "{name} has {length} bytes; at least {SECRET_MIN_BYTES} are needed"
                ));
            }
        }
        if current.is_none() && previous.is_some() {
            problems.push(format!("{previous_name} is set, and {name} is not"));
        }
        (current.map(|current| Self::new(current, previous)), problems)
    }

    /// The one that signs.
    pub fn current(&self) -> &str {
        &self.current
    }

    /// All that verify, the current one first.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.current.as_str()).chain(self.previous.as_deref())
    }
}

impl From<&str> for Secret {
    /// The only one.
    fn from(secret: &str) -> Self {
        Self::new(secret.to_owned(), None)
    }
}

impl fmt::Debug for Secret {
    /// Shows how many there are, and none of them.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Secret({})", self.all().count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_previous_secret_is_as_long_as_any_and_has_one_after_it() {
        let read = |current: Option<&str>, previous: Option<&str>| {
            let (current, previous) = (current.map(str::to_owned), previous.map(str::to_owned));
            Secret::read("KEY", |name| match name {
                "KEY" => current.clone(),
                "KEY_PREVIOUS" => previous.clone(),
                other => panic!("{other}"),
            })
        };
        let (one, two) = ("1".repeat(32), "2".repeat(32));
        for (previous, all) in [(None, vec![&two]), (Some(one.as_str()), vec![&two, &one])] {
            let (secret, problems) = read(Some(&two), previous);
            assert_eq!(secret.unwrap().all().collect::<Vec<_>>(), all);
            assert_eq!(problems, Vec::<String>::new());
        }
        assert!(read(None, None).0.is_none());
        let short = "KEY_PREVIOUS has 5 bytes; at least 32 are needed";
        assert_eq!(read(Some(&two), Some("short")).1, [short]);
        assert_eq!(read(None, Some(&one)).1, ["KEY_PREVIOUS is set, and KEY is not"]);
    }
}
