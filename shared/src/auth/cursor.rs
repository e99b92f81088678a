//! Signed tokens: what a client hands back was issued by us, for this caller and this list.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac as _};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::Sha256;

use crate::config::Secret;
use crate::domain::ids::UserId;
use crate::error::{Error, Result};

/// 128 bits of the tag are enough against forgery; more would only lengthen URLs.
const TAG_BYTES: usize = 16;

/// Seals a position in a list as an opaque text. `list` identifies the list and its filters.
pub fn seal<P: Serialize>(secret: &Secret, user: UserId, list: &str, place: &P) -> Result<String> {
    let place = serde_json::to_vec(place).map_err(Error::internal)?;
    let tag = mac(secret.current(), user, list, &place)?.finalize().into_bytes();
    Ok(URL_SAFE_NO_PAD.encode([tag.get(..TAG_BYTES).unwrap_or(&tag), &place].concat()))
}

/// Opens a sealed position. The previous secret is accepted too.
///
/// # Errors
/// [`Error::InvalidCursor`] if it was altered, or issued to another user or for another list.
pub fn open<P: DeserializeOwned>(secret: &Secret, user: UserId, list: &str, sealed: &str) -> Result<P> {
    let bytes = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| Error::InvalidCursor)?;
    let (claimed, place) = bytes.split_at_checked(TAG_BYTES).ok_or(Error::InvalidCursor)?;
    let is_by = |secret: &str| {
        let mac = mac(secret, user, list, place)?;
        Ok::<_, Error>(mac.verify_truncated_left(claimed).is_ok())
    };
    for secret in secret.all() {
        if is_by(secret)? {
            return serde_json::from_slice(place).map_err(|_| Error::InvalidCursor);
        }
    }
    Err(Error::InvalidCursor)
}

fn mac(secret: &str, user: UserId, list: &str, place: &[u8]) -> Result<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_err(Error::internal)?;
    mac.update(user.uuid().as_bytes());
    mac.update(list.as_bytes());
    // Separated by a zero byte, which no list name contains, so that no two combinations of list and position collide.
    mac.update(&[0]);
    mac.update(place);
    Ok(mac)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn secret() -> Secret {
        Secret::from("a secret of thirty-two bytes or so")
    }

    proptest! {
        #[test]
        fn a_cursor_opens_as_it_was_sealed(place in any::<(u64, String)>(), bits in any::<u128>()) {
            let user = UserId::from_uuid(Uuid::from_u128(bits));
            let sealed = seal(&secret(), user, "list", &place).unwrap();
            prop_assert_eq!(open::<(u64, String)>(&secret(), user, "list", &sealed).unwrap(), place);
        }

        #[test]
        fn a_changed_character_opens_nothing(seq in any::<u64>(), at in any::<prop::sample::Index>(), new in "[A-Za-z0-9_-]") {
            let user = UserId::from_uuid(Uuid::nil());
            let sealed = seal(&secret(), user, "list", &seq).unwrap();
            let at = at.index(sealed.len());
            let mut changed = sealed.clone();
            changed.replace_range(at..=at, &new);
            prop_assume!(changed != sealed);
            prop_assert!(open::<u64>(&secret(), user, "list", &changed).is_err());
        }
    }

    #[test]
    fn a_cursor_is_for_one_user_and_one_list() {
        let (one, other) = (
            UserId::from_uuid(Uuid::from_u128(1)),
            UserId::from_uuid(Uuid::from_u128(2)),
        );
        let sealed = seal(&secret(), one, "list", &1_u64).unwrap();
        assert!(open::<u64>(&secret(), other, "list", &sealed).is_err());
        assert!(open::<u64>(&secret(), one, "other", &sealed).is_err());
        assert!(
            open::<u64>(
                &Secret::from("another secret of thirty-two bytes"),
                one,
                "list",
                &sealed
            )
            .is_err()
        );
    }

    #[test]
    fn what_the_previous_secret_has_sealed_opens_and_nothing_else_is_sealed_with_it() {
        let user = UserId::from_uuid(Uuid::nil());
        let (old, new) = (secret(), Secret::from("another secret of thirty-two bytes"));
        let both = Secret::new(new.current().to_owned(), Some(old.current().to_owned()));
        let opens = |secret: &Secret, sealed: &str| open::<u64>(secret, user, "list", sealed).is_ok();
        let (of_old, of_both) = (
            seal(&old, user, "list", &1_u64).unwrap(),
            seal(&both, user, "list", &1_u64).unwrap(),
        );
        assert!(opens(&both, &of_old) && !opens(&new, &of_old));
        assert!(opens(&both, &of_both) && opens(&new, &of_both) && !opens(&old, &of_both));
    }
}
