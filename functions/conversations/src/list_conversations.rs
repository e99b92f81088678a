//! `GET /api/conversations`: the caller's conversations, by last activity, newest first (S1-E02).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::auth::{Caller, cursor};
use shared::domain::conversation::Conversation;
use shared::domain::ids::ConversationId;
use shared::http::input::Nothing;
use shared::http::page::{PageNumber, PageSize, skip};
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::operations::views;
use shared::rights::{Rights, TableAction};
use shared::store::sync::{self, Place};
use shared::{App, Result};

use crate::examples;

/// `GET /api/conversations`
pub struct ListConversations;

/// The parameters of the query.
#[derive(Deserialize, JsonSchema)]
pub struct Query {
    /// Which page, from 1.
    #[serde(default)]
    pub page: PageNumber,
    /// How many conversations a page holds, 1 to 100.
    #[serde(default)]
    pub page_size: PageSize<20>,
    /// Where to go on: the `next_cursor` of the page before. It wins over `page`.
    pub cursor: Option<String>,
}

/// A page of conversations.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ConversationList")]
pub struct Output {
    /// The conversations.
    pub conversations: Vec<Conversation>,
    /// How many there are in all.
    pub total: u64,
    /// Which page this is.
    pub page: u64,
    /// How many a page holds.
    pub page_size: u64,
    /// Whether there are more.
    pub has_next: bool,
    /// Where to go on; null at the end.
    pub next_cursor: Option<String>,
}

/// The last conversation of a page: when it was active, and its id.
type After = (i64, ConversationId);

impl Endpoint for ListConversations {
    const ROUTE: Route = Route::get(
        Tag::Conversations,
        "list_conversations",
        "/api/conversations",
        "List conversations",
    )
    .described("The caller's conversations, the one with the latest activity first.");
    const RIGHTS: Rights = Rights::OF_A_ROUTE
        .table(&[TableAction::BatchGetItem, TableAction::Query])
        .queries_by_user();
    type Who = Caller;
    type Path = Nothing;
    type Query = Query;
    type Body = Nothing;
    type Output = Output;

    fn example() -> Example {
        Example {
            parameters: json!({ "page": 1, "page_size": 20 }),
            answer: json!({
                "conversations": [examples::conversation()],
                "total": 1,
                "page": 1,
                "page_size": 20,
                "has_next": false,
                "next_cursor": null
            }),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Output>> {
        let (user, secret) = (call.who.user, app.config().cursor_secret()?);
        let page_size = call.query.page_size.get();
        let after: Option<After> = match &call.query.cursor {
            Some(sealed) => Some(cursor::open(secret, user, Self::ROUTE.name, sealed)?),
            None => None,
        };
        let skipped = if after.is_some() {
            0
        } else {
            skip(call.query.page, page_size)?
        };

        let mut places = sync::places(app, user).await?;
        let total = places.len() as u64;
        places.sort_by_key(|place| std::cmp::Reverse(position(place)));
        if let Some(after) = after {
            places.retain(|place| position(place) < after);
        }
        let mut rest = places
            .into_iter()
            .skip(usize::try_from(skipped).unwrap_or(usize::MAX));
        let shown: Vec<Place> = rest
            .by_ref()
            .take(usize::try_from(page_size).unwrap_or(usize::MAX))
            .collect();
        let has_next = rest.next().is_some();
        let next_cursor = match shown.last().filter(|_| has_next) {
            Some(last) => Some(cursor::seal(secret, user, Self::ROUTE.name, &position(last))?),
            None => None,
        };
        let conversations = views::conversations(app, &shown).await?;
        Ok(Output {
            conversations,
            total,
            page: call.query.page.get(),
            page_size,
            has_next,
            next_cursor,
        }
        .into())
    }
}

fn position(place: &Place) -> After {
    (place.active_at().milliseconds(), place.head.id)
}
