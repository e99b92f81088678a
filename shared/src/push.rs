//! Frames to connections, through the `@connections` API.

mod api;

pub(crate) use api::Api;

use crate::App;
use crate::domain::ids::ConnectionId;
use crate::error::Result;
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
pub async fn post(app: &App, connection: &ConnectionId, frame: &str) -> Result<Posted> {
    app.meter().call();
    let posted = app.outside.clients.connections.post(connection, frame).await?;
    app.meter().count(
        match posted {
            Posted::Delivered => Count::Deliveries,
            Posted::Gone => Count::GoneConnections,
        },
        1,
    );
    Ok(posted)
}

/// Connects to the `@connections` API: posts to a connection that cannot exist, which it refuses.
///
/// # Errors
/// It cannot be reached.
pub async fn connect(app: &App) -> Result<()> {
    app.outside.clients.connections.reach().await
}

/// Ends a connection; one that is gone already is as good.
pub async fn disconnect(app: &App, connection: &ConnectionId) -> Result<()> {
    app.meter().call();
    app.outside
        .clients
        .connections
        .delete(connection)
        .await
        .map(|_| ())
}
