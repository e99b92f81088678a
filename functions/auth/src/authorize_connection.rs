//! The authorizer of `$connect`: authenticates the caller, or refuses the handshake (S1-E09).
//!
//! A browser cannot set headers on a WebSocket, so there are four ways to pass a credential: `?token=`, `?ticket=`,
//! `Authorization: Bearer`, and `Sec-WebSocket-Protocol: bearer, <token>`.

use serde::Deserialize;
use serde_json::{Value, json};
use shared::auth::{Caller, token};
use shared::http::endpoint::BoxFuture;
use shared::lambda::{ConnectionReply, Function, UNAUTHORIZED};
use shared::rights::{Rights, TableAction};
use shared::socket::AUTHORIZER_CALLER;
use shared::socket::subprotocols::Subprotocols;
use shared::store::keys::Partition;
use shared::store::tickets;
use shared::{App, Error, Result};

/// The part of the event that the authorizer reads.
/// Source: AWS, *Control access to WebSocket APIs with Lambda REQUEST authorizers*.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    method_arn: String,
    #[serde(default)]
    headers: Option<serde_json::Map<String, Value>>,
    #[serde(default)]
    multi_value_headers: Option<serde_json::Map<String, Value>>,
    #[serde(default)]
    query_string_parameters: Option<serde_json::Map<String, Value>>,
}

/// The function.
pub const FUNCTION: Function = Function::connection("authorize_connection", "authorizer", RIGHTS, answer);

const RIGHTS: Rights = Rights::NONE
    .table(&[TableAction::DeleteItem, TableAction::GetItem])
    .within(&[Partition::Rates, Partition::Tickets]);

fn answer<'a>(app: &'a App, event: &'a [u8]) -> BoxFuture<'a, Result<ConnectionReply>> {
    Box::pin(async move {
        let event: Event = serde_json::from_slice(event).map_err(Error::internal)?;
        match caller(app, &event).await {
            Ok(caller) => Ok(ConnectionReply {
                status: 200,
                answer: Ok(policy(&event.method_arn, &caller)?),
                refused: None,
            }),
            Err(refused @ Error::Unauthenticated(_)) => Ok(ConnectionReply {
                status: 401,
                answer: Err(UNAUTHORIZED),
                refused: Some(refused),
            }),
            Err(error) => Err(error),
        }
    })
}

async fn caller(app: &App, event: &Event) -> Result<Caller> {
    if let Some(ticket) = find(event.query_string_parameters.as_ref(), "ticket") {
        let holder = tickets::redeem(app, ticket).await?;
        return serde_json::from_str(&holder).map_err(Error::internal);
    }
    let token = find(event.query_string_parameters.as_ref(), "token")
        .or_else(|| bearer(find(event.headers.as_ref(), "authorization")?))
        .or_else(|| Subprotocols::of_lines(lines(event.multi_value_headers.as_ref())).token());
    let token = token.ok_or_else(|| Error::unauthenticated("the handshake has no credential"))?;
    token::verify(app, token).await
}

/// A value by its name; API Gateway does not guarantee the case of header names.
fn find<'a>(values: Option<&'a serde_json::Map<String, Value>>, name: &str) -> Option<&'a str> {
    values?
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))?
        .1
        .as_str()
        .filter(|value| !value.is_empty())
}

/// The values of the header that offers subprotocols.
fn lines(headers: Option<&serde_json::Map<String, Value>>) -> impl Iterator<Item = &str> {
    headers
        .into_iter()
        .flatten()
        .filter(|(name, _)| name.eq_ignore_ascii_case(Subprotocols::HEADER))
        .filter_map(|(_, lines)| lines.as_array())
        .flatten()
        .filter_map(Value::as_str)
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.trim().eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Allows the connection, and stores the caller in the context of all its frames.
fn policy(method_arn: &str, caller: &Caller) -> Result<Value> {
    Ok(json!({
        "principalId": caller.user,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{ "Action": "execute-api:Invoke", "Effect": "Allow", "Resource": method_arn }],
        },
        "context": { AUTHORIZER_CALLER: serde_json::to_string(caller).map_err(Error::internal)? },
    }))
}
