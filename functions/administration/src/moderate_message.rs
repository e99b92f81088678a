//! `POST /api/admin/messages/{message_id}/moderate`: changes the moderation status of a message or a mail (S2-E12).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::auth::Permit;
use shared::domain::ids::MessageId;
use shared::domain::moderation::ModerationStatus;
use shared::domain::permission::ModerationAction;
use shared::domain::text::Text;
use shared::http::input::Nothing;
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::queue::Queue;
use shared::rights::{Rights, TableAction};
use shared::store::{log, mail};
use shared::{App, Error, Result};

use crate::{enqueue, examples};

/// `POST /api/admin/messages/{message_id}/moderate`
pub struct ModerateMessage;

/// The parameters of the path.
#[derive(Deserialize, JsonSchema)]
pub struct Path {
    /// The message, or the mail.
    pub message_id: MessageId,
}

/// The decision.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "MessageModeration")]
pub struct Body {
    /// The new status.
    pub moderation_status: ModerationStatus,
    /// Why; needed to flag or to block, where blanks alone are none. It goes to the audit log and nowhere else.
    pub reason: Option<Text<0, 500>>,
}

/// The result.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MessageModerationResult")]
pub struct Output {
    /// Always true.
    pub success: bool,
    /// The message.
    pub message_id: MessageId,
    /// The status of the message.
    pub moderation_status: ModerationStatus,
}

impl Endpoint for ModerateMessage {
    const ROUTE: Route = Route::post(
        Tag::Administration,
        "moderate_message",
        "/api/admin/messages/{message_id}/moderate",
        "Moderate a message",
    )
    .answers(200)
    .described(
        "`blocked` hides the content from everybody but moderators, in all lists and on all \
         connections, and the message no longer counts as unread. `approved` restores it. Members \
         receive a `message_moderated` frame. Setting the status that the message has already changes \
         nothing.\n\n\
         A blocked mail stays in both boxes without subject and body, and both sides receive a \
         `message_updated` frame.\n\n\
         The audit log records the status before and after.",
    );
    const RIGHTS: Rights = Rights::OF_A_ROUTE
        .table(&[TableAction::Query])
        .sends_to(&[Queue::Fanout]);
    type Who = Permit<ModerationAction>;
    type Path = Path;
    type Query = Nothing;
    type Body = Body;
    type Output = Output;

    fn example() -> Example {
        Example {
            parameters: json!({ "message_id": examples::MESSAGE }),
            body: json!({ "moderation_status": "blocked", "reason": "An insult" }),
            answer: json!({ "success": true, "message_id": examples::MESSAGE, "moderation_status": "blocked" }),
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Output>> {
        let (message_id, status) = (call.path.message_id, call.body.moderation_status);
        let reason = call.body.reason.as_ref().map(Text::as_str);
        let reason = reason.filter(|reason| !reason.trim().is_empty());
        if status.needs_reason() && reason.is_none() {
            return Err(Error::invalid(
                "reason",
                "missing",
                "is required to flag or block",
            ));
        }
        let permit = call.permit();
        match log::moderate(app, &permit, message_id, status, reason).await {
            // Enqueued by every attempt: the attempt that stored the change may have died before it could.
            Ok(recorded) => enqueue::entry(app, message_id, &recorded).await?,
            Err(Error::NotFound(_)) => {
                let enqueue =
                    async |user, version| enqueue::mail_update(app, user, message_id, version).await;
                mail::moderate(app, &permit, message_id, status, reason, enqueue).await?;
            }
            Err(error) => return Err(error),
        }
        Ok(Output {
            success: true,
            message_id,
            moderation_status: status,
        }
        .into())
    }
}
