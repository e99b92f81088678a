//! `POST /api/admin/credits/{user_id}/grant`: grants credits to a user, once per reference.

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
    /// The user who receives the credits.
    pub user_id: UserId,
}

/// The grant.
#[derive(Deserialize, JsonSchema)]
pub struct Body {
    /// The number of credits, 1 to 1,000,000,000.
    pub amount: Bounded<1, LARGEST_GRANT, 1>,
    /// The reason, which is shown in the transaction.
    pub reason: Reason<200>,
    /// An id of your choice for this grant. Repeating a request with the same id grants nothing more.
    /// If the header `Idempotency-Key` is given too, it must be equal.
    pub client_reference: ClientMessageId,
}

/// The result.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CreditGrant")]
pub struct Output {
    /// The id of the transaction.
    pub transaction_id: TransactionId,
    /// The user's balance after the grant.
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
