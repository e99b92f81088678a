//! `DELETE /api/conversations/{conversation_id}/messages/{message_id}`: deletes an own message (S1-E06).
//!
//! Its place in the log stays, as a tombstone; the content is kept for moderation and shown to nobody.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use shared::auth::Caller;
use shared::domain::ids::{ConversationId, MessageId};
use shared::domain::message::Event;
use shared::http::input::Nothing;
use shared::http::{Call, Endpoint, Example, Reply, Route, entry};
use shared::lambda::{Function, Port};
use shared::queue::{self, Fanout, FanoutEvent, Queue, Recipients};
use shared::store::log;
use shared::store::members::Membership;
use shared::store::table::Consistency;
use shared::{App, Error, Result};

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

/// The function.
pub fn function() -> Function {
    Function::http(entry::<DeleteMessage>()).using(&[Port::Queues])
}

impl Endpoint for DeleteMessage {
    const ROUTE: Route = Route::delete(
        "delete_message",
        "/api/conversations/{conversation_id}/messages/{message_id}",
        "Delete an own message",
    );
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
        let (caller, conversation) = (call.who.user, call.path.conversation_id);
        let membership = Membership::of(app, caller, conversation, Consistency::Strong).await?;
        let (message, newest) = tokio::try_join!(
            log::find(app, &membership, call.path.message_id),
            log::newest(app, conversation, Consistency::Eventual),
        )?;
        let message = message.ok_or(Error::NotFound("message"))?;
        match &message.event {
            Event::Message(content) if content.sender == caller => {}
            _ => return Err(Error::Forbidden("only the sender may delete a message")),
        }
        let seq = log::delete(app, &membership, &message, newest).await?;
        // Queued by every attempt: the one that stored the deletion may not have got this far.
        let event = FanoutEvent::Entry {
            seq,
            message: call.path.message_id,
            queued_at: app.now(),
        };
        let job = Fanout {
            conversation,
            event,
            to: Recipients::of(&membership.sender()),
        };
        queue::send(app, Queue::Fanout, &job, 0).await?;
        Ok(Reply::empty())
    }
}
