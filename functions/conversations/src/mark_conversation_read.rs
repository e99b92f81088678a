//! `PATCH /api/conversations/{conversation_id}/read`: marks everything up to and including a message as read (S1-E05).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::auth::Caller;
use shared::domain::ids::{ConversationId, MessageId};
use shared::http::input::Nothing;
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::operations::reading;
use shared::queue::Queue;
use shared::rights::{Rights, TableAction};
use shared::{App, Result};

use crate::examples;

/// `PATCH /api/conversations/{conversation_id}/read`
pub struct MarkConversationRead;

/// The parameters of the path.
#[derive(Deserialize, JsonSchema)]
pub struct Path {
    /// The conversation.
    pub conversation_id: ConversationId,
}

/// The read position.
#[derive(Deserialize, JsonSchema)]
pub struct Body {
    /// The last message that was read.
    pub message_id: MessageId,
}

/// The caller's read position, which may be later than requested.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ReadState")]
pub struct Output {
    /// The conversation.
    pub conversation_id: ConversationId,
    /// The last message that was read.
    pub last_read_message_id: Option<MessageId>,
    /// The sequence number of that message.
    pub last_read_seq: u64,
    /// The number of messages that are still unread.
    pub unread_count: u32,
}

impl Endpoint for MarkConversationRead {
    const ROUTE: Route = Route::patch(
        Tag::Conversations,
        "mark_conversation_read",
        "/api/conversations/{conversation_id}/read",
        "Mark messages as read",
    )
    .for_members()
    .repeats_harmlessly()
    .described(
        "Marks all messages up to and including the given one as read. The read position never moves \
         backwards: if an older message is given, nothing changes. The response contains the caller's \
         actual read position.",
    );
    const RIGHTS: Rights = Rights::OF_A_ROUTE
        .table(&[TableAction::Query])
        .sends_to(&[Queue::Fanout]);
    type Who = Caller;
    type Path = Path;
    type Query = Nothing;
    type Body = Body;
    type Output = Output;

    fn example() -> Example {
        Example {
            parameters: json!({ "conversation_id": examples::CONVERSATION }),
            body: json!({ "message_id": examples::MESSAGE }),
            answer: json!({
                "conversation_id": examples::CONVERSATION,
                "last_read_message_id": examples::MESSAGE,
                "last_read_seq": 1,
                "unread_count": 0
            }),
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Output>> {
        let conversation_id = call.path.conversation_id;
        let marked = reading::mark(app, call.who.user, conversation_id, call.body.message_id).await?;
        let output = Output {
            conversation_id,
            last_read_message_id: marked.read_mark.last_read_message_id,
            last_read_seq: marked.read_mark.last_read_seq,
            unread_count: marked.unread_count,
        };
        Ok(output.into())
    }
}
