//! `POST /api/v2/messages/mark-read`: marks only these messages as read (S2-E05).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::auth::Caller;
use shared::domain::ids::MessageId;
use shared::domain::list::List;
use shared::http::input::Nothing;
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::operations::receipts;
use shared::queue::Queue;
use shared::rights::{Rights, TableAction};
use shared::{App, Result};

use crate::examples;

/// `POST /api/v2/messages/mark-read`
pub struct MarkMessagesRead;

/// The messages to mark as read.
#[derive(Deserialize, JsonSchema)]
pub struct Body {
    /// The messages, 1 to 100.
    pub message_ids: List<MessageId, 1, 100>,
}

/// The result.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MessagesMarkedRead")]
pub struct Output {
    /// Always true.
    pub success: bool,
    /// The number of messages that were unread before. Ids of messages that the caller did not receive are ignored.
    pub marked_count: u64,
}

impl Endpoint for MarkMessagesRead {
    const ROUTE: Route = Route::post(
        Tag::PersonToPerson,
        "mark_messages_read",
        "/api/v2/messages/mark-read",
        "Mark individual messages as read",
    )
    .answers(200)
    .repeats_harmlessly()
    .described(
        "Marks only the given messages as read. If all earlier messages are read too, the caller's \
         read position in the conversation moves forward.\n\n\
         Ahead of the read position up to 1,000 runs of consecutive messages can be marked per \
         conversation. Beyond that, unread messages before the oldest of them count as read. Both users \
         receive `message_status` frames.",
    );
    const RIGHTS: Rights = Rights::OF_A_ROUTE
        .table(&[TableAction::BatchGetItem, TableAction::Query])
        .sends_to(&[Queue::Fanout]);
    const EXAMPLE_CALLER: &'static str = examples::BOB;
    type Who = Caller;
    type Path = Nothing;
    type Query = Nothing;
    type Body = Body;
    type Output = Output;

    fn example() -> Example {
        Example {
            body: json!({ "message_ids": [examples::MESSAGE] }),
            answer: json!({ "success": true, "marked_count": 1 }),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Output>> {
        let marked_count = receipts::mark_read(app, call.who.user, call.body.message_ids.as_slice()).await?;
        let output = Output {
            success: true,
            marked_count,
        };
        Ok(output.into())
    }
}
