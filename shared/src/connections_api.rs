//! Posting frames to WebSocket connections, through the `@connections` API.

mod error;

pub use error::error_frame;

use aws_sdk_apigatewaymanagement::error::SdkError;
use aws_sdk_apigatewaymanagement::operation::delete_connection::DeleteConnectionError;
use aws_sdk_apigatewaymanagement::operation::post_to_connection::PostToConnectionError;
use aws_smithy_types::Blob;

use crate::App;
use crate::clients::failed;
use crate::domain::frame::Frame;
use crate::domain::ids::ConnectionId;
use crate::error::{Error, Result};
use crate::telemetry::Count;

/// The result of a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Posted {
    /// The connection has it.
    Delivered,
    /// The connection no longer exists.
    Gone,
}

/// Posts the text of a frame to one connection.
///
/// # Errors
/// [`crate::Error::Unavailable`] if the API throttles or does not answer, after the SDK's retries.
pub async fn post(app: &App, connection: &ConnectionId, frame: &str) -> Result<Posted> {
    app.meter().call();
    let request = app.outside.clients.connections.post_to_connection();
    let request = request.connection_id(connection.as_str());
    match request.data(Blob::new(frame)).send().await {
        Ok(_) => {
            app.meter().count(Count::Deliveries, 1);
            Ok(Posted::Delivered)
        }
        Err(SdkError::ServiceError(error))
            if matches!(error.err(), PostToConnectionError::GoneException(_)) =>
        {
            app.meter().count(Count::GoneConnections, 1);
            Ok(Posted::Gone)
        }
        Err(error) => Err(failed(error)),
    }
}

/// Posts a frame to one connection; a connection that is gone is ignored.
///
/// # Errors
/// As for [`post`].
pub async fn post_frame(app: &App, connection: &ConnectionId, frame: &Frame) -> Result<()> {
    let text = frame.to_text().map_err(Error::internal)?;
    post(app, connection, &text).await.map(|_| ())
}

/// Opens the connection to the `@connections` API, by posting to a connection that cannot exist.
///
/// # Errors
/// The API cannot be reached.
pub async fn connect(app: &App) -> Result<()> {
    let request = app.outside.clients.connections.post_to_connection();
    match request.connection_id("init").data(Blob::new("")).send().await {
        Ok(_) | Err(SdkError::ServiceError(_)) => Ok(()),
        Err(error) => Err(failed(error)),
    }
}

/// Closes a connection; succeeds if it is already gone.
///
/// # Errors
/// [`crate::Error::Unavailable`] if the API throttles or does not answer, after the SDK's retries.
pub async fn disconnect(app: &App, connection: &ConnectionId) -> Result<()> {
    app.meter().call();
    let request = app.outside.clients.connections.delete_connection();
    match request.connection_id(connection.as_str()).send().await {
        Ok(_) => Ok(()),
        Err(SdkError::ServiceError(error))
            if matches!(error.err(), DeleteConnectionError::GoneException(_)) =>
        {
            Ok(())
        }
        Err(error) => Err(failed(error)),
    }
}
