//! `POST /api/v1/auth/ws-ticket`: issues a secret for one connection, so that no token has to be in a URL.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use shared::auth::Caller;
use shared::http::input::Nothing;
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::store::tickets;
use shared::{App, Error, Result};

/// `POST /api/v1/auth/ws-ticket`
pub struct CreateWsTicket;

/// A WebSocket ticket.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "WebSocketTicket")]
pub struct Output {
    /// The ticket, for one connection: `wss://…/?ticket=<ticket>`.
    pub ticket: String,
    /// The number of seconds for which the ticket is valid.
    pub expires_in: u64,
}

impl Endpoint for CreateWsTicket {
    const ROUTE: Route = Route::post(
        Tag::Authentication,
        "create_ws_ticket",
        "/api/v1/auth/ws-ticket",
        "Create a WebSocket ticket",
    )
    .described(
        "Browsers can't set headers on a WebSocket handshake, and a token in a URL ends up in logs. A \
         ticket opens one WebSocket connection and can't be used again.",
    );
    type Who = Caller;
    type Path = Nothing;
    type Query = Nothing;
    type Body = Nothing;
    type Output = Output;

    fn example() -> Example {
        Example {
            answer: json!({ "ticket": "l4mZtq0pKf8nV1sB2xQe7XsiZSI6MTc2ODQ3MzAwMDAwMCwibiI6IjZmMWQyYzNiLTRhNTktNGU2OC04Zjc3LTg2OTU4NDczNjI1MSJ9", "expires_in": 30 }),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Output>> {
        let holder = serde_json::to_string(&call.who).map_err(Error::internal)?;
        let ticket = tickets::issue(app, &holder).await?;
        Ok(Output {
            ticket,
            expires_in: tickets::LIFETIME.as_secs(),
        }
        .into())
    }
}
