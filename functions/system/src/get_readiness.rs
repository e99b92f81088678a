//! `GET /health/ready`: whether table, queues and bucket answer. No token, no writes.

use serde_json::json;
use shared::http::health::Health;
use shared::http::input::Nothing;
use shared::http::{Anyone, Call, Endpoint, Example, Reply, Route, entry};
use shared::lambda::Function;
use shared::store::table;
use shared::{App, Error, Result, blob, queue};

/// `GET /health/ready`
pub struct GetReadiness;

/// The function.
pub fn function() -> Function {
    Function::http(entry::<GetReadiness>())
}

impl Endpoint for GetReadiness {
    const ROUTE: Route = Route::get(
        "get_readiness",
        "/health/ready",
        "Whether everything that the API stands on answers",
    );
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
        // Whatever is wrong with one of them, trying again later is what a caller can do.
        let unavailable = |error: Error| Error::unavailable(error.chain());
        tokio::try_join!(table::ready(app), queue::ready(app), blob::ready(app)).map_err(unavailable)?;
        Ok(Health::ok("tidings").into())
    }
}
