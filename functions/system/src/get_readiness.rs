//! `GET /health/ready`: whether table, queues and bucket are reachable. No token, no writes.

use serde_json::json;
use shared::http::health::Health;
use shared::http::input::Nothing;
use shared::http::{Anyone, Call, Endpoint, Example, Reply, Route, Tag, Throttle};
use shared::operations::readiness;
use shared::queue::Queue;
use shared::rights::{Rights, TableAction};
use shared::store::keys::Partition;
use shared::{App, Error, Result};

/// `GET /health/ready`
pub struct GetReadiness;

impl Endpoint for GetReadiness {
    const ROUTE: Route = Route::get(
        Tag::System,
        "get_readiness",
        "/health/ready",
        "Check the API and what it depends on",
    )
    .described(
        "Calls the table, the queues and the bucket, unless all of them answered within the last 5 seconds. The \
         response is 503 if one of them does not answer.",
    )
    .throttled(Throttle::READINESS);
    const RIGHTS: Rights = Rights::NONE
        .table(&[TableAction::GetItem])
        .within(&[Partition::Rates])
        .inspects(&[Queue::Export, Queue::Fanout, Queue::Offline])
        .lists_bucket();
    type Who = Anyone;
    type Path = Nothing;
    type Query = Nothing;
    type Body = Nothing;
    type Output = Health;

    fn example() -> Example {
        Example {
            answer: json!({ "status": "ok", "service": "tidings" }),
            ..Example::default()
        }
    }

    async fn handle(app: &App, _: Call<'_, Self>) -> Result<Reply<Health>> {
        // Whatever failed, the caller can only try again later.
        let unavailable = |error: Error| Error::unavailable(error.chain());
        readiness::check(app).await.map_err(unavailable)?;
        Ok(Health::ok("tidings").into())
    }
}
