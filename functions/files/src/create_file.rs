//! `POST /api/v2/files`: begins an upload (contract §4, *attachments*).
//!
//! The response is a form with which the client posts one file of this type and of at most this size to S3, within two
//! minutes. S3 enforces these limits; the file does not pass through a function.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::auth::Caller;
use shared::blob;
use shared::domain::file::{File, FileName, FileSize, FileStatus, MediaType};
use shared::domain::ids::FileId;
use shared::domain::time::Timestamp;
use shared::http::input::Nothing;
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::rights::{ObjectAction, Objects, Prefix, Rights};
use shared::store::files;
use shared::{App, Error, Result};

use crate::examples;

/// `POST /api/v2/files`
pub struct CreateFile;

/// The file to upload.
#[derive(Deserialize, JsonSchema)]
pub struct Body {
    /// The file name, with or without an extension.
    ///
    /// The name is corrected without an error: it is normalized to Unicode NFC; white space around it and dots at its end
    /// are removed; and unless its extension is one of `content_type`, the type's own is appended, so that `report.exe` as
    /// `text/plain` becomes `report.exe.txt`. The response shows the corrected name.
    ///
    /// Rejected with 422: more than 255 characters, also after the correction (`too_long`); control characters and
    /// characters that change the direction of writing (`control_character`); `/` and `\` (`wrong_format`); a dot at
    /// the beginning, as in `..` and `.htaccess`, and names of Windows devices, such as `CON` and `nul.txt`
    /// (`reserved_name`); nothing visible before the extension (`no_visible_character`).
    pub filename: FileName,
    /// The media type. Types that browsers execute, such as HTML, SVG and scripts, are not allowed.
    ///
    /// `complete_file` checks the type by the content: MP4 by its brands (HEIC, AVIF and QuickTime are rejected), WebM by
    /// its document type, MP3 by its first two frames, office documents by the names in the archive, PDF by a header
    /// within the first 1,024 bytes. Plain text may have any encoding, UTF-16 with a byte order mark; it is rejected if it
    /// begins like an HTML, XML or SVG document or like a script (`#!`).
    pub content_type: MediaType,
    /// The maximum size of the upload in bytes.
    pub size_bytes: FileSize,
}

/// Where and how to upload the file.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The id of the file.
    pub file_id: FileId,
    /// The corrected file name.
    pub filename: FileName,
    /// The upload form.
    pub upload: Upload,
    /// When the form expires.
    pub expires_at: Timestamp,
}

/// A form to send as `multipart/form-data`: all `fields`, followed by the content as the field `file`.
#[derive(Serialize, JsonSchema)]
pub struct Upload {
    /// The URL to send the form to.
    pub url: String,
    /// The fields of the form, to be sent unchanged.
    pub fields: BTreeMap<&'static str, String>,
}

impl Endpoint for CreateFile {
    const ROUTE: Route = Route::post(Tag::Files, "create_file", "/api/v2/files", "Start an upload")
        .uploads()
        .takes_key()
        .described(
            "Returns an upload form. Send a `multipart/form-data` POST to `upload.url` with all of \
             `upload.fields`, followed by the content as the field `file`. No token is needed; the form \
             expires at `expires_at`. The storage refuses other content types, empty files, and files \
             larger than `size_bytes`.\n\n\
             Afterwards call `POST /api/v2/files/{file_id}/complete`.",
        );
    const RIGHTS: Rights =
        Rights::OF_A_ROUTE.objects(&[Objects::signed(Prefix::Uploads, &[ObjectAction::Put])]);
    type Who = Caller;
    type Path = Nothing;
    type Query = Nothing;
    type Body = Body;
    type Output = Output;

    fn example() -> Example {
        Example {
            body: json!({ "filename": "harbour.jpg", "content_type": "image/jpeg", "size_bytes": 482_113 }),
            answer: json!({
                "file_id": examples::FILE,
                "filename": "harbour.jpg",
                "upload": {
                    "url": "https://tidings-dev-bucket-1x2y3z.s3.eu-central-1.amazonaws.com/",
                    "fields": {
                        "Content-Type": "image/jpeg",
                        "key": format!("uploads/{}", examples::FILE),
                        "policy": "eyJleHBpcmF0aW9uIjoiMjAyNi0wMS0xNVQxMDozMjowMC4wMDBaIiwiY29uZGl0aW9ucyI6W119",
                        "x-amz-algorithm": "AWS4-HMAC-SHA256",
                        "x-amz-credential": "ASIAEXAMPLE/20260115/eu-central-1/s3/aws4_request",
                        "x-amz-date": "20260115T103000Z",
                        "x-amz-security-token": "IQoJb3JpZ2luX2VjEXAMPLE",
                        "x-amz-signature": "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e"
                    }
                },
                "expires_at": "2026-01-15T10:32:00.000Z"
            }),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Output>> {
        let once = call.once(&json!({
            "filename": call.body.filename.as_str(),
            "content_type": call.body.content_type.as_str(),
            "size_bytes": call.body.size_bytes.get()
        }));
        let Body {
            filename,
            content_type,
            size_bytes,
        } = call.body;
        let filename = filename
            .for_type(content_type)
            .map_err(|invalid| Error::Invalid {
                field: "filename".into(),
                invalid,
            })?;
        let created_at = app.now();
        let file = File {
            file_id: match &call.key {
                Some(key) => FileId::of_key(call.who.user, key),
                None => FileId::generate(created_at),
            },
            filename,
            content_type,
            size_bytes: size_bytes.get(),
            status: FileStatus::Pending,
            created_at,
        };
        let form = blob::upload_form(app, file.file_id, content_type, file.size_bytes).await?;
        let is_replayed = files::begin(app, call.who.user, &file, once.as_ref()).await?;
        let upload = Upload {
            url: form.url,
            fields: form.fields,
        };
        let output = Output {
            file_id: file.file_id,
            filename: file.filename,
            upload,
            expires_at: form.expires_at,
        };
        // A new form, because the first one may have expired.
        Ok(Reply::from(output).replayed(is_replayed))
    }
}
