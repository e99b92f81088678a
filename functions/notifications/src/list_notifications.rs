//! `GET /api/v2/notifications`: the caller's notifications, newest first (S0-E08).
//!
//! What was missed in conversations while one was away is among them, one notification per conversation.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::auth::{Caller, cursor};
use shared::domain::notification::Notification;
use shared::http::input::Nothing;
use shared::http::page::{PageNumber, PageSize, skip};
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::rights::{Rights, TableAction};
use shared::store::notifications::{self, Place};
use shared::{App, Result};

use crate::examples;

/// `GET /api/v2/notifications`
pub struct ListNotifications;

/// The parameters of the query.
#[derive(Deserialize, JsonSchema)]
pub struct Query {
    /// Whether to list what is unread alone.
    #[serde(default)]
    pub unread_only: bool,
    /// Which page, from 1.
    #[serde(default)]
    pub page: PageNumber,
    /// How many notifications a page holds, 1 to 100.
    #[serde(default)]
    pub per_page: PageSize<20>,
    /// Where to go on: the `next_cursor` of the page before. It wins over `page`.
    pub cursor: Option<String>,
}

/// A page of notifications.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "NotificationList")]
pub struct Output {
    /// The notifications.
    pub notifications: Vec<Notification>,
    /// How many there are in this list.
    pub total: u64,
    /// How many are unread.
    pub unread: u64,
    /// Which page this is.
    pub page: u64,
    /// How many a page holds.
    pub per_page: u64,
    /// How many pages there are.
    pub pages: u64,
    /// Whether there are more.
    pub has_next: bool,
    /// Where to go on; null at the end.
    pub next_cursor: Option<String>,
}

impl Endpoint for ListNotifications {
    const ROUTE: Route = Route::get(
        Tag::Notifications,
        "list_notifications",
        "/api/v2/notifications",
        "List notifications",
    )
    .described(
        "Newest first. Messages that the caller missed while offline appear as one notification of \
         type `missed_messages` per conversation, which is removed when the conversation is read.",
    );
    const RIGHTS: Rights = Rights::OF_A_ROUTE.table(&[TableAction::BatchGetItem, TableAction::Query]);
    type Who = Caller;
    type Path = Nothing;
    type Query = Query;
    type Body = Nothing;
    type Output = Output;

    fn example() -> Example {
        Example {
            parameters: json!({ "unread_only": false, "page": 1, "per_page": 20 }),
            answer: json!({
                "notifications": [examples::notification()],
                "total": 1,
                "unread": 1,
                "page": 1,
                "per_page": 20,
                "pages": 1,
                "has_next": false,
                "next_cursor": null
            }),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Output>> {
        let (user, secret, query) = (call.who.user, app.config().cursor_secret()?, &call.query);
        let list = format!("{}/{}", Self::ROUTE.name, query.unread_only);
        let per_page = query.per_page.get();
        let after: Option<Place> = match &query.cursor {
            Some(sealed) => Some(cursor::open(secret, user, &list, sealed)?),
            None => None,
        };
        let skipped = if after.is_some() {
            0
        } else {
            skip(query.page, per_page)?
        };
        let found = notifications::page(app, user, query.unread_only, after, skipped, per_page).await?;
        let next_cursor = match &found.next {
            Some(place) => Some(cursor::seal(secret, user, &list, place)?),
            None => None,
        };
        let total = if query.unread_only {
            found.numbers.unread
        } else {
            found.numbers.total
        };
        Ok(Output {
            notifications: found.notifications,
            total,
            unread: found.numbers.unread,
            page: query.page.get(),
            per_page,
            pages: total.div_ceil(per_page),
            has_next: next_cursor.is_some(),
            next_cursor,
        }
        .into())
    }
}
