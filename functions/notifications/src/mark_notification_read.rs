//! `PUT /api/v2/notifications/{notification_id}/read`: marks a notification as read (S0-E10).

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

/// `PUT /api/v2/notifications/{notification_id}/read`
pub struct MarkNotificationRead;

/// The parameters of the path.
#[derive(Deserialize, JsonSchema)]
pub struct Path {
    /// The notification.
    pub notification_id: NotificationId,
}

impl Endpoint for MarkNotificationRead {
    const ROUTE: Route = Route::put(
        Tag::Notifications,
        "mark_notification_read",
        "/api/v2/notifications/{notification_id}/read",
        "Mark a notification as read",
    );
    const RIGHTS: Rights = Rights::OF_A_ROUTE
        .table(&[
            TableAction::BatchGetItem,
            TableAction::DeleteItem,
            TableAction::Query,
        ])
        .sends_to(&[Queue::Fanout]);
    type Who = Caller;
    type Path = Path;
    type Query = Nothing;
    type Body = Nothing;
    type Output = Notification;

    fn example() -> Example {
        Example {
            parameters: json!({ "notification_id": examples::NOTIFICATION }),
            answer: examples::read(),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Notification>> {
        let (user, notification) = (call.who.user, call.path.notification_id);
        let noted = Noted::of(app, user, notification).await?;
        let noted = notices::read(app, user, noted).await?;
        Ok(noted.notification().into())
    }
}
