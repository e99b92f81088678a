//! The keys of the audit log: without one, nobody can create an entry that verifies.

use std::fmt;

use hmac::{Hmac, Mac as _};
use serde_json::Value;
use sha2::Sha256;

use super::{Hash, canonical};

/// The minimum length of a key in bytes (RFC 2104 §3: as long as the hash).
pub const KEY_MIN_BYTES: usize = 32;

/// One key or more. The first one signs; all of them verify, so that entries from before a rotation stay valid.
#[derive(Clone)]
pub struct Keys {
    first: Hmac<Sha256>,
    others: Vec<Hmac<Sha256>>,
}

impl Keys {
    /// Parses keys that are separated by white space.
    ///
    /// # Errors
    /// A description: there is no key, or one has fewer than [`KEY_MIN_BYTES`] bytes.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut keys = Vec::new();
        for key in text.split_whitespace() {
            if key.len() < KEY_MIN_BYTES {
                return Err(format!(
                    "has a key of {} bytes; at least {KEY_MIN_BYTES} are needed",
                    key.len()
                ));
            }
            keys.push(Hmac::new_from_slice(key.as_bytes()).map_err(|error| error.to_string())?);
        }
        let mut keys = keys.into_iter();
        let first = keys.next().ok_or("holds no key")?;
        Ok(Self {
            first,
            others: keys.collect(),
        })
    }

    /// The HMAC-SHA256 (RFC 2104) of a value in its canonical form, under the first key.
    pub fn sign(&self, value: &Value) -> Hash {
        let mac = self.first.clone();
        mac.chain_update(canonical(value)).finalize().into_bytes().into()
    }

    /// Whether a tag is that of a value under one of the keys. Compares in constant time.
    pub fn verifies(&self, value: &Value, tag: &[u8]) -> bool {
        let text = canonical(value);
        let mut keys = std::iter::once(&self.first).chain(&self.others);
        keys.any(|key| key.clone().chain_update(&text).verify_slice(tag).is_ok())
    }
}

impl fmt::Debug for Keys {
    /// Shows only the number of keys.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Keys({})", 1 + self.others.len())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const OLD: &str = "an-old-key-of-the-audit-log-000000";
    const NEW: &str = "a-new-key-of-the-audit-log-0000000";

    #[test]
    fn after_a_rotation_what_the_old_key_signed_still_verifies() {
        let value = json!({ "a": 1 });
        let signed = Keys::parse(OLD).unwrap().sign(&value);
        let both = Keys::parse(&format!("{NEW} {OLD}")).unwrap();
        assert!(both.verifies(&value, &signed));
        assert!(both.verifies(&value, &both.sign(&value)));
        assert_ne!(both.sign(&value), signed);
        let new = Keys::parse(NEW).unwrap();
        assert!(!new.verifies(&value, &signed));
        assert!(!both.verifies(&json!({ "a": 2 }), &signed));
        assert!(!both.verifies(&value, &[]));
    }

    #[test]
    fn a_short_key_is_refused_and_none_is_too() {
        assert_eq!(
            Keys::parse(&format!("{NEW} short")).unwrap_err(),
            "has a key of 5 bytes; at least 32 are needed"
        );
        assert_eq!(Keys::parse("  ").unwrap_err(), "holds no key");
    }
}
