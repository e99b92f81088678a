//! `GET /api/v2/messages/{message_id}`: one mail; opening it reads it (S0-E02).
//!
//! Only the recipient's opening does, and not with `peek`. Whoever neither sent nor got it learns nothing.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use shared::auth::Caller;
use shared::domain::ids::MessageId;
use shared::domain::mail::{Change, Mail, Side};
use shared::http::input::Nothing;
use shared::http::precondition::etag;
use shared::http::{Call, Endpoint, Example, Reply, Route, entry};
use shared::lambda::{Function, Port};
use shared::queue::{self, PersonalEvent};
use shared::store::mail::{self, Correspondent};
use shared::{App, Result, views};

use crate::examples;

/// `GET /api/v2/messages/{message_id}`
pub struct GetMail;

/// The parameters of the path.
#[derive(Deserialize, JsonSchema)]
pub struct Path {
    /// The mail.
    pub message_id: MessageId,
}

/// The parameters of the query.
#[derive(Deserialize, JsonSchema)]
pub struct Query {
    /// Whether to look without reading it.
    #[serde(default)]
    pub peek: bool,
}

/// The function.
pub fn function() -> Function {
    Function::http(entry::<GetMail>()).using(&[Port::Queues])
}

impl Endpoint for GetMail {
    const ROUTE: Route = Route::get(
        "get_mail",
        "/api/v2/messages/{message_id}",
        "Get a mail, and mark it as read",
    )
    .versioned();
    type Who = Caller;
    type Path = Path;
    type Query = Query;
    type Body = Nothing;
    type Output = Mail;

    fn example() -> Example {
        Example {
            parameters: json!({ "message_id": examples::MAIL, "peek": false }),
            answer: examples::starred(),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Mail>> {
        let (user, message) = (call.who.user, call.path.message_id);
        let mut mail = Correspondent::of(app, user, message).await?;
        if mail.side() != Side::Sender && !mail.flags().is_read && !call.query.peek {
            let announce =
                async |version| queue::tell(app, user, PersonalEvent::MailRead { message, version }).await;
            mail = mail::change(app, mail, Change::READ, |_| true, announce).await?;
        }
        let reply = Reply::from(views::mail::mail(app, &mail).await?);
        Ok(reply.header("etag", etag(mail.flags().version)))
    }
}
