//! Frames to connections, through the `@connections` API.

use aws_sdk_apigatewaymanagement::error::SdkError;
use aws_sdk_apigatewaymanagement::operation::delete_connection::DeleteConnectionError;
use aws_sdk_apigatewaymanagement::operation::post_to_connection::PostToConnectionError;
use aws_smithy_types::Blob;

use crate::App;
use crate::domain::ids::ConnectionId;
use crate::error::Result;
use crate::store::table::failed;
use crate::telemetry::Count;

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Posted {
    /// The connection has it.
    Delivered,
    /// There is no such connection any more.
    Gone,
}

/// Posts a frame to one connection.
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

/// Connects to the `@connections` API: posts to a connection that cannot exist, which it refuses.
///
/// # Errors
/// It cannot be reached.
pub async fn connect(app: &App) -> Result<()> {
    let request = app.outside.clients.connections.post_to_connection();
    match request.connection_id("init").data(Blob::new("")).send().await {
        Ok(_) | Err(SdkError::ServiceError(_)) => Ok(()),
        Err(error) => Err(failed(error)),
    }
}

/// Ends a connection; one that is gone already is as good.
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
