//! `DELETE /api/v2/notifications/{notification_id}`: deletes a notification (S0-E11).
//!
//! One about missed messages comes back when another message of that conversation is missed.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use shared::auth::Caller;
use shared::domain::ids::NotificationId;
use shared::http::input::Nothing;
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::queue::{self, PersonalEvent, Queue};
use shared::rights::{Rights, TableAction};
use shared::store::notifications::{self, Noted};
use shared::{App, Result};

use crate::examples;

/// `DELETE /api/v2/notifications/{notification_id}`
pub struct DeleteNotification;

/// The parameters of the path.
#[derive(Deserialize, JsonSchema)]
pub struct Path {
    /// The notification.
    pub notification_id: NotificationId,
}

impl Endpoint for DeleteNotification {
    const ROUTE: Route = Route::delete(
        Tag::Notifications,
        "delete_notification",
        "/api/v2/notifications/{notification_id}",
        "Delete a notification",
    )
    .described(
        "A deleted notification about missed messages is created again when the caller misses another \
         message in the same conversation.",
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
    type Output = ();

    fn example() -> Example {
        Example {
            parameters: json!({ "notification_id": examples::NOTIFICATION }),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<()>> {
        let (user, notification) = (call.who.user, call.path.notification_id);
        let noted = Noted::of(app, user, notification).await?;
        let event = PersonalEvent::NotificationDeleted { notification };
        notifications::delete(app, noted, queue::enqueue_personal(app, user, event)).await?;
        Ok(Reply::empty())
    }
}
