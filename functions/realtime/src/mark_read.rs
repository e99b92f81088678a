//! `mark_read`: marks everything up to and including a message as read (S1-W04, S1-W05).

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::domain::frame::Frame;
use shared::domain::ids::{ConversationId, MessageId};
use shared::examples;
use shared::operations::reading;
use shared::queue::Queue;
use shared::rights::{Rights, TableAction};
use shared::socket::{Action, Connection};
use shared::{App, Result};

/// `mark_read`
pub struct MarkRead;

/// The frame.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "MarkReadRequest")]
pub struct Input {
    /// Where.
    pub conversation_id: ConversationId,
    /// The last message that was read.
    pub message_id: MessageId,
}

impl Action for MarkRead {
    const NAME: &'static str = "mark_read";
    const KEY: &'static str = "mark_read";
    const SUMMARY: &'static str = "Mark messages as read";
    const DESCRIPTION: &'static str = "All messages up to and including the given one count as read; the read position never moves \
         backwards. All members receive `message_read`, including this connection; in groups of more than 100 members \
         only the reader's own connections do.";
    const RIGHTS: Rights = Rights::OF_A_FRAME
        .table(&[TableAction::Query, TableAction::UpdateItem])
        .sends_to(&[Queue::Fanout]);
    type Input = Input;

    fn example() -> Value {
        json!({
            "type": "mark_read",
            "conversation_id": examples::CONVERSATION,
            "message_id": examples::MESSAGE
        })
    }

    async fn handle(app: &App, from: Connection, input: Input) -> Result<Vec<Frame>> {
        // The response is the `message_read` frame that all members get, on this connection too.
        reading::mark(app, from.caller.user, input.conversation_id, input.message_id).await?;
        Ok(Vec::new())
    }
}
