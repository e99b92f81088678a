//! `DELETE /api/admin/messages/{message_id}/hard-delete`: removes the content of a message for good (S2-E15).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::auth::Permit;
use shared::domain::ids::MessageId;
use shared::domain::permission::HardDelete;
use shared::http::input::Nothing;
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::queue::Queue;
use shared::rights::{Rights, TableAction};
use shared::store::log;
use shared::{App, Result};

use crate::{announcement, examples};

/// `DELETE /api/admin/messages/{message_id}/hard-delete`
pub struct HardDeleteMessage;

/// The parameters of the path.
#[derive(Deserialize, JsonSchema)]
pub struct Path {
    /// The message.
    pub message_id: MessageId,
}

/// That it is done.
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
         appears as deleted. The audit log records who deleted it, but not its content. Repeating the \
         request changes nothing. Finished exports that contain the message are kept for at most seven \
         days.",
    );
    const RIGHTS: Rights = Rights::OF_A_ROUTE
        .table(&[TableAction::Query])
        .sends_to(&[Queue::Fanout]);
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
        let message_id = call.path.message_id;
        let told = log::erase(app, &call.permit(), message_id).await?;
        // Queued by every attempt: the one that stored the deletion may not have got this far.
        announcement::queue(app, message_id, &told).await?;
        Ok(Output {
            success: true,
            message_id,
        }
        .into())
    }
}
