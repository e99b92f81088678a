//! Routes of the WebSocket API: each is declared once, as an [`Action`].
//!
//! API Gateway does not let a function choose a close code, so the reason for closing is sent in an error frame first.

pub mod subprotocols;

use std::future::Future;

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use futures::future::BoxFuture;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;

use crate::App;
use crate::auth::{Caller, token};
use crate::connections_api::{self, error_frame};
use crate::domain::frame::Frame;
use crate::domain::ids::ConnectionId;
use crate::error::{Error, Result};
use crate::http::input;
use crate::rights::Rights;
use crate::store::rates::{self, RateLimit, RateSubject};

/// A route of the WebSocket API, selected by the `type` of the client's frame.
pub trait Action: 'static {
    /// The name of the function, `<verb>_<noun>`.
    const NAME: &'static str;
    /// The `type` of the frame, or `$default`.
    const KEY: &'static str;
    /// One line for the API document.
    const SUMMARY: &'static str;
    /// What the summary and the type do not say, as Markdown for the API document.
    const DESCRIPTION: &'static str;
    /// The `type` of the last frame of the response, if there always is one.
    const ANSWERED_BY: Option<&'static str> = None;
    /// The rate limits of the connection that a frame is counted against.
    const RATE_LIMITS: &'static [RateLimit] = &[RateLimit::Frames];
    /// The rights of its role.
    const RIGHTS: Rights = Rights::OF_A_FRAME;
    /// The frame.
    type Input: DeserializeOwned + JsonSchema + Send;

    /// An example of the frame, for the API document.
    fn example() -> serde_json::Value;

    /// Handles the frame. The returned frames are posted to the same connection, in order.
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
    /// Reads the connection and its caller from an event. Only the authorizer can put the caller there.
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

/// The key of the caller in the authorizer's context.
pub const AUTHORIZER_CALLER: &str = "caller";

/// An [`Action`] with its types erased.
#[derive(Clone, Copy)]
pub struct AnyAction {
    /// The name of the function.
    pub name: &'static str,
    /// The route key.
    pub key: &'static str,
    /// One line for the API document.
    pub summary: &'static str,
    /// More for the API document.
    pub description: &'static str,
    /// The `type` of the last frame of the response, if there always is one.
    pub answered_by: Option<&'static str>,
    /// An example of the frame.
    pub example: fn() -> serde_json::Value,
    /// The schema of the frame.
    pub input: fn(&mut SchemaGenerator) -> Schema,
    /// Answers a frame: returns the status and the error for the log.
    pub answer: Answer,
}

/// Answers a frame.
pub type Answer =
    for<'a> fn(&'a App, &'a ApiGatewayWebsocketProxyRequest) -> BoxFuture<'a, (u16, Option<Error>)>;

impl AnyAction {
    /// Erases the types of an action.
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
        if let Err(error) = connections_api::post_frame(app, &connection.id, &frame).await {
            return (503, Some(error));
        }
    }
    if ends && let Err(error) = connections_api::disconnect(app, &connection.id).await {
        return (503, Some(error));
    }
    (status, error)
}

/// The result of a frame.
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
    let subject = RateSubject::Connection(connection.id.clone());
    let passage = match rates::pass(app, &subject, A::RATE_LIMITS).await {
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
    // Released before the answer is posted: a client that has the answer may send the next request.
    if A::RATE_LIMITS.contains(&RateLimit::Resuming)
        && let Err(error) = rates::release(app, &subject, RateLimit::Resuming).await
    {
        return Err(error).into();
    }
    result.into()
}
