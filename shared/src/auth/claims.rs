//! Reading the claims of a token whose signature was verified (RFC 7519 §4).

use serde_json::{Map, Value};

use super::Caller;
use super::caller::LEEWAY;
use crate::domain::ids::UserId;
use crate::domain::time::Timestamp;
use crate::domain::user::Claims;
use crate::error::{Error, Result};

/// The caller of verified claims, at `now`.
///
/// `sub` and `exp` are required, and `nbf`, if present, must be a valid time, since ignoring it would extend what the
/// token allows. Any other claim of an unexpected type is ignored.
///
/// # Errors
/// [`Error::Unauthenticated`], with the name of the offending claim.
pub(super) fn read(claims: Map<String, Value>, now: Timestamp) -> Result<Caller> {
    let user = claims
        .get("sub")
        .and_then(|sub| sub.as_str()?.parse::<UserId>().ok());
    let user = user.ok_or_else(|| Error::unauthenticated("sub is not a UUID"))?;
    let expires_at = claims.get("exp").and_then(numeric_date);
    let expires_at = expires_at.ok_or_else(|| Error::unauthenticated("exp is not a time"))?;
    if now >= expires_at.plus(LEEWAY) {
        return Err(Error::unauthenticated("the token has expired"));
    }
    let not_before = match claims.get("nbf") {
        None | Some(Value::Null) => None,
        Some(time) => Some(numeric_date(time).ok_or_else(|| Error::unauthenticated("nbf is not a time"))?),
    };
    if not_before.is_some_and(|not_before| now < not_before.minus(LEEWAY)) {
        return Err(Error::unauthenticated("the token is not valid yet"));
    }
    let issued_at = claims.get("iat").and_then(numeric_date);
    Ok(Caller {
        user,
        expires_at,
        // A clock that runs ahead, or milliseconds instead of seconds, must not make a token newer than its successors.
        issued_at: issued_at.map(|issued_at| issued_at.min(now)),
        claims: Claims::from_json(claims),
    })
}

/// A `NumericDate`: seconds since 1970, with or without a fraction (RFC 7519 §2). Values out of range are clamped to
/// the first or last representable moment.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a number that does not fit becomes the nearest one that does"
)]
fn numeric_date(value: &Value) -> Option<Timestamp> {
    let seconds = value.as_f64()?;
    Some(Timestamp::from_milliseconds((seconds * 1000.0).floor() as i64))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_milliseconds(1_768_473_000_000);
    const USER: &str = "11111111-1111-4111-8111-111111111111";

    fn read(claims: &Value) -> Result<Caller> {
        super::read(claims.as_object().unwrap().clone(), NOW)
    }

    /// Numbers of every size, with and without a fraction.
    fn numbers() -> impl Strategy<Value = Value> {
        prop_oneof![
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            (0_i64..300_000_000_000).prop_map(Value::from),
            (0.0..300_000_000_000.0).prop_map(Value::from),
        ]
    }

    proptest! {
        #[test]
        fn whatever_number_a_time_is_the_caller_can_be_written_or_is_refused(
            exp in numbers(),
            iat in numbers(),
            nbf in prop_oneof![Just(Value::Null), numbers()],
        ) {
            match read(&json!({ "sub": USER, "exp": exp, "iat": iat, "nbf": nbf })) {
                Ok(caller) => {
                    let text = serde_json::to_string(&caller).unwrap();
                    prop_assert_eq!(serde_json::from_str::<Caller>(&text).unwrap(), caller);
                }
                Err(Error::Unauthenticated(_)) => {}
                Err(other) => prop_assert!(false, "{other}"),
            }
        }
    }

    #[test]
    fn a_time_may_have_a_fraction_and_lie_far_ahead() {
        let at = |exp: Value| read(&json!({ "sub": USER, "exp": exp })).unwrap().expires_at;
        assert_eq!(at(json!(1_768_473_600)).to_string(), "2026-01-15T10:40:00.000Z");
        assert_eq!(
            at(json!(1_768_473_600.75)).to_string(),
            "2026-01-15T10:40:00.750Z"
        );
        for far in [
            json!(253_402_300_800_i64),
            json!(1_768_473_600_000_i64),
            json!(u64::MAX),
            json!(1e300),
        ] {
            assert_eq!(at(far), Timestamp::LAST);
        }
    }

    #[test]
    fn what_must_be_there_is_not_left_out() {
        for (claims, reason) in [
            (json!({ "exp": 2e9 }), "sub is not a UUID"),
            (json!({ "sub": 7, "exp": 2e9 }), "sub is not a UUID"),
            (json!({ "sub": USER }), "exp is not a time"),
            (json!({ "sub": USER, "exp": "2000000000" }), "exp is not a time"),
            (
                json!({ "sub": USER, "exp": 1_768_472_970 }),
                "the token has expired",
            ),
            (json!({ "sub": USER, "exp": 2e9, "nbf": [] }), "nbf is not a time"),
            (
                json!({ "sub": USER, "exp": 2e9, "nbf": 1_768_473_031 }),
                "the token is not valid yet",
            ),
        ] {
            let error = read(&claims).unwrap_err();
            assert_eq!(error.to_string(), "a valid bearer token is needed");
            assert!(error.chain().ends_with(reason), "{}", error.chain());
        }
    }

    #[test]
    fn a_token_is_never_newer_than_now() {
        let of = |iat: Value| {
            read(&json!({ "sub": USER, "exp": 2e9, "iat": iat }))
                .unwrap()
                .issued_at
        };
        assert_eq!(of(json!(1_768_473_000_000_i64)), Some(NOW));
        assert_eq!(
            of(json!(1_768_472_999.5)),
            Some(NOW.minus(std::time::Duration::from_millis(500)))
        );
        assert_eq!((of(json!("yesterday")), of(Value::Null)), (None, None));
    }
}
