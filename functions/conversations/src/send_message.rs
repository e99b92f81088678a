//! `POST /api/conversations/{conversation_id}/messages`: sends a message (S1-E04).
//!
//! Responds once the message is in the log **and** its delivery is enqueued. A client without a response repeats the
//! request with the same `client_message_id` and gets the first message, however late.
//!
//! If the installation is configured so (`CREDITS_APPLY_TO`), a message in a direct conversation costs a credit, as
//! with `POST /api/v2/messages/send`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::auth::Caller;
use shared::config::CreditsApplyTo;
use shared::domain::credits::MESSAGE_COST;
use shared::domain::ids::{ConversationId, MessageId};
use shared::domain::message::{Event, Message, MessageType, Viewpoint};
use shared::domain::text::{ClientMessageId, MessageText};
use shared::http::idempotency::agreed;
use shared::http::input::Nothing;
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::queue::{self, Queue, Recipients};
use shared::rights::{Rights, TableAction};
use shared::store::credits;
use shared::store::log::{self, Appended, MessageDraft};
use shared::store::members::{self, Membership};
use shared::store::table::Consistency;
use shared::{App, Error, Result};

use crate::examples;

/// `POST /api/conversations/{conversation_id}/messages`
pub struct SendMessage;

/// The parameters of the path.
#[derive(Deserialize, JsonSchema)]
pub struct Path {
    /// The conversation.
    pub conversation_id: ConversationId,
}

/// The message to send.
#[derive(Deserialize, JsonSchema)]
pub struct Body {
    /// The text.
    pub content: MessageText,
    /// The kind of content.
    #[serde(default)]
    pub content_type: Sendable,
    /// An id of your choice, which makes the request safe to repeat. The header `Idempotency-Key` has the same meaning.
    pub client_message_id: Option<ClientMessageId>,
}

/// The kinds of content that clients can send.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sendable {
    /// Plain text.
    #[default]
    Text,
    /// An image.
    Image,
    /// The id of a file.
    File,
}

impl From<Sendable> for MessageType {
    fn from(sendable: Sendable) -> Self {
        match sendable {
            Sendable::Text => Self::Text,
            Sendable::Image => Self::Image,
            Sendable::File => Self::File,
        }
    }
}

impl Endpoint for SendMessage {
    const ROUTE: Route = Route::post(
        Tag::Messages,
        "send_message",
        "/api/conversations/{conversation_id}/messages",
        "Send a message",
    )
    .sends()
    .for_members()
    .refuses(&[402])
    .described(
        "If the installation counts direct messages (`CREDITS_APPLY_TO`), a message in a direct \
         conversation costs one credit. Without enough credits the answer is 402 and nothing is stored.\n\n\
         A 201 means that the message is stored **and** that its delivery to all connections of all \
         members is queued.\n\n\
         If you receive no response, send the request again with the same `client_message_id`: the \
         message is sent only once.",
    );
    const RIGHTS: Rights = Rights::OF_A_ROUTE
        .table(&[TableAction::Query])
        .sends_to(&[Queue::Fanout]);
    type Who = Caller;
    type Path = Path;
    type Query = Nothing;
    type Body = Body;
    type Output = Message;

    fn example() -> Example {
        Example {
            parameters: json!({ "conversation_id": examples::CONVERSATION }),
            body: json!({
                "content": "Hello, Bob!",
                "content_type": "text",
                "client_message_id": examples::CLIENT_MESSAGE_ID
            }),
            answer: examples::message(),
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Message>> {
        let conversation = call.path.conversation_id;
        let client_message_id = agreed(
            call.key.clone(),
            "client_message_id",
            call.body.client_message_id.clone(),
        )?;
        let (admitted, (sender, newest)) =
            tokio::try_join!(call.admit(app), log::sender(app, call.who.user, conversation))?;
        let draft = MessageDraft {
            id: match &client_message_id {
                Some(client) => MessageId::derived(conversation, sender.user(), client),
                None => MessageId::generate(app.now()),
            },
            client_message_id: client_message_id.map(|client| client.as_str().to_owned()),
            text: call.body.content.into_string(),
            message_type: call.body.content_type.into(),
            attachments: Vec::new(),
            metadata: serde_json::Map::new(),
            sender_username: admitted.card().username.clone(),
        };
        let enqueue = |seq| queue::enqueue_entry(app, conversation, Recipients::of(&sender), seq, draft.id);
        let is_paid =
            conversation.is_direct() && app.config().credits_apply_to == CreditsApplyTo::DirectMessages;
        let Appended { entry, replayed } = if is_paid {
            let account = credits::account(app, sender.user()).await?;
            let appended =
                log::append_paid(app, &admitted, &sender, &draft, newest, account, MESSAGE_COST).await?;
            enqueue(appended.entry.seq).await?;
            appended
        } else {
            log::append(app, &admitted, &sender, &draft, newest, enqueue).await?
        };

        let read_marks = if replayed {
            let membership = Membership::of(app, sender.user(), conversation, Consistency::Strong).await?;
            members::read_marks(app, &membership).await?
        } else {
            // A message that was just stored has no readers yet.
            Vec::new()
        };
        let viewpoint = Viewpoint {
            conversation,
            viewer: sender.user(),
            read_marks: &read_marks,
        };
        let Event::Message(content) = &entry.event else {
            return Err(Error::internal("an appended message is none"));
        };
        let message = viewpoint.message(entry.seq, entry.at, content);
        Ok(Reply::from(message).replayed(replayed))
    }
}
