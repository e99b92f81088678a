//! `POST /api/v2/messages/mark-delivered/{message_id}`: marks a message as delivered to its receiver (S2-E04).

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use shared::auth::Caller;
use shared::domain::ids::MessageId;
use shared::domain::message_v2::MessageV2;
use shared::http::input::Nothing;
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::operations::receipts;
use shared::queue::Queue;
use shared::rights::{Rights, TableAction};
use shared::{App, Result};

use crate::examples;

/// `POST /api/v2/messages/mark-delivered/{message_id}`
pub struct MarkMessageDelivered;

/// The parameters of the path.
#[derive(Deserialize, JsonSchema)]
pub struct Path {
    /// The message.
    pub message_id: MessageId,
}

impl Endpoint for MarkMessageDelivered {
    const ROUTE: Route = Route::post(
        Tag::PersonToPerson,
        "mark_message_delivered",
        "/api/v2/messages/mark-delivered/{message_id}",
        "Mark a message as delivered",
    )
    .answers(200)
    .refuses(&[403])
    .repeats_harmlessly()
    .described(
        "For the receiver of the message; the sender gets 403. If the message is delivered or read \
         already, nothing changes. Both users receive a `message_status` frame.",
    );
    const RIGHTS: Rights = Rights::OF_A_ROUTE
        .table(&[TableAction::BatchGetItem])
        .sends_to(&[Queue::Fanout]);
    const EXAMPLE_CALLER: &'static str = examples::BOB;
    type Who = Caller;
    type Path = Path;
    type Query = Nothing;
    type Body = Nothing;
    type Output = MessageV2;

    fn example() -> Example {
        let mut answer = examples::message();
        if let Some(fields) = answer.as_object_mut() {
            fields.insert("status".to_owned(), json!("delivered"));
            fields.insert("delivered_at".to_owned(), json!("2026-01-15T10:30:01.000Z"));
            fields.insert("updated_at".to_owned(), json!("2026-01-15T10:30:01.000Z"));
        }
        Example {
            parameters: json!({ "message_id": examples::MESSAGE }),
            answer,
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<MessageV2>> {
        let (message, read_marks) =
            receipts::mark_delivered(app, call.who.user, call.path.message_id).await?;
        let entry = message.entry();
        let between = receipts::between(&message, &read_marks);
        Ok(between.message(entry.seq, entry.at, message.content()?).into())
    }
}
