//! `DELETE /api/admin/messages/{message_id}/hard-delete`: erases a message or a mail, and withdraws the exports that
//! may contain it (S2-E15).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::auth::Permit;
use shared::domain::ids::MessageId;
use shared::domain::permission::HardDelete;
use shared::http::input::Nothing;
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::queue::Queue;
use shared::rights::{ObjectAction, Objects, Prefix, Rights, TableAction};
use shared::store::{exports, log, mail};
use shared::{App, Error, Result};

use crate::{enqueue, examples};

/// `DELETE /api/admin/messages/{message_id}/hard-delete`
pub struct HardDeleteMessage;

/// The parameters of the path.
#[derive(Deserialize, JsonSchema)]
pub struct Path {
    /// The message, or the mail.
    pub message_id: MessageId,
}

/// The result.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MessageHardDeletion")]
pub struct Output {
    /// Always true.
    pub success: bool,
    /// The message.
    pub message_id: MessageId,
}

impl Endpoint for HardDeleteMessage {
    const ROUTE: Route = Route::delete(
        Tag::Administration,
        "hard_delete_message",
        "/api/admin/messages/{message_id}/hard-delete",
        "Permanently delete a message",
    )
    .answers(200)
    .described(
        "Removes the content from the database; it can't be restored. The message keeps its `seq` and \
         appears as deleted; a mail stays in both boxes without subject and body. The audit log records \
         who deleted it, but not its content. Repeating the request changes nothing.\n\n\
         Exports that may contain the message, by their period and user, are withdrawn and their files \
         removed.",
    );
    const RIGHTS: Rights = Rights::OF_A_ROUTE
        .table(&[TableAction::Query])
        .sends_to(&[Queue::Fanout])
        .objects(&[Objects::used(Prefix::Exports, &[ObjectAction::Delete])])
        .lists_bucket();
    type Who = Permit<HardDelete>;
    type Path = Path;
    type Query = Nothing;
    type Body = Nothing;
    type Output = Output;

    fn example() -> Example {
        Example {
            parameters: json!({ "message_id": examples::MESSAGE }),
            answer: json!({ "success": true, "message_id": examples::MESSAGE }),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Output>> {
        let (permit, message_id) = (call.permit(), call.path.message_id);
        let recorded = match log::erase(app, &permit, message_id).await {
            Ok(recorded) => recorded,
            Err(Error::NotFound(_)) => {
                // Exports contain no mails.
                let enqueue =
                    async |user, version| enqueue::mail_update(app, user, message_id, version).await;
                mail::erase(app, &permit, message_id, enqueue).await?;
                return Ok(Output {
                    success: true,
                    message_id,
                }
                .into());
            }
            Err(error) => return Err(error),
        };
        // Enqueued by every attempt: the attempt that stored the deletion may have died before it could.
        enqueue::entry(app, message_id, &recorded).await?;
        let people = recorded.pair.map_or_else(|| vec![recorded.sender], Vec::from);
        exports::withdraw(app, &permit, recorded.sent_at, &people).await?;
        Ok(Output {
            success: true,
            message_id,
        }
        .into())
    }
}
