//! `GET /api/v2/notifications`: the caller's notifications, newest first (S0-E08).
//!
//! Includes one notification for each conversation with missed messages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::auth::Caller;
use shared::domain::notification::Notification;
use shared::http::input::Nothing;
use shared::http::page::{Found, ListQuery, PagePerPage, PagePerPageFields};
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::rights::{Rights, TableAction};
use shared::store::notifications::{self, Position};
use shared::{App, Result};

use crate::examples;

/// `GET /api/v2/notifications`
pub struct ListNotifications;

/// Which notifications.
#[derive(Deserialize, JsonSchema)]
pub struct Filter {
    /// Whether to list only unread items.
    #[serde(default)]
    pub unread_only: bool,
}

/// A page of notifications.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "NotificationList")]
pub struct Output {
    /// The notifications.
    pub notifications: Vec<Notification>,
    /// The number of unread notifications.
    pub unread: u64,
    /// The position of the page.
    #[serde(flatten)]
    pub page: PagePerPageFields,
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
    type Query = ListQuery<PagePerPage<20>, Filter>;
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
        let (user, unread_only) = (call.who.user, call.query.filter.unread_only);
        let pager = call.query.pager(app, user, Self::ROUTE.name, &unread_only)?;
        let (after, skipped) = (pager.after().copied(), pager.skipped()?);
        let found = notifications::page(app, user, unread_only, after, skipped, pager.size()).await?;
        let row = |notification: Notification| (Position::of(&notification), notification);
        let page = pager.page(Found {
            rows: found.notifications.into_iter().map(row).collect(),
            total: if unread_only {
                found.numbers.unread
            } else {
                found.numbers.total
            },
            next: found.next,
        })?;
        Ok(Output {
            notifications: page.rows,
            unread: found.numbers.unread,
            page: page.fields,
        }
        .into())
    }
}
