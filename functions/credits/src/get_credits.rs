//! `GET /api/v1/credits`: the caller's balance (S2-N01).

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use shared::auth::Caller;
use shared::http::input::Nothing;
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::store::credits;
use shared::{App, Result};

/// `GET /api/v1/credits`
pub struct GetCredits;

/// The caller's balance.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CreditBalance")]
pub struct Output {
    /// The number of credits.
    pub balance: u64,
}

impl Endpoint for GetCredits {
    const ROUTE: Route = Route::get(Tag::Credits, "get_credits", "/api/v1/credits", "Get the balance")
        .described("The caller's credit balance.");
    type Who = Caller;
    type Path = Nothing;
    type Query = Nothing;
    type Body = Nothing;
    type Output = Output;

    fn example() -> Example {
        Example {
            answer: json!({ "balance": 99 }),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Output>> {
        let account = credits::account(app, call.who.user).await?;
        let output = Output {
            balance: account.balance,
        };
        Ok(output.into())
    }
}
