//! `GET /api/v2/notifications/{notification_id}`: one notification, which is thereby marked as read (S0-E09).

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use shared::auth::Caller;
use shared::domain::ids::NotificationId;
use shared::domain::notification::Notification;
use shared::http::input::Nothing;
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::operations::notices;
use shared::queue::Queue;
use shared::rights::{Rights, TableAction};
use shared::store::notifications::Noted;
use shared::{App, Result};

use crate::examples;

/// `GET /api/v2/notifications/{notification_id}`
pub struct GetNotification;

/// The parameters of the path.
#[derive(Deserialize, JsonSchema)]
pub struct Path {
    /// The notification.
    pub notification_id: NotificationId,
}

/// The parameters of the query.
#[derive(Deserialize, JsonSchema)]
pub struct Query {
    /// If true, the item is not marked as read.
    #[serde(default)]
    pub peek: bool,
}

impl Endpoint for GetNotification {
    const ROUTE: Route = Route::get(
        Tag::Notifications,
        "get_notification",
        "/api/v2/notifications/{notification_id}",
        "Get a notification",
    )
    .described("The notification and the mail that it is about are marked as read, unless `peek` is true.");
    const RIGHTS: Rights = Rights::OF_A_ROUTE
        .table(&[
            TableAction::BatchGetItem,
            TableAction::DeleteItem,
            TableAction::Query,
        ])
        .sends_to(&[Queue::Fanout]);
    type Who = Caller;
    type Path = Path;
    type Query = Query;
    type Body = Nothing;
    type Output = Notification;

    fn example() -> Example {
        Example {
            parameters: json!({ "notification_id": examples::NOTIFICATION, "peek": false }),
            answer: examples::read(),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Notification>> {
        let (user, notification) = (call.who.user, call.path.notification_id);
        let mut noted = Noted::of(app, user, notification).await?;
        if noted.is_unread() && !call.query.peek {
            noted = notices::read(app, user, noted).await?;
        }
        Ok(noted.notification().into())
    }
}
