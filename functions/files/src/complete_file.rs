//! `POST /api/v2/files/{file_id}/complete`: checks an upload (contract §4, *attachments*).
//!
//! The bytes must be those of the declared type; otherwise the upload is removed. Once the file is complete, it can be
//! attached to messages. Idempotent, also for concurrent requests.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use shared::auth::Caller;
use shared::blob;
use shared::domain::file::{File, FileStatus, SIZE_LIMIT_BYTES};
use shared::domain::ids::{FileId, UserId};
use shared::http::input::Nothing;
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::rights::{ObjectAction, Objects, Prefix, Rights};
use shared::store::files;
use shared::{App, Error, Result};

use crate::examples;

/// `POST /api/v2/files/{file_id}/complete`
pub struct CompleteFile;

/// How often a request starts over because the upload changed or disappeared concurrently. Another request that
/// completes the file changes it once; more often means a client that keeps uploading.
const MOST_LOOKS: usize = 4;

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
        for _ in 0..MOST_LOOKS {
            let file = files::own(app, caller, id).await?;
            if file.status == FileStatus::Complete {
                return Ok(file.into());
            }
            let Some(mut uploaded) = blob::uploaded(app, id).await? else {
                let refusal = Error::Conflict("nothing has been uploaded yet");
                return completed_meanwhile(app, caller, id, refusal).await;
            };
            let has_size = (1..=SIZE_LIMIT_BYTES).contains(&uploaded.size_bytes());
            match uploaded.fits(app, file.content_type).await? {
                None => continue,
                Some(fits) if fits && has_size => {}
                Some(_) => {
                    let refusal = Error::invalid(
                        "content_type",
                        "mismatch",
                        "is not what was uploaded; it has been removed",
                    );
                    let answer = completed_meanwhile(app, caller, id, refusal).await;
                    if answer.is_err() {
                        blob::remove_upload(app, id).await?;
                    }
                    return answer;
                }
            }
            if !uploaded.keep(app, file.content_type).await? {
                continue;
            }
            let file = files::complete(app, id, uploaded.size_bytes()).await?;
            // The file is complete whether this succeeds or not; a leftover upload is removed with the orphans.
            blob::remove_upload(app, id).await.ok();
            return Ok(file.into());
        }
        Err(Error::Conflict(
            "the upload keeps changing; complete it once uploading has ended",
        ))
    }
}

/// The file, if a concurrent request has completed it, which removes the upload; otherwise the error.
async fn completed_meanwhile(app: &App, caller: UserId, id: FileId, refusal: Error) -> Result<Reply<File>> {
    let file = files::own(app, caller, id).await?;
    if file.status == FileStatus::Complete {
        Ok(file.into())
    } else {
        Err(refusal)
    }
}
