//! `PUT /api/v2/notifications/bulk/read`: marks many notifications as read, or all (S0-E12).
//!
//! Idempotent, so a client without a response repeats the request, which also enqueues the delivery again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::auth::Caller;
use shared::domain::ids::NotificationId;
use shared::http::input::Nothing;
use shared::http::page::Ids;
use shared::http::reply::status_and_code;
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::operations::notices;
use shared::queue::{self, PersonalEvent, Queue};
use shared::rights::{Rights, TableAction};
use shared::store::notifications;
use shared::{App, Error, Result};

use crate::examples;

/// `PUT /api/v2/notifications/bulk/read`
pub struct MarkNotificationsRead;

/// The notifications to mark: either `notification_ids` or `all`.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "BulkNotificationUpdate")]
pub struct Body {
    /// The notifications.
    pub notification_ids: Option<Ids<NotificationId>>,
    /// True to mark all notifications.
    #[serde(default)]
    pub all: Option<bool>,
}

/// The result of the update.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "BulkNotificationResult")]
pub struct Output {
    /// With ids, the number of these notifications that are read now; with `all`, the number that were unread.
    pub updated_count: u64,
    /// The notifications that could not be marked as read.
    pub failed: Vec<Failure>,
}

/// A notification that could not be marked as read.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "BulkNotificationFailure")]
pub struct Failure {
    /// The notification.
    pub id: NotificationId,
    /// The error code, such as `NOT_FOUND`.
    pub code: &'static str,
}

impl Endpoint for MarkNotificationsRead {
    const ROUTE: Route = Route::put(
        Tag::Notifications,
        "mark_notifications_read",
        "/api/v2/notifications/bulk/read",
        "Mark several notifications as read",
    )
    .described(
        "Takes either `notification_ids` or `all: true`. The mails that the notifications in \
         `notification_ids` are about are marked as read too; `all` leaves mails as they are. \
         Notifications that arrive while all are being marked stay unread.",
    );
    const RIGHTS: Rights = Rights::OF_A_ROUTE
        .table(&[
            TableAction::BatchGetItem,
            TableAction::DeleteItem,
            TableAction::Query,
        ])
        .sends_to(&[Queue::Fanout]);
    type Who = Caller;
    type Path = Nothing;
    type Query = Nothing;
    type Body = Body;
    type Output = Output;

    fn example() -> Example {
        Example {
            body: json!({ "notification_ids": [examples::NOTIFICATION] }),
            answer: json!({ "updated_count": 1, "failed": [] }),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Output>> {
        let user = call.who.user;
        let all = call.body.all.unwrap_or(false);
        let (marked, failed, ids, mails) = match (&call.body.notification_ids, all) {
            (None, true) => {
                let marked = notifications::read_all(app, user).await?;
                (marked, Vec::new(), Vec::new(), Vec::new())
            }
            (Some(ids), false) => {
                let (mut marked, mut failed) = (Vec::new(), Vec::new());
                let found = notices::read_many(app, user, ids.get()).await?;
                for (id, result) in found.results {
                    match result {
                        Ok(()) => marked.push(id),
                        Err(error) => failed.push(Failure {
                            id,
                            code: status_and_code(&error).1,
                        }),
                    }
                }
                (marked.len() as u64, failed, marked, found.mails)
            }
            (None, false) => {
                let reason = "is missing, and all is not true";
                return Err(Error::invalid("notification_ids", "missing", reason));
            }
            (Some(_), true) => {
                let reason = "cannot be combined with notification_ids";
                return Err(Error::invalid("all", "contradiction", reason));
            }
        };
        if all || !ids.is_empty() {
            let event = PersonalEvent::NotificationsRead {
                notifications: ids,
                all,
                marked,
                mails,
            };
            queue::enqueue_personal(app, user, event).await?;
        }
        Ok(Output {
            updated_count: marked,
            failed,
        }
        .into())
    }
}
