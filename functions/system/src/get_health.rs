//! `GET /health`: whether the API responds. No token, no reads, no writes.

use serde_json::json;
use shared::http::health::Health;
use shared::http::input::Nothing;
use shared::http::{Anyone, Call, Endpoint, Example, Reply, Route, Tag, Throttle};
use shared::{App, Result};

/// `GET /health`
pub struct GetHealth;

impl Endpoint for GetHealth {
    const ROUTE: Route =
        Route::get(Tag::System, "get_health", "/health", "Check the API").throttled(Throttle::HEALTH);
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

    async fn handle(_: &App, _: Call<'_, Self>) -> Result<Reply<Health>> {
        Ok(Health::ok("tidings").into())
    }
}
