//! `DELETE /api/v2/messages/{message_id}`: deletes a mail from the caller's box (S0-E05).
//!
//! The other side keeps the mail, and the content is kept for moderation. The caller's notification about it is deleted
//! too. A person-to-person message is deleted as in conversations: by its sender, for both, who see a tombstone
//! (S2-E07). With `If-Match` only the version that the client has seen is deleted.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use shared::auth::Caller;
use shared::domain::ids::MessageId;
use shared::http::input::Nothing;
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::operations::deleting;
use shared::queue::{self, PersonalEvent, Queue};
use shared::rights::{Rights, TableAction};
use shared::store::log;
use shared::store::mail::{self, Correspondent};
use shared::{App, Error, Result};

use crate::examples;

/// `DELETE /api/v2/messages/{message_id}`
pub struct DeleteMail;

/// The parameters of the path.
#[derive(Deserialize, JsonSchema)]
pub struct Path {
    /// The mail or message.
    pub message_id: MessageId,
}

impl Endpoint for DeleteMail {
    const ROUTE: Route = Route::delete(
        Tag::Mail,
        "delete_mail",
        "/api/v2/messages/{message_id}",
        "Delete a mail",
    )
    .refuses(&[403])
    .versioned()
    .described(
        "Removes a mail from the caller's mailbox, together with the notification about it. The other \
         side keeps its copy.\n\n\
         The id may also be that of a person-to-person message. Its sender deletes it for both users, \
         who see it with `is_deleted: true`; its receiver gets 403.",
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
            parameters: json!({ "message_id": examples::MAIL }),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<()>> {
        let (user, message) = (call.who.user, call.path.message_id);
        let mail = match Correspondent::of(app, user, message, &call.preconditions).await {
            Ok(mail) => mail,
            Err(Error::NotFound(_)) => {
                let direct = log::addressed(app, user, &[message]).await?;
                let direct = direct.first().ok_or(Error::NotFound("message"))?;
                call.preconditions.check(None)?;
                deleting::delete(app, user, direct.conversation(), message).await?;
                queue::enqueue_personal(app, user, PersonalEvent::MessageDeleted { message }).await?;
                return Ok(Reply::empty());
            }
            Err(error) => return Err(error),
        };
        let enqueue = async |notification| {
            queue::enqueue_personal(
                app,
                user,
                PersonalEvent::MailDeleted {
                    message,
                    notification,
                },
            )
            .await
        };
        mail::delete(app, mail, enqueue).await?;
        Ok(Reply::empty())
    }
}
