//! `GET /api/v1/credits/transactions`: the caller's ledger, newest first. Its amounts add up to the balance.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::auth::{Caller, cursor};
use shared::domain::credits::CreditTransaction;
use shared::http::input::Nothing;
use shared::http::page::{PageSize, Skip, skipped};
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::rights::{Rights, TableAction};
use shared::store::credits;
use shared::{App, Result};

use crate::examples;

/// `GET /api/v1/credits/transactions`
pub struct ListCreditTransactions;

/// The parameters of the query.
#[derive(Deserialize, JsonSchema)]
pub struct Query {
    /// How many transactions a page holds, 1 to 100.
    #[serde(default)]
    pub limit: PageSize<50>,
    /// How many to leave out, newest first.
    #[serde(default)]
    pub skip: Skip,
    /// Where to go on: the `next_cursor` of the page before. It wins over `skip`.
    pub cursor: Option<String>,
}

/// A page of the ledger.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CreditTransactionList")]
pub struct Output {
    /// The transactions.
    pub transactions: Vec<CreditTransaction>,
    /// How many there are in all.
    pub total: u64,
    /// How many a page holds.
    pub limit: u64,
    /// How many were left out.
    pub skip: u64,
    /// Whether there are more.
    pub has_next: bool,
    /// Where to go on; null at the end.
    pub next_cursor: Option<String>,
}

impl Endpoint for ListCreditTransactions {
    const ROUTE: Route = Route::get(
        Tag::Credits,
        "list_credit_transactions",
        "/api/v1/credits/transactions",
        "List transactions",
    )
    .described("The caller's credit transactions, newest first. Their amounts always add up to the balance.");
    const RIGHTS: Rights = Rights::OF_A_ROUTE.table(&[TableAction::Query]);
    type Who = Caller;
    type Path = Nothing;
    type Query = Query;
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
        let (user, secret, list) = (call.who.user, app.config().cursor_secret()?, Self::ROUTE.name);
        let (limit, skip) = (call.query.limit.get(), call.query.skip.get());
        let before: Option<u64> = match &call.query.cursor {
            Some(sealed) => Some(cursor::open(secret, user, list, sealed)?),
            None => None,
        };
        let skipped = if before.is_some() {
            0
        } else {
            skipped(call.query.skip)?
        };
        let total = credits::account(app, user).await?.entries;
        let last = before.map_or_else(
            || total.saturating_sub(skipped),
            |before| before.saturating_sub(1),
        );
        let most = u32::try_from(limit).unwrap_or(u32::MAX);
        let entries = credits::transactions(app, user, last.min(total), most).await?;
        // The ledger has no gap, so what lies before the oldest of the page is known without a look.
        let next = entries.last().map(|(place, _)| *place).filter(|place| *place > 1);
        let next_cursor = match next {
            Some(place) => Some(cursor::seal(secret, user, list, &place)?),
            None => None,
        };
        let output = Output {
            transactions: entries.into_iter().map(|(_, entry)| entry).collect(),
            total,
            limit,
            skip,
            has_next: next_cursor.is_some(),
            next_cursor,
        };
        Ok(output.into())
    }
}
