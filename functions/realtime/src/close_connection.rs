//! `$disconnect`: removes a connection. API Gateway does not guarantee to call it; a missed one is found gone at the
//! next delivery, or expires.

use serde_json::json;
use shared::http::endpoint::BoxFuture;
use shared::lambda::{ConnectionReply, Function};
use shared::rights::{Rights, TableAction};
use shared::socket::Connection;
use shared::store::connections;
use shared::store::keys::Partition;
use shared::telemetry::Count;
use shared::{App, Error, Result};

/// The function.
pub const FUNCTION: Function = Function::connection("close_connection", "$disconnect", RIGHTS, answer);

const RIGHTS: Rights = Rights::NONE
    .table(&[TableAction::GetItem, TableAction::UpdateItem])
    .within(&[Partition::Rates, Partition::Users]);

fn answer<'a>(app: &'a App, event: &'a [u8]) -> BoxFuture<'a, Result<ConnectionReply>> {
    Box::pin(async move {
        let event = serde_json::from_slice(event).map_err(Error::internal)?;
        let Connection { id, caller } = Connection::of_event(&event)?;
        connections::remove(app, caller.user, &id).await?;
        app.meter().count(Count::Disconnects, 1);
        Ok(ConnectionReply {
            status: 200,
            answer: Ok(json!({ "statusCode": 200 })),
            refused: None,
        })
    })
}
