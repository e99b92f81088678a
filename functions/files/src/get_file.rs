//! `GET /api/v2/files/{file_id}`: a file and a link to it that is valid for a short time (contract §4, *attachments*).
//!
//! For its owner, and for every member of a conversation in which a message that is not deleted has it as an
//! attachment. For everybody else it is 404.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared::auth::Caller;
use shared::blob;
use shared::domain::file::{File, FileStatus};
use shared::domain::ids::FileId;
use shared::domain::time::Timestamp;
use shared::http::input::Nothing;
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::rights::{ObjectAction, Objects, Prefix, Rights};
use shared::store::files;
use shared::{App, Result};

use crate::examples;

/// `GET /api/v2/files/{file_id}`
pub struct GetFile;

/// The parameters of the path.
#[derive(Deserialize, JsonSchema)]
pub struct Path {
    /// The file.
    pub file_id: FileId,
}

/// A file with its download link.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The file.
    #[serde(flatten)]
    pub file: File,
    /// The download link, which needs no token and saves as an attachment; null while the upload is pending.
    pub url: Option<String>,
    /// When the link expires; null while the upload is pending.
    pub expires_at: Option<Timestamp>,
}

impl Endpoint for GetFile {
    const ROUTE: Route = Route::get(Tag::Files, "get_file", "/api/v2/files/{file_id}", "Get a file")
        .described(
            "For the owner, and for the members of conversations that contain a message with this \
             attachment which is not deleted. For everybody else the file does not exist (404).\n\n\
             `url` is valid for a few minutes, needs no token, and always downloads the file.",
        );
    const RIGHTS: Rights =
        Rights::OF_A_ROUTE.objects(&[Objects::signed(Prefix::Files, &[ObjectAction::Get])]);
    type Who = Caller;
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
            parameters: json!({ "file_id": examples::FILE }),
            answer,
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Output>> {
        let file = files::for_reader(app, call.who.user, call.path.file_id).await?;
        let (url, expires_at) = if file.status == FileStatus::Complete {
            let link = blob::download_link(app, file.file_id, &file.filename, file.content_type).await?;
            (Some(link.url), Some(link.expires_at))
        } else {
            (None, None)
        };
        Ok(Output {
            file,
            url,
            expires_at,
        }
        .into())
    }
}
