//! The id under which a client may send again: in the body or in a header (contract §1, *Idempotency*).

use super::request::Request;
use crate::domain::text::ClientMessageId;
use crate::error::{Error, Result};

/// The client's id, from the body or the header; where both are given they must agree.
pub fn client_message_id(
    request: &Request,
    body: Option<ClientMessageId>,
) -> Result<Option<ClientMessageId>> {
    const HEADER: &str = "Idempotency-Key";
    let Some(header) = request.header("idempotency-key") else {
        return Ok(body);
    };
    let header = ClientMessageId::parse(header.to_owned()).map_err(|invalid| Error::Invalid {
        field: HEADER.into(),
        invalid,
    })?;
    match body {
        Some(body) if body != header => Err(Error::invalid(
            HEADER,
            "contradiction",
            "differs from client_message_id",
        )),
        _ => Ok(Some(header)),
    }
}
