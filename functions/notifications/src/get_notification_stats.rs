//! `GET /api/v2/notifications/stats/summary`: the caller's notification statistics (S0-E14).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use shared::auth::Caller;
use shared::http::input::Nothing;
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::rights::{Rights, TableAction};
use shared::store::notifications;
use shared::{App, Result};

/// `GET /api/v2/notifications/stats/summary`
pub struct GetNotificationStats;

/// Notification statistics.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "NotificationStats")]
pub struct Output {
    /// All notifications.
    pub total: u64,
    /// Unread notifications.
    pub unread: u64,
    /// All notifications, by type.
    pub by_type: BTreeMap<String, u64>,
}

impl Endpoint for GetNotificationStats {
    const ROUTE: Route = Route::get(
        Tag::Notifications,
        "get_notification_stats",
        "/api/v2/notifications/stats/summary",
        "Get notification statistics",
    )
    .described("The numbers of the caller's notifications.");
    const RIGHTS: Rights = Rights::OF_A_ROUTE.table(&[TableAction::BatchGetItem, TableAction::Query]);
    type Who = Caller;
    type Path = Nothing;
    type Query = Nothing;
    type Body = Nothing;
    type Output = Output;

    fn example() -> Example {
        Example {
            answer: json!({ "total": 3, "unread": 1, "by_type": { "new_message": 2, "missed_messages": 1 } }),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Output>> {
        let numbers = notifications::numbers(app, call.who.user).await?;
        Ok(Output {
            total: numbers.total,
            unread: numbers.unread,
            by_type: numbers.by_type,
        }
        .into())
    }
}
