//! The `@connections` API, with which functions reach WebSocket clients.

use bytes::Bytes;
use futures::future::BoxFuture;
use http::Method;
use percent_encoding::percent_decode_str;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::answer::{self, Answer};
use crate::interceptor::{AwsError, Service};

/// The live WebSocket connections, kept by the gateway.
pub trait Connections: Send + Sync {
    /// Sends a frame to the client.
    fn post<'a>(&'a self, id: &'a str, data: Bytes) -> BoxFuture<'a, Result<(), PostError>>;

    /// Describes the connection.
    fn get<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<ConnectionInfo, PostError>>;

    /// Closes the connection.
    fn disconnect<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), PostError>>;
}

/// The response of `GetConnection`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionInfo {
    /// When the client connected.
    pub connected_at: OffsetDateTime,
    /// When a frame was last sent in either direction.
    pub last_active_at: OffsetDateTime,
    /// The address of the client.
    pub source_ip: String,
    /// The client's `User-Agent`.
    pub user_agent: String,
}

/// Why a connection could not be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// There is no such connection, or not yet: `$connect` has not returned.
    #[error("the connection is gone")]
    Gone,
    /// The frame is larger than 128 KiB.
    #[error("the frame is too large")]
    TooLarge,
    /// The client reads its frames too slowly, or gets too many.
    #[error("the connection is throttled")]
    Throttled,
}

impl From<PostError> for AwsError {
    fn from(error: PostError) -> Self {
        let (status, kind) = match error {
            PostError::Gone => (410, "GoneException"),
            PostError::TooLarge => (413, "PayloadTooLargeException"),
            PostError::Throttled => (429, "LimitExceededException"),
        };
        Self::new(status, kind, error.to_string())
    }
}

/// The operation of a method on `/@connections/{id}`.
pub(crate) fn operation(method: &Method) -> &'static str {
    match *method {
        Method::POST => "PostToConnection",
        Method::GET => "GetConnection",
        Method::DELETE => "DeleteConnection",
        _ => "Unknown",
    }
}

/// Answers one request.
pub(crate) async fn answer(
    connections: Option<&dyn Connections>,
    operation: &str,
    path: &str,
    body: Bytes,
) -> Answer {
    let Some(id) = connection_id(path) else {
        return refuse(&AwsError::new(404, "NotFoundException", "Not Found"));
    };
    let Some(connections) = connections else {
        return refuse(&PostError::Gone.into());
    };
    let answered = match operation {
        "PostToConnection" => connections.post(&id, body).await.map(|()| String::new()),
        "GetConnection" => connections.get(&id).await.map(|info| describe(&info)),
        "DeleteConnection" => connections.disconnect(&id).await.map(|()| String::new()),
        _ => return refuse(&AwsError::new(403, "ForbiddenException", "Forbidden")),
    };
    match answered {
        Ok(body) if operation == "DeleteConnection" => answer::json(Service::Connections, 204, body),
        Ok(body) => answer::json(Service::Connections, 200, body),
        Err(error) => refuse(&error.into()),
    }
}

/// The id at the end of `/{stage}/@connections/{id}`; the SDK encodes the trailing `=` of ids.
fn connection_id(path: &str) -> Option<String> {
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    let (before, id) = path.rsplit_once('/')?;
    let marker = percent_decode_str(before.rsplit('/').next()?)
        .decode_utf8()
        .ok()?;
    (marker == "@connections" && !id.is_empty())
        .then(|| percent_decode_str(id).decode_utf8_lossy().into_owned())
}

fn describe(info: &ConnectionInfo) -> String {
    let text = |time: OffsetDateTime| time.format(&Rfc3339).unwrap_or_default();
    serde_json::json!({
        "connectedAt": text(info.connected_at),
        "lastActiveAt": text(info.last_active_at),
        "identity": { "sourceIp": info.source_ip, "userAgent": info.user_agent },
    })
    .to_string()
}

fn refuse(error: &AwsError) -> Answer {
    answer::error(Service::Connections, error)
}
