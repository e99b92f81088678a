//! `POST /api/v2/files/{file_id}/complete`: has an upload looked at (contract §4, *attachments*).
//!
//! Its first bytes must be those of the type that it was declared as; else it is removed. From now on messages may
//! bring the file along. Again is no error and no change.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use shared::auth::Caller;
use shared::blob::{self, Uploaded};
use shared::domain::file::{File, FileStatus, SIZE_LIMIT_BYTES};
use shared::domain::ids::FileId;
use shared::http::input::Nothing;
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::rights::{ObjectAction, Objects, Prefix, Rights};
use shared::store::files;
use shared::{App, Error, Result};

use crate::examples;

/// `POST /api/v2/files/{file_id}/complete`
pub struct CompleteFile;

/// The parameters of the path.
#[derive(Deserialize, JsonSchema)]
pub struct Path {
    /// The file.
    pub file_id: FileId,
}

impl Endpoint for CompleteFile {
    const ROUTE: Route = Route::post(
        Tag::Files,
        "complete_file",
        "/api/v2/files/{file_id}/complete",
        "Complete an upload",
    )
    .answers(200)
    .refuses(&[409, 422])
    .repeats_harmlessly()
    .described(
        "Checks the uploaded content. If it does not match `content_type`, the upload is removed \
         (422). If nothing was uploaded yet, the response is 409.\n\n\
         A completed file can be attached to messages. A file that is not attached to any message is \
         removed after a day. Completing a completed file changes nothing.",
    );
    const RIGHTS: Rights = Rights::OF_A_ROUTE
        .objects(&[
            Objects::used(Prefix::Uploads, &[ObjectAction::Get, ObjectAction::Delete]),
            Objects::used(Prefix::Files, &[ObjectAction::Put]),
        ])
        .lists_bucket();
    type Who = Caller;
    type Path = Path;
    type Query = Nothing;
    type Body = Nothing;
    type Output = File;

    fn example() -> Example {
        Example {
            parameters: json!({ "file_id": examples::FILE }),
            answer: examples::file(),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<File>> {
        let (caller, id) = (call.who.user, call.path.file_id);
        let file = files::own(app, caller, id).await?;
        if file.status == FileStatus::Complete {
            return Ok(file.into());
        }
        let Some(uploaded) = blob::uploaded(app, id).await? else {
            // Another attempt may have taken it away by completing the file.
            let file = files::own(app, caller, id).await?;
            return if file.status == FileStatus::Complete {
                Ok(file.into())
            } else {
                Err(Error::Conflict("nothing has been uploaded yet"))
            };
        };
        if !is_as_declared(&file, &uploaded) {
            blob::remove_upload(app, id).await?;
            return Err(Error::invalid(
                "content_type",
                "mismatch",
                "is not what was uploaded; it has been removed",
            ));
        }
        blob::keep(app, id, &uploaded, file.content_type).await?;
        let file = files::complete(app, id, uploaded.size_bytes).await?;
        // Whatever becomes of this, the file is complete; what it leaves is removed with the orphans.
        blob::remove_upload(app, id).await.ok();
        Ok(file.into())
    }
}

/// Whether what was uploaded is what it was to be.
fn is_as_declared(file: &File, uploaded: &Uploaded) -> bool {
    (1..=SIZE_LIMIT_BYTES).contains(&uploaded.size_bytes)
        && uploaded.content_type == file.content_type.as_str()
        && file.content_type.fits(&uploaded.head)
}
