//! `POST /api/v2/notifications/system`: creates a system notification for a user (S0-E13).
//!
//! The parameters may be in the JSON body or in the query; where both have one, they must be equal.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use shared::auth::Permit;
use shared::domain::ids::UserId;
use shared::domain::notification::{Notification, NotificationText, NotificationType, SYSTEM_ALERT};
use shared::domain::permission::NotificationsSystem;
use shared::http::input::Nothing;
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::queue::{self, PersonalEvent, Queue};
use shared::rights::{Rights, TableAction};
use shared::store::{notifications, profiles};
use shared::{App, Error, Result};

use crate::examples;

/// `POST /api/v2/notifications/system`
pub struct CreateSystemNotification;

/// The notification, in the query.
#[derive(Deserialize, JsonSchema)]
pub struct Query {
    /// The user to notify.
    pub user_id: Option<UserId>,
    /// The text.
    pub content: Option<NotificationText>,
    /// The type. Defaults to `system_alert`.
    pub notification_type: Option<NotificationType>,
}

/// The notification. Fields that are given in the query may be left out.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "NotificationCreate")]
pub struct Body {
    /// The user to notify.
    pub user_id: Option<UserId>,
    /// The text.
    pub content: Option<NotificationText>,
    /// The type. Defaults to `system_alert`.
    pub notification_type: Option<NotificationType>,
}

impl Endpoint for CreateSystemNotification {
    const ROUTE: Route = Route::post(
        Tag::Notifications,
        "create_system_notification",
        "/api/v2/notifications/system",
        "Send a system notification",
    )
    .body_may_be_absent()
    .refuses(&[404])
    .takes_key()
    .described(
        "Parameters may be given in a JSON body or in the query. A parameter that is given in both \
         must have the same value (422). An unknown user is 404.",
    );
    const RIGHTS: Rights = Rights::OF_A_ROUTE
        .table(&[TableAction::BatchGetItem])
        .sends_to(&[Queue::Fanout]);
    type Who = Permit<NotificationsSystem>;
    type Path = Nothing;
    type Query = Query;
    type Body = Body;
    type Output = Notification;

    fn example() -> Example {
        Example {
            parameters: json!({
                "user_id": examples::BOB,
                "content": examples::ALERT,
                "notification_type": "maintenance"
            }),
            answer: examples::alert(),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Notification>> {
        let permit = call.permit();
        let (query, body) = (&call.query, &call.body);
        let user = one_of("user_id", query.user_id.as_ref(), body.user_id.as_ref())?
            .ok_or_else(|| missing("user_id"))?;
        let content = one_of("content", query.content.as_ref(), body.content.as_ref())?
            .ok_or_else(|| missing("content"))?;
        let of_type = match one_of(
            "notification_type",
            query.notification_type.as_ref(),
            body.notification_type.as_ref(),
        )? {
            Some(of_type) => of_type.clone(),
            None => NotificationType::parse(SYSTEM_ALERT.to_owned()).map_err(Error::internal)?,
        };
        let user = *user;
        if profiles::find(app, user).await?.is_none() {
            return Err(Error::NotFound("user"));
        }
        let once = call.once(&json!({ "user_id": user, "content": content, "notification_type": of_type }));
        let (notification, is_replayed) =
            notifications::notify(app, &permit, user, &of_type, content, once.as_ref()).await?;
        let event = PersonalEvent::NotificationCreated {
            notification: notification.id,
        };
        queue::enqueue_personal(app, user, event).await?;
        Ok(Reply::from(notification).replayed(is_replayed))
    }
}

/// The parameter from the query or the body.
fn one_of<T: PartialEq>(field: &'static str, query: Option<T>, body: Option<T>) -> Result<Option<T>> {
    match (query, body) {
        (Some(query), Some(body)) if query != body => Err(Error::invalid(
            field,
            "contradiction",
            "differs between query and body",
        )),
        (query, body) => Ok(query.or(body)),
    }
}

fn missing(field: &'static str) -> Error {
    Error::invalid(field, "missing", "is missing")
}
