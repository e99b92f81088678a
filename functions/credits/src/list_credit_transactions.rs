//! `GET /api/v1/credits/transactions`: the caller's ledger, newest first. Its amounts add up to the balance.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use shared::auth::Caller;
use shared::domain::credits::CreditTransaction;
use shared::http::input::Nothing;
use shared::http::page::{Found, LimitSkip, LimitSkipFields, ListQuery, Pager};
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::rights::{Rights, TableAction};
use shared::store::credits;
use shared::store::keys::Partition;
use shared::{App, Error, Result};

use crate::examples;

/// `GET /api/v1/credits/transactions`
pub struct ListCreditTransactions;

/// A page of transactions.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CreditTransactionList")]
pub struct Output {
    /// The transactions.
    pub transactions: Vec<CreditTransaction>,
    /// The position of the page.
    #[serde(flatten)]
    pub page: LimitSkipFields,
}

impl Endpoint for ListCreditTransactions {
    const ROUTE: Route = Route::get(
        Tag::Credits,
        "list_credit_transactions",
        "/api/v1/credits/transactions",
        "List transactions",
    )
    .described("The caller's credit transactions, newest first. Their amounts always add up to the balance.");
    const RIGHTS: Rights = Rights::OF_A_ROUTE
        .table(&[TableAction::Query])
        .within(&[Partition::Rates, Partition::Users]);
    type Who = Caller;
    type Path = Nothing;
    type Query = ListQuery<LimitSkip<50>>;
    type Body = Nothing;
    type Output = Output;

    fn example() -> Example {
        Example {
            parameters: json!({ "limit": 50, "skip": 0 }),
            answer: json!({
                "transactions": [examples::debit()],
                "total": 1,
                "limit": 50,
                "skip": 0,
                "has_next": false,
                "next_cursor": null
            }),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Output>> {
        let user = call.who.user;
        let pager: Pager<'_, _, u64> = call.query.pager(app, user, Self::ROUTE.name, &())?;
        let skipped = pager.skipped()?;
        let total = credits::account(app, user).await?.entries;
        let last = match pager.after() {
            Some(before) => total.min(before.saturating_sub(1)),
            None => total.saturating_sub(skipped),
        };
        let most = u32::try_from(pager.size()).map_err(Error::internal)?;
        let rows = credits::transactions(app, user, last, most).await?;
        // The ledger has no gaps, so the number of older entries is known without a read.
        let next = rows.last().map(|(place, _)| *place).filter(|place| *place > 1);
        let page = pager.page(Found { rows, total, next })?;
        let output = Output {
            transactions: page.rows,
            page: page.fields,
        };
        Ok(output.into())
    }
}
