//! `POST /api/v2/messages`: sends a mail (S0-E03).
//!
//! Responds once the mail is in both boxes, the recipient's notification exists, **and** its delivery is enqueued. A
//! client without a response repeats the request with the same `client_message_id` and gets the first mail, however
//! late.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use shared::auth::Caller;
use shared::domain::ids::{MessageId, UserId};
use shared::domain::mail::{Mail, MailBody, Subject};
use shared::domain::text::ClientMessageId;
use shared::domain::user::Card;
use shared::http::idempotency::agreed;
use shared::http::input::Nothing;
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::operations::views;
use shared::queue::{self, PersonalEvent, Queue};
use shared::rights::Rights;
use shared::store::mail::{self, MailDraft, Sent};
use shared::store::profiles;
use shared::{App, Error, Result};

use crate::examples;

/// `POST /api/v2/messages`
pub struct SendMail;

/// The mail to send.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "MessageCreate")]
pub struct Body {
    /// The recipient.
    pub recipient_id: UserId,
    /// The subject.
    pub subject: Subject,
    /// The text.
    pub body: MailBody,
    /// An id of your choice, which makes the request safe to repeat. The header `Idempotency-Key` has the same meaning.
    pub client_message_id: Option<ClientMessageId>,
}

impl Endpoint for SendMail {
    const ROUTE: Route = Route::post(Tag::Mail, "send_mail", "/api/v2/messages", "Send a mail")
        .sends()
        .versioned()
        .refuses(&[404])
        .described(
            "A 201 means that the mail is stored for the sender and the recipient, that the recipient has \
             a notification, and that delivery to connections is queued. You may send mails to yourself. \
             An unknown recipient is 404.",
        );
    const RIGHTS: Rights = Rights::OF_A_ROUTE.sends_to(&[Queue::Fanout]);
    type Who = Caller;
    type Path = Nothing;
    type Query = Nothing;
    type Body = Body;
    type Output = Mail;

    fn example() -> Example {
        Example {
            body: json!({
                "recipient_id": examples::BOB,
                "subject": "The engine",
                "body": "It weaves algebraic patterns.",
                "client_message_id": examples::CLIENT_MAIL_ID
            }),
            answer: examples::sent(),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Mail>> {
        let (sender, recipient) = (call.who.user, call.body.recipient_id);
        let client = agreed(
            call.key.clone(),
            "client_message_id",
            call.body.client_message_id.clone(),
        )?;
        let (admitted, profile) = tokio::try_join!(call.admit(app), profiles::find(app, recipient))?;
        let recipient_card = match profile {
            // The sender's profile is being created or refreshed concurrently.
            _ if recipient == sender => admitted.card().clone(),
            Some(profile) => Card::of(recipient, &profile.claims),
            None => return Err(Error::NotFound("user")),
        };
        let draft = MailDraft {
            id: match &client {
                Some(client) => MessageId::of_mail(sender, recipient, client),
                None => MessageId::generate(app.now()),
            },
            recipient,
            subject: call.body.subject,
            body: call.body.body,
        };
        let Sent { mail, replayed } = mail::send(app, &admitted, &draft).await?;
        let event = PersonalEvent::MailSent {
            message: mail.content().id,
            notification: mail.content().notification,
        };
        // Enqueued by every attempt: the attempt that stored it may have died before it could.
        queue::enqueue_personal(app, recipient, event).await?;
        let seen = views::mail::mail_between(&mail, admitted.card().clone(), recipient_card);
        let reply = Reply::from(seen).version(mail.flags().version);
        Ok(reply.replayed(replayed))
    }
}
