//! `POST /api/v2/messages/send`: sends a message to a person, for a credit (S2-E01, S2-N01, S2-N02).
//!
//! The message is in the direct conversation of the two users. It and its debit are one transaction: a message that
//! cannot be paid for leaves nothing behind. Responds once it is stored **and** its delivery is enqueued.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use shared::auth::Caller;
use shared::domain::credits::MESSAGE_COST;
use shared::domain::ids::{ConversationId, FileId, MessageId, UserId};
use shared::domain::list::List;
use shared::domain::message::{Entry, Event, MessageType};
use shared::domain::message_v2::{Between, MessageV2};
use shared::domain::metadata::Metadata;
use shared::domain::text::{ClientMessageId, Text};
use shared::http::idempotency::agreed;
use shared::http::input::Nothing;
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::operations::receipts;
use shared::queue::{self, Fanout, FanoutEvent, Queue, Recipients};
use shared::rights::{Rights, TableAction};
use shared::store::conversations::{self, Opened};
use shared::store::credits::{self, Account};
use shared::store::files::{self, MOST_ATTACHMENTS};
use shared::store::log::{self, Appended, MessageDraft};
use shared::store::members::{Membership, Sender};
use shared::store::profiles;
use shared::store::table::Consistency;
use shared::{App, Error, Result};

use crate::examples;

/// `POST /api/v2/messages/send`
pub struct SendDirectMessage;

/// The message to send.
#[derive(Deserialize, JsonSchema)]
pub struct Body {
    /// The receiver.
    pub receiver_id: UserId,
    /// The text.
    pub content: Text<1, 10_000>,
    /// The type.
    #[serde(default)]
    pub message_type: MessageType,
    /// The ids of attached files, at most 10: completed uploads of the sender.
    #[serde(default)]
    pub attachments: List<FileId, 0, MOST_ATTACHMENTS>,
    /// Data of the client, an object of at most 4,096 bytes.
    #[serde(default)]
    pub metadata: Metadata,
    /// An id of your choice, which makes the request safe to repeat. The header `Idempotency-Key` has the same meaning.
    pub client_message_id: Option<ClientMessageId>,
}

impl Endpoint for SendDirectMessage {
    const ROUTE: Route = Route::post(
        Tag::PersonToPerson,
        "send_direct_message",
        "/api/v2/messages/send",
        "Send a message to a user",
    )
    .answers(200)
    .sends()
    .refuses(&[402, 404])
    .described(
        "Costs one credit, debited in the same transaction. If the balance is too low, the response is \
         402 and nothing is sent.\n\n\
         The message becomes part of the direct conversation of the two users, which is created if \
         necessary, and also appears in the conversation routes. An unknown receiver is 404. You can't \
         message yourself (422).",
    );
    const RIGHTS: Rights = Rights::OF_A_ROUTE
        .table(&[TableAction::BatchGetItem, TableAction::Query])
        .sends_to(&[Queue::Fanout]);
    type Who = Caller;
    type Path = Nothing;
    type Query = Nothing;
    type Body = Body;
    type Output = MessageV2;

    fn example() -> Example {
        Example {
            body: json!({
                "receiver_id": examples::BOB,
                "content": "Hello, Bob!",
                "message_type": "text",
                "attachments": [],
                "metadata": {},
                "client_message_id": examples::CLIENT_MESSAGE_ID
            }),
            answer: examples::message(),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<MessageV2>> {
        let (user, receiver) = (call.who.user, call.body.receiver_id);
        let client_message_id = agreed(
            call.key.clone(),
            "client_message_id",
            call.body.client_message_id.clone(),
        )?;
        if user == receiver {
            return Err(Error::invalid(
                "receiver_id",
                "oneself",
                "must be another user than the caller",
            ));
        }
        let conversation = ConversationId::direct(user, receiver);
        let (admitted, found, account, attachments) = tokio::try_join!(
            call.admit(app),
            find(app, user, conversation),
            credits::account(app, user),
            files::attachments(app, user, call.body.attachments.as_slice()),
        )?;
        let (sender, newest) = match found {
            Some((sender, Some(newest))) => (sender, Some(newest)),
            // An attempt that died may have left the conversation half opened and empty.
            Some((_, None)) | None => (open(app, user, receiver, account).await?, None),
        };
        let draft = MessageDraft {
            id: match &client_message_id {
                Some(client) => MessageId::derived(conversation, user, client),
                None => MessageId::generate(app.now()),
            },
            client_message_id: client_message_id.map(|client| client.as_str().to_owned()),
            text: call.body.content.into_string(),
            message_type: call.body.message_type,
            attachments,
            metadata: call.body.metadata.into_map(),
            sender_username: admitted.card().username.clone(),
        };
        let Appended { entry, replayed } =
            log::append_paid(app, &admitted, &sender, &draft, newest, account, MESSAGE_COST).await?;
        queue::enqueue_entry(app, conversation, Recipients::of(&sender), entry.seq, draft.id).await?;

        let read_marks = if replayed {
            let membership = Membership::of(app, user, conversation, Consistency::Strong).await?;
            receipts::both(app, &membership).await?.to_vec()
        } else {
            // A message that was just stored has no readers yet.
            Vec::new()
        };
        let between = Between {
            conversation,
            pair: [user, receiver],
            read_marks: &read_marks,
        };
        let Event::Message(content) = &entry.event else {
            return Err(Error::internal("an appended message is none"));
        };
        let message = between.message(entry.seq, entry.at, content);
        Ok(Reply::from(message).replayed(replayed))
    }
}

/// The caller as a sender in the conversation with the receiver, and the end of its log; none if there is no
/// conversation.
async fn find(
    app: &App,
    user: UserId,
    conversation: ConversationId,
) -> Result<Option<(Sender, Option<Entry>)>> {
    match log::sender(app, user, conversation).await {
        Ok(found) => Ok(Some(found)),
        Err(Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Opens the conversation, or completes its opening, for a message that can be paid for.
async fn open(app: &App, user: UserId, receiver: UserId, account: Account) -> Result<Sender> {
    profiles::find(app, receiver)
        .await?
        .ok_or(Error::NotFound("user"))?;
    if account.balance < MESSAGE_COST {
        return Err(Error::InsufficientCredits {
            cost: MESSAGE_COST,
            balance: account.balance,
        });
    }
    let (Opened::New(head) | Opened::Existing(head)) =
        conversations::open_direct(app, user, receiver).await?;
    let job = Fanout {
        conversation: head.id,
        event: FanoutEvent::Opened,
        to: Recipients::All,
    };
    queue::enqueue(app, Queue::Fanout, &job).await?;
    let membership = Membership::of(app, user, head.id, Consistency::Strong).await?;
    Ok(membership.sender())
}
