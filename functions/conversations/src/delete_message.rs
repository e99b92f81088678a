//! `DELETE /api/conversations/{conversation_id}/messages/{message_id}`: deletes one of the caller's messages (S1-E06).
//!
//! Its entry stays in the log as a tombstone; the content is kept for moderation and hidden from everybody else.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use shared::auth::Caller;
use shared::domain::ids::{ConversationId, MessageId};
use shared::http::input::Nothing;
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::operations::deleting;
use shared::queue::Queue;
use shared::rights::{Rights, TableAction};
use shared::{App, Result};

use crate::examples;

/// `DELETE /api/conversations/{conversation_id}/messages/{message_id}`
pub struct DeleteMessage;

/// The parameters of the path.
#[derive(Deserialize, JsonSchema)]
pub struct Path {
    /// The conversation.
    pub conversation_id: ConversationId,
    /// The message.
    pub message_id: MessageId,
}

impl Endpoint for DeleteMessage {
    const ROUTE: Route = Route::delete(
        Tag::Messages,
        "delete_message",
        "/api/conversations/{conversation_id}/messages/{message_id}",
        "Delete a message",
    )
    .for_members()
    .refuses(&[403])
    .described(
        "Only the sender may delete a message; other members get 403. The message keeps its `seq`, \
         without its content. Deleting a deleted message again is 204 too.",
    );
    const RIGHTS: Rights = Rights::OF_A_ROUTE
        .table(&[TableAction::Query])
        .sends_to(&[Queue::Fanout]);
    type Who = Caller;
    type Path = Path;
    type Query = Nothing;
    type Body = Nothing;
    type Output = ();

    fn example() -> Example {
        Example {
            parameters: json!({ "conversation_id": examples::CONVERSATION, "message_id": examples::MESSAGE }),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<()>> {
        deleting::delete(
            app,
            call.who.user,
            call.path.conversation_id,
            call.path.message_id,
        )
        .await?;
        Ok(Reply::empty())
    }
}
