//! `GET /api/ws/health`: whether the WebSocket functions respond (S1-E08). No token, no reads, no writes.

use serde_json::json;
use shared::http::health::Health;
use shared::http::input::Nothing;
use shared::http::{Anyone, Call, Endpoint, Example, Reply, Route, Tag, Throttle};
use shared::{App, Result};

/// `GET /api/ws/health`
pub struct GetWsHealth;

impl Endpoint for GetWsHealth {
    const ROUTE: Route = Route::get(
        Tag::System,
        "get_ws_health",
        "/api/ws/health",
        "Check the WebSocket API",
    )
    .throttled(Throttle::HEALTH);
    type Who = Anyone;
    type Path = Nothing;
    type Query = Nothing;
    type Body = Nothing;
    type Output = Health;

    fn example() -> Example {
        Example {
            answer: json!({ "status": "ok", "service": "realtime" }),
            ..Example::default()
        }
    }

    async fn handle(_: &App, _: Call<'_, Self>) -> Result<Reply<Health>> {
        Ok(Health::ok("realtime").into())
    }
}
