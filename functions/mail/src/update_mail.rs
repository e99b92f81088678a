//! `PUT /api/v2/messages/{message_id}`: changes the caller's flags of a mail (S0-E04).
//!
//! Absent flags are left unchanged. With `If-Match` only the version that the client has seen is changed.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use shared::auth::Caller;
use shared::domain::ids::MessageId;
use shared::domain::mail::{Change, Mail};
use shared::http::input::Nothing;
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::operations::views;
use shared::queue::{self, PersonalEvent, Queue};
use shared::rights::{Rights, TableAction};
use shared::store::mail::{self, Correspondent};
use shared::{App, Result};

use crate::examples;

/// `PUT /api/v2/messages/{message_id}`
pub struct UpdateMail;

/// The parameters of the path.
#[derive(Deserialize, JsonSchema)]
pub struct Path {
    /// The mail.
    pub message_id: MessageId,
}

/// The flags to set. Absent flags are not changed.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "MessageUpdate")]
pub struct Body {
    /// Whether it is read.
    pub is_read: Option<bool>,
    /// Whether it is starred.
    pub is_starred: Option<bool>,
    /// Whether it is archived.
    pub is_archived: Option<bool>,
}

impl Endpoint for UpdateMail {
    const ROUTE: Route = Route::put(
        Tag::Mail,
        "update_mail",
        "/api/v2/messages/{message_id}",
        "Update the flags of a mail",
    )
    .versioned()
    .described(
        "Flags that are absent from the request stay as they are. The version is increased only if a \
         flag changes. With `is_read: true` the notification about the mail is marked as read too.\n\n\
         With `If-Match: \"<version>\"` the flags are changed only if they still have this version; \
         otherwise the response is 412.",
    );
    const RIGHTS: Rights = Rights::OF_A_ROUTE
        .table(&[TableAction::BatchGetItem, TableAction::DeleteItem])
        .sends_to(&[Queue::Fanout]);
    type Who = Caller;
    type Path = Path;
    type Query = Nothing;
    type Body = Body;
    type Output = Mail;

    fn example() -> Example {
        Example {
            parameters: json!({ "message_id": examples::MAIL }),
            body: json!({ "is_starred": true }),
            answer: examples::starred(),
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Mail>> {
        let (user, message) = (call.who.user, call.path.message_id);
        let mail = Correspondent::of(app, user, message, &call.preconditions).await?;
        let change = Change {
            is_read: call.body.is_read,
            is_starred: call.body.is_starred,
            is_archived: call.body.is_archived,
        };
        let enqueue = async |version| {
            // Without requested flags there is nothing to deliver.
            if change == Change::default() {
                return Ok(());
            }
            let event = PersonalEvent::MailUpdated {
                message,
                version,
                reads: change.is_read == Some(true),
            };
            queue::enqueue_personal(app, user, event).await
        };
        let mail = mail::change(app, mail, change, enqueue).await?;
        let reply = Reply::from(views::mail::mail(app, &mail).await?);
        Ok(reply.version(mail.flags().version))
    }
}
