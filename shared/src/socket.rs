//! WebSocket routes: each is declared once, as an [`Action`].
//!
//! API Gateway lets no Lambda choose a close code, so what a server would say with one is a frame first.

pub mod subprotocols;

use std::future::Future;

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;

use crate::App;
use crate::auth::{Caller, token};
use crate::domain::frame::{ErrorFrame, Frame};
use crate::domain::ids::ConnectionId;
use crate::error::{Error, Result};
use crate::http::endpoint::BoxFuture;
use crate::http::input;
use crate::push;
use crate::rights::Rights;
use crate::store::rates::{self, Bucket, Subject};

/// A route of the WebSocket API, by the `type` of the client's frame.
pub trait Action: 'static {
    /// The name of the function, `<verb>_<noun>`.
    const NAME: &'static str;
    /// The `type` of the frame, or `$default`.
    const KEY: &'static str;
    /// One line for the document.
    const SUMMARY: &'static str;
    /// What the summary and the type do not say, as Markdown for the document.
    const DESCRIPTION: &'static str;
    /// The `type` of the last frame of the response, if there is always one.
    const ANSWERED_BY: Option<&'static str> = None;
    /// The rate buckets of the connection that a frame passes through.
    const BUCKETS: &'static [Bucket] = &[Bucket::Frames];
    /// What it may do to the stack's resources.
    const RIGHTS: Rights = Rights::OF_A_FRAME;
    /// The frame.
    type Input: DeserializeOwned + JsonSchema + Send;

    /// An example of the frame, for the document.
    fn example() -> serde_json::Value;

    /// Does what the frame asks for; the frames that come back go to this connection, in order.
    fn handle(
        app: &App,
        from: Connection,
        input: Self::Input,
    ) -> impl Future<Output = Result<Vec<Frame>>> + Send;
}

/// The connection that a frame came over.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The connection.
    pub id: ConnectionId,
    /// Who opened it.
    pub caller: Caller,
}

impl Connection {
    /// Reads the connection and its caller from an event; the authorizer put the caller there, nobody else can.
    pub fn of_event(event: &ApiGatewayWebsocketProxyRequest) -> Result<Self> {
        let context = &event.request_context;
        let id = context
            .connection_id
            .as_deref()
            .ok_or_else(|| Error::internal("an event without a connection"))?;
        let caller = context
            .authorizer
            .fields
            .get(AUTHORIZER_CALLER)
            .and_then(serde_json::Value::as_str);
        let caller = caller.ok_or_else(|| Error::internal("an event without the authorizer's caller"))?;
        Ok(Self {
            id: ConnectionId::new(id),
            caller: serde_json::from_str(caller).map_err(Error::internal)?,
        })
    }
}

/// Where the authorizer leaves the caller in its context.
pub const AUTHORIZER_CALLER: &str = "caller";

/// An action with its types forgotten.
#[derive(Clone, Copy)]
pub struct Entry {
    /// The name of the function.
    pub name: &'static str,
    /// The route key.
    pub key: &'static str,
    /// One line for the document.
    pub summary: &'static str,
    /// More for the document.
    pub description: &'static str,
    /// The `type` of the last frame of the response, if there is always one.
    pub answered_by: Option<&'static str>,
    /// An example of the frame.
    pub example: fn() -> serde_json::Value,
    /// The schema of the frame.
    pub input: fn(&mut SchemaGenerator) -> Schema,
    /// Answers a frame: the status for the log, and what went wrong.
    pub answer: Answer,
}

/// Answers a frame.
pub type Answer =
    for<'a> fn(&'a App, &'a ApiGatewayWebsocketProxyRequest) -> BoxFuture<'a, (u16, Option<Error>)>;

impl Entry {
    /// The entry of an action.
    pub const fn of<A: Action>() -> Self {
        Self {
            name: A::NAME,
            key: A::KEY,
            summary: A::SUMMARY,
            description: A::DESCRIPTION,
            answered_by: A::ANSWERED_BY,
            example: A::example,
            input: SchemaGenerator::subschema_for::<A::Input>,
            answer: |app, event| Box::pin(answer::<A>(app, event)),
        }
    }
}

async fn answer<A: Action>(app: &App, event: &ApiGatewayWebsocketProxyRequest) -> (u16, Option<Error>) {
    let connection = match Connection::of_event(event) {
        Ok(connection) => connection,
        Err(error) => return (500, Some(error)),
    };
    let body = event.body.as_deref().unwrap_or_default();
    let Handled { result, ends } = run::<A>(app, connection.clone(), body).await;
    let (frames, status, error) = match result {
        Ok(frames) => (frames, 200, None),
        Err(error) => (
            vec![Frame::Error(error_frame(&error))],
            crate::http::reply::status_and_code(&error).0,
            Some(error),
        ),
    };
    for frame in frames {
        if let Err(error) = send(app, &connection.id, &frame).await {
            return (503, Some(error));
        }
    }
    if ends && let Err(error) = push::disconnect(app, &connection.id).await {
        return (503, Some(error));
    }
    (status, error)
}

/// What came of a frame.
struct Handled {
    result: Result<Vec<Frame>>,
    /// Whether the connection is to be closed.
    ends: bool,
}

impl From<Result<Vec<Frame>>> for Handled {
    fn from(result: Result<Vec<Frame>>) -> Self {
        Self { result, ends: false }
    }
}

async fn run<A: Action>(app: &App, connection: Connection, body: &str) -> Handled {
    if !token::still_holds(app, connection.caller.expires_at) {
        return Handled {
            result: Err(Error::unauthenticated(
                "the token that opened the connection has expired",
            )),
            ends: true,
        };
    }
    let subject = Subject::Connection(connection.id.clone());
    let passage = match rates::pass(app, &subject, A::BUCKETS).await {
        Ok(passage) => passage,
        Err(error) => return Err(error).into(),
    };
    if let Err(error) = passage.admitted() {
        return Handled {
            result: Err(error),
            ends: passage.is_flood,
        };
    }
    let result = match input::object(body.as_bytes()) {
        Ok(input) => A::handle(app, connection, input).await,
        Err(error) => Err(error),
    };
    // Before the answer goes out: whoever has it may ask again.
    if A::BUCKETS.contains(&Bucket::Resuming)
        && let Err(error) = rates::release(app, &subject, Bucket::Resuming).await
    {
        return Err(error).into();
    }
    result.into()
}

/// Posts a frame to one connection. One that is gone needs no frame.
pub async fn send(app: &App, connection: &ConnectionId, frame: &Frame) -> Result<()> {
    let text = frame.to_text().map_err(Error::internal)?;
    push::post(app, connection, &text).await.map(|_| ())
}

/// The one table from errors to error frames (contract §3). A new error does not compile until it has a row.
pub fn error_frame(error: &Error) -> ErrorFrame {
    let (code, name) = match error {
        Error::Unauthenticated(_) => (4001, "AUTHENTICATION_FAILED"),
        Error::Malformed(_)
        | Error::Invalid { .. }
        | Error::InvalidCursor
        | Error::PageTooDeep
        | Error::MethodNotAllowed { .. }
        | Error::PayloadTooLarge { .. }
        | Error::UnsupportedMediaType(_)
        | Error::IdempotencyKeyReused
        | Error::InsufficientCredits { .. }
        | Error::Conflict(_)
        | Error::NotModified { .. }
        | Error::PreconditionFailed => (4003, "INVALID_FORMAT"),
        Error::NotFound(_) | Error::Forbidden(_) => (4004, "CONVERSATION_NOT_FOUND"),
        Error::RateLimited { .. } => (4008, "RATE_LIMITED"),
        Error::AuditUnavailable(_) | Error::Unavailable(_) | Error::Internal(_) => (4013, "UNAVAILABLE"),
    };
    ErrorFrame {
        code,
        name: name.to_owned(),
        message: error.to_string(),
    }
}
