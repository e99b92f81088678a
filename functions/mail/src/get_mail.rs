//! `GET /api/v2/messages/{message_id}`: one mail, or one person-to-person message, which is thereby marked as read
//! (S0-E02).
//!
//! Only the recipient's request marks it, and not with `peek` or a failed precondition. For anybody but the sender and
//! the recipient it does not exist.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::auth::Caller;
use shared::domain::ids::{MessageId, UserId};
use shared::domain::mail::{Change, Mail, Side};
use shared::domain::message_v2::MessageV2;
use shared::domain::precondition::Preconditions;
use shared::http::input::Nothing;
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::operations::{receipts, views};
use shared::queue::{self, PersonalEvent, Queue};
use shared::rights::{Rights, TableAction};
use shared::store::log;
use shared::store::mail::{self, Correspondent};
use shared::{App, Error, Result};

use crate::examples;

/// `GET /api/v2/messages/{message_id}`
pub struct GetMail;

/// The parameters of the path.
#[derive(Deserialize, JsonSchema)]
pub struct Path {
    /// The mail or message.
    pub message_id: MessageId,
}

/// The parameters of the query.
#[derive(Deserialize, JsonSchema)]
pub struct Query {
    /// If true, the item is not marked as read.
    #[serde(default)]
    pub peek: bool,
}

/// A mail or a person-to-person message.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "MessageResponse")]
pub enum Output {
    /// A mail.
    Mail(Box<Mail>),
    /// A message between the caller and somebody.
    Direct(Box<MessageV2>),
}

impl Endpoint for GetMail {
    const ROUTE: Route = Route::get(
        Tag::Mail,
        "get_mail",
        "/api/v2/messages/{message_id}",
        "Get a mail",
    )
    .versioned()
    .described(
        "Also returns person-to-person messages by their id. The mail and the notification about it \
         are marked as read if the caller is the recipient, unless `peek` is true.\n\n\
         The header `ETag` contains the version of the caller's flags; person-to-person messages have \
         none.",
    );
    const RIGHTS: Rights = Rights::OF_A_ROUTE
        .table(&[
            TableAction::BatchGetItem,
            TableAction::DeleteItem,
            TableAction::Query,
        ])
        .sends_to(&[Queue::Fanout]);
    type Who = Caller;
    type Path = Path;
    type Query = Query;
    type Body = Nothing;
    type Output = Output;

    fn example() -> Example {
        Example {
            parameters: json!({ "message_id": examples::MAIL, "peek": false }),
            answer: examples::starred(),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Output>> {
        let (user, message) = (call.who.user, call.path.message_id);
        let preconditions = &call.preconditions;
        let mut mail = match Correspondent::of(app, user, message, preconditions).await {
            Ok(mail) => mail,
            Err(Error::NotFound(_)) => {
                return direct(app, user, message, preconditions, call.query.peek).await;
            }
            Err(error) => return Err(error),
        };
        if mail.side() != Side::Sender && !mail.flags().is_read && !call.query.peek {
            let enqueue = async |version| {
                queue::enqueue_personal(app, user, PersonalEvent::MailRead { message, version }).await
            };
            mail = mail::change(app, mail, Change::READ, enqueue).await?;
        }
        let reply = Reply::from(Output::Mail(Box::new(views::mail::mail(app, &mail).await?)));
        Ok(reply.version(mail.flags().version))
    }
}

/// The person-to-person message of the user with this id. It has no version.
async fn direct(
    app: &App,
    user: UserId,
    message: MessageId,
    preconditions: &Preconditions,
    peek: bool,
) -> Result<Reply<Output>> {
    let found = log::addressed(app, user, &[message]).await?;
    let mut found = found.into_iter().next().ok_or(Error::NotFound("message"))?;
    preconditions.check(None)?;
    if found.is_received() && !peek && receipts::mark_read(app, user, &[message]).await? > 0 {
        let again = log::addressed(app, user, &[message]).await?;
        found = again.into_iter().next().unwrap_or(found);
    }
    let read_marks = receipts::read_marks(app, user, &found).await?;
    let (between, entry) = (receipts::between(&found, &read_marks), found.entry());
    let message = between.message(entry.seq, entry.at, found.content()?);
    Ok(Output::Direct(Box::new(message)).into())
}
