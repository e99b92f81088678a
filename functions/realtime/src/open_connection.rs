//! `$connect`: stores a connection that the authorizer has accepted.
//!
//! Nothing can be posted here: API Gateway does not know the connection until this has returned (410). What the
//! connection misses until eventually consistent reads show it is posted a little later.

use std::time::Duration;

use serde_json::json;
use shared::auth::caller::LEEWAY;
use shared::error::retry_after_seconds;
use shared::http::endpoint::BoxFuture;
use shared::lambda::{ConnectionReply, Function};
use shared::queue::{self, CatchUp, Queue};
use shared::rights::{Rights, TableAction};
use shared::socket::Connection;
use shared::socket::subprotocols::Subprotocols;
use shared::store::connections::{self, ending};
use shared::store::keys::Partition;
use shared::store::profiles;
use shared::store::rates::{self, RateLimit, RateSubject};
use shared::telemetry::Count;
use shared::{App, Error, Result};

/// The maximum duration of a connection.
/// Source: AWS, *Amazon API Gateway quotas*, WebSocket connection duration.
const LIFETIME: Duration = Duration::from_hours(2);

/// The function.
pub const FUNCTION: Function = Function::connection("open_connection", "$connect", RIGHTS, answer);

const RIGHTS: Rights = Rights::NONE
    .table(&[
        TableAction::GetItem,
        TableAction::PutItem,
        TableAction::UpdateItem,
    ])
    .within(&[Partition::Endings, Partition::Rates, Partition::Users])
    .sends_to(&[Queue::Fanout]);

fn answer<'a>(app: &'a App, event: &'a [u8]) -> BoxFuture<'a, Result<ConnectionReply>> {
    Box::pin(async move {
        let event = serde_json::from_slice(event).map_err(Error::internal)?;
        let Connection { id, caller } = Connection::of_event(&event)?;
        let subject = RateSubject::User(caller.user);
        if let Some(wait) = rates::pass(app, &subject, &[RateLimit::Connects]).await?.refused {
            let headers = json!({ "Retry-After": retry_after_seconds(wait).to_string() });
            let answer =
                json!({ "statusCode": 429, "headers": headers, "body": "too many connection attempts" });
            return Ok(ConnectionReply {
                status: 429,
                answer: Ok(answer),
                refused: None,
            });
        }
        // The connection ends when its token expires.
        let token_ends_at = caller.expires_at.plus(LEEWAY);
        let closed_at = app.now().plus(LIFETIME);
        let ends_at = token_ends_at.min(closed_at);
        // Connections that API Gateway closes before they expire need no marker.
        let note_end = async {
            if token_ends_at < closed_at {
                ending::note(app, caller.user, &id, ends_at).await
            } else {
                Ok(())
            }
        };
        // Connecting is an authenticated call, so from now on others may write to the user.
        tokio::try_join!(
            connections::add(app, caller.user, &id, ends_at),
            note_end,
            profiles::refresh(app, caller.user, &caller.claims, caller.issued_at),
        )?;
        let catch_up = CatchUp {
            connection: id,
            user: caller.user,
            // Enqueued only now that every strongly consistent read shows the connection.
            opened_at: app.now(),
            after: None,
            is_late: false,
        };
        queue::enqueue_later(app, Queue::Fanout, &catch_up, app.config().catch_up).await?;
        app.meter().count(Count::Connects, 1);
        let lines = event.multi_value_headers.get_all(Subprotocols::HEADER);
        let offered = Subprotocols::of_lines(lines.iter().filter_map(|line| line.to_str().ok()));
        // A client that offered subprotocols only accepts the connection if one of them is chosen (RFC 6455 §4.1).
        let headers = match offered.chosen() {
            Some(chosen) => json!({ Subprotocols::HEADER: chosen }),
            None => json!({}),
        };
        Ok(ConnectionReply {
            status: 200,
            answer: Ok(json!({ "statusCode": 200, "headers": headers })),
            refused: None,
        })
    })
}
