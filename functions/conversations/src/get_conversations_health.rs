//! `GET /api/conversations/health`: whether the conversation functions respond (S1-E07). No token, no reads, no writes.

use serde_json::json;
use shared::http::health::Health;
use shared::http::input::Nothing;
use shared::http::{Anyone, Call, Endpoint, Example, Reply, Route, Tag, Throttle};
use shared::{App, Result};

/// `GET /api/conversations/health`
pub struct GetConversationsHealth;

impl Endpoint for GetConversationsHealth {
    const ROUTE: Route = Route::get(
        Tag::System,
        "get_conversations_health",
        "/api/conversations/health",
        "Check the conversations API",
    )
    .throttled(Throttle::HEALTH);
    type Who = Anyone;
    type Path = Nothing;
    type Query = Nothing;
    type Body = Nothing;
    type Output = Health;

    fn example() -> Example {
        Example {
            answer: json!({ "status": "ok", "service": "conversations" }),
            ..Example::default()
        }
    }

    async fn handle(_: &App, _: Call<'_, Self>) -> Result<Reply<Health>> {
        Ok(Health::ok("conversations").into())
    }
}
