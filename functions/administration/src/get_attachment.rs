//! `GET /api/admin/messages/{message_id}/attachments/{file_id}`: an attachment of a message, for moderators (S2-E11).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared::auth::Permit;
use shared::blob;
use shared::domain::audit::Target;
use shared::domain::file::File;
use shared::domain::ids::{FileId, MessageId};
use shared::domain::message::Event;
use shared::domain::permission::ModerationView;
use shared::domain::time::Timestamp;
use shared::http::input::Nothing;
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::rights::{ObjectAction, Objects, Prefix, Rights};
use shared::store::audit::{self, Act};
use shared::store::{files, log};
use shared::{App, Error, Result};

use crate::examples;

/// `GET /api/admin/messages/{message_id}/attachments/{file_id}`
pub struct GetAttachment;

/// The parameters of the path.
#[derive(Deserialize, JsonSchema)]
pub struct Path {
    /// The message.
    pub message_id: MessageId,
    /// The file: one of the `attachments` of the message.
    pub file_id: FileId,
}

/// A file with its download link.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ModeratedAttachment")]
pub struct Output {
    /// The file.
    #[serde(flatten)]
    pub file: File,
    /// The download link, which needs no token and saves as an attachment.
    pub url: String,
    /// When the link expires; request another one then.
    pub expires_at: Timestamp,
}

impl Endpoint for GetAttachment {
    const ROUTE: Route = Route::get(
        Tag::Administration,
        "get_attachment",
        "/api/admin/messages/{message_id}/attachments/{file_id}",
        "Get an attachment of a message",
    )
    .described(
        "Returns a download link for a file that is attached to a message, also if the message was \
         deleted or blocked, until it is permanently deleted. The link expires after five minutes and \
         needs no token.",
    );
    const RIGHTS: Rights =
        Rights::OF_A_ROUTE.objects(&[Objects::signed(Prefix::Files, &[ObjectAction::Get])]);
    type Who = Permit<ModerationView>;
    type Path = Path;
    type Query = Nothing;
    type Body = Nothing;
    type Output = Output;

    fn example() -> Example {
        let mut answer = examples::file();
        if let Value::Object(fields) = &mut answer {
            let url = format!(
                "https://tidings-dev-bucket-1x2y3z.s3.eu-central-1.amazonaws.com/files/{}?X-Amz-Expires=300",
                examples::FILE
            );
            fields.insert("url".to_owned(), url.into());
            fields.insert("expires_at".to_owned(), "2026-01-15T10:36:00.000Z".into());
        }
        Example {
            parameters: json!({ "message_id": examples::MESSAGE, "file_id": examples::FILE }),
            answer,
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Output>> {
        let permit = call.permit();
        let (message_id, file_id) = (call.path.message_id, call.path.file_id);
        let found = log::for_moderator(app, &permit, message_id).await?;
        let (conversation, entry) = found.ok_or(Error::NotFound("message"))?;
        let Event::Message(content) = &entry.event else {
            return Err(Error::NotFound("message"));
        };
        let file = files::for_moderator(app, &permit, content, file_id).await?;
        let link = blob::download_link(app, file.file_id, &file.filename, file.content_type).await?;
        let seen = json!({
            "conversation_id": conversation,
            "seq": entry.seq,
            "sender_id": content.sender,
            "file_id": file_id,
        });
        let act = Act::read(
            "messages.view_attachment",
            Target::one("message", message_id),
            seen,
        );
        audit::record(app, &permit, act).await?;
        Ok(Output {
            file,
            url: link.url,
            expires_at: link.expires_at,
        }
        .into())
    }
}
