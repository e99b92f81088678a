//! Idempotency keys: in the header `Idempotency-Key`, or in a field of the body that the route defines (contract §1,
//! *Idempotency*).

use super::request::Request;
use super::route::{Idempotency, Route};
use crate::domain::text::{ClientMessageId, Invalid};
use crate::error::{Error, Result};

const HEADER: &str = "Idempotency-Key";

/// The key of a request, if its route accepts one.
///
/// # Errors
/// 422 for `Idempotency-Key` if it is invalid, if there are several, or if the route refuses it.
pub(super) fn key(route: &Route, request: &Request) -> Result<Option<ClientMessageId>> {
    if route.idempotency == Idempotency::OfMethod || !request.has_header("idempotency-key") {
        return Ok(None);
    }
    if route.idempotency == Idempotency::Refused {
        let reason = "is not taken here: this request makes nothing that a key could name";
        return Err(Error::invalid(HEADER, "not_taken", reason));
    }
    let text = request.header("idempotency-key").unwrap_or_default();
    if text.contains(',') {
        // API Gateway joins several header lines with commas, which cannot be told from one line that contains a comma.
        return Err(Error::invalid(
            HEADER,
            "wrong_format",
            "must be one key, without a comma",
        ));
    }
    let key = ClientMessageId::parse(text.to_owned()).map_err(header_is)?;
    Ok((route.idempotency == Idempotency::Taken).then_some(key))
}

fn header_is(invalid: Invalid) -> Error {
    Error::Invalid {
        field: HEADER.into(),
        invalid,
    }
}

/// Combines the key in the header with the one in the body.
///
/// # Errors
/// 422 for `Idempotency-Key` if they differ.
pub fn agreed(
    header: Option<ClientMessageId>,
    field: &str,
    body: Option<ClientMessageId>,
) -> Result<Option<ClientMessageId>> {
    match (header, body) {
        (Some(header), Some(body)) if header != body => Err(Error::invalid(
            HEADER,
            "contradiction",
            format!("differs from {field}"),
        )),
        (header, body) => Ok(header.or(body)),
    }
}
