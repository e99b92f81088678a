//! `POST /api/admin/credits/{user_id}/grant`: gives a user credits, once per reference.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::auth::Permit;
use shared::domain::credits::LARGEST_GRANT;
use shared::domain::ids::{TransactionId, UserId};
use shared::domain::permission::CreditsGrant;
use shared::domain::text::{ClientMessageId, Reason};
use shared::http::idempotency::agreed;
use shared::http::input::Nothing;
use shared::http::page::Bounded;
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::store::{credits, profiles};
use shared::{App, Error, Result};

use crate::examples;

/// `POST /api/admin/credits/{user_id}/grant`
pub struct GrantCredits;

/// The parameters of the path.
#[derive(Deserialize, JsonSchema)]
pub struct Path {
    /// Who gets them.
    pub user_id: UserId,
}

/// What is granted.
#[derive(Deserialize, JsonSchema)]
pub struct Body {
    /// How many credits, 1 to 1,000,000,000.
    pub amount: Bounded<1, LARGEST_GRANT, 1>,
    /// Why; the ledger shows it.
    pub reason: Reason<200>,
    /// The grant's own id on the caller's side: the same one again grants nothing more.
    /// The header `Idempotency-Key`, if it is there, must say the same.
    pub client_reference: ClientMessageId,
}

/// What came of it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CreditGrant")]
pub struct Output {
    /// The entry of the ledger.
    pub transaction_id: TransactionId,
    /// What the user had after it.
    pub balance: u64,
}

impl Endpoint for GrantCredits {
    const ROUTE: Route = Route::post(
        Tag::Administration,
        "grant_credits",
        "/api/admin/credits/{user_id}/grant",
        "Grant credits",
    )
    .answers(200)
    .takes_key()
    .described(
        "Repeating a request with the same `client_reference` grants nothing more and returns the \
         first result. The same `client_reference` with another amount or \
         reason is 422.",
    );
    type Who = Permit<CreditsGrant>;
    type Path = Path;
    type Query = Nothing;
    type Body = Body;
    type Output = Output;

    fn example() -> Example {
        Example {
            parameters: json!({ "user_id": examples::ADA }),
            body: json!({ "amount": 100, "reason": "top-up", "client_reference": "order-4711" }),
            answer: json!({ "transaction_id": examples::TRANSACTION, "balance": 199 }),
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Output>> {
        let permit = call.permit();
        let (user, body) = (call.path.user_id, call.body);
        agreed(call.key, "client_reference", Some(body.client_reference.clone()))?;
        profiles::find(app, user).await?.ok_or(Error::NotFound("user"))?;
        let (amount, reason) = (body.amount.get(), body.reason.as_str());
        let granted = credits::grant(app, &permit, user, amount, reason, &body.client_reference).await?;
        let reply = Reply::from(Output {
            transaction_id: granted.transaction,
            balance: granted.balance,
        });
        Ok(reply.replayed(granted.replayed))
    }
}
