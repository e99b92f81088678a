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
use shared::http::{Call, Endpoint, Example, Reply, Route, entry};
use shared::lambda::{Function, Port};
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

/// The function.
pub fn function() -> Function {
    Function::http(entry::<CompleteFile>()).using(&[Port::Bucket])
}

impl Endpoint for CompleteFile {
    const ROUTE: Route = Route::post(
        "complete_file",
        "/api/v2/files/{file_id}/complete",
        "Complete an upload",
    )
    .answers(200);
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
