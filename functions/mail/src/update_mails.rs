//! `PUT /api/v2/messages/bulk`: changes the flags of many mails (S0-E06).
//!
//! Each mail is changed separately: failures are listed, the others take effect. Idempotent, so a client without a
//! response repeats the request, which also enqueues the delivery again.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::auth::Caller;
use shared::domain::ids::{MessageId, NotificationId};
use shared::domain::mail::{Change, Side};
use shared::http::input::Nothing;
use shared::http::page::Ids;
use shared::http::reply::status_and_code;
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::queue::{self, PersonalEvent, Queue};
use shared::rights::{Rights, TableAction};
use shared::store::mail::{self, Correspondent};
use shared::{App, Error, Result};

use crate::examples;

/// `PUT /api/v2/messages/bulk`
pub struct UpdateMails;

/// The mails, and the flags to set.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "BulkMessageUpdate")]
pub struct Body {
    /// The ids of the mails. Duplicates are ignored.
    pub message_ids: Ids<MessageId>,
    /// Whether the mails are read.
    pub is_read: Option<bool>,
    /// Whether the mails are starred.
    pub is_starred: Option<bool>,
    /// Whether the mails are archived.
    pub is_archived: Option<bool>,
}

/// The result of the update.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "BulkMessageResult")]
pub struct Output {
    /// The number of mails that have the requested flags now.
    pub updated_count: u64,
    /// The mails that could not be updated.
    pub failed: Vec<Failure>,
}

/// A mail that could not be updated.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "BulkMessageFailure")]
pub struct Failure {
    /// The mail.
    pub id: MessageId,
    /// The error code, such as `NOT_FOUND`.
    pub code: &'static str,
}

impl Endpoint for UpdateMails {
    const ROUTE: Route = Route::put(
        Tag::Mail,
        "update_mails",
        "/api/v2/messages/bulk",
        "Update the flags of several mails",
    )
    .described(
        "Each mail is updated on its own: `failed` lists those that could not be updated, with the \
         code `NOT_FOUND` for mails that the caller does not have. Mails that have the requested flags \
         already count as updated.",
    );
    const RIGHTS: Rights = Rights::OF_A_ROUTE
        .table(&[TableAction::BatchGetItem, TableAction::DeleteItem])
        .sends_to(&[Queue::Fanout]);
    type Who = Caller;
    type Path = Nothing;
    type Query = Nothing;
    type Body = Body;
    type Output = Output;

    fn example() -> Example {
        Example {
            body: json!({ "message_ids": [examples::MAIL], "is_read": true }),
            answer: json!({ "updated_count": 1, "failed": [] }),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Output>> {
        let user = call.who.user;
        let changes = Change {
            is_read: call.body.is_read,
            is_starred: call.body.is_starred,
            is_archived: call.body.is_archived,
        };
        let wanted = call.body.message_ids.get();
        let mut found = Correspondent::of_many(app, user, wanted).await?;
        let mails: Vec<Correspondent> = wanted.iter().filter_map(|id| found.remove(id)).collect();
        let notified = mails.iter().filter(|mail| mail.side() != Side::Sender);
        let notifications: Vec<(MessageId, NotificationId)> = notified
            .map(|mail| (mail.content().id, mail.content().notification))
            .collect();
        let mut failures = Vec::new();
        let mut updated = BTreeSet::new();
        for (id, result) in mail::change_many(app, mails, changes).await? {
            match result {
                Ok(()) => {
                    updated.insert(id);
                }
                Err(error) => failures.push((id, error)),
            }
        }
        let is_known =
            |id: &MessageId| updated.contains(id) || failures.iter().any(|(failed, _)| failed == id);
        let unknown: Vec<MessageId> = wanted.iter().filter(|id| !is_known(id)).copied().collect();
        failures.extend(unknown.into_iter().map(|id| (id, Error::NotFound("message"))));
        if !updated.is_empty() {
            let event = PersonalEvent::MailsUpdated {
                messages: updated.iter().copied().collect(),
                changes,
                notifications: notifications
                    .into_iter()
                    .filter(|(mail, _)| changes.is_read == Some(true) && updated.contains(mail))
                    .map(|(_, notification)| notification)
                    .collect(),
            };
            queue::enqueue_personal(app, user, event).await?;
        }
        let failure = |(id, error): (MessageId, Error)| Failure {
            id,
            code: status_and_code(&error).1,
        };
        Ok(Output {
            updated_count: updated.len() as u64,
            failed: failures.into_iter().map(failure).collect(),
        }
        .into())
    }
}
