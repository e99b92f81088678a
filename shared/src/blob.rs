//! Files, through S3.
//!
//! What a client uploads lands at a key that only its presigned form reaches, `uploads/<file_id>`. Once it has been
//! looked at, it is copied to `files/<file_id>`, where no client's form reaches: so what is downloaded is what was
//! looked at, however often the form was used.

mod anchors;
mod exports;
mod form;
mod links;

pub(crate) use anchors::{anchored_days, anchors_of, put_anchor};
pub use exports::{export_link, put_export, remove_exports};
pub use form::{FORM_LIFETIME, Form, upload_form};
pub use links::{LINK_LIFETIME, Link, download_link};

use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::types::MetadataDirective;

use crate::App;
use crate::domain::file::{HEAD_BYTES, MediaType};
use crate::domain::ids::FileId;
use crate::error::{Error, Result};
use crate::store::table::failed;

/// What was uploaded.
#[derive(Clone, Debug)]
pub struct Uploaded {
    /// How large it is.
    pub size_bytes: u64,
    /// What it was declared as.
    pub content_type: String,
    /// Its first bytes.
    pub head: Vec<u8>,
    /// Tells one upload from another.
    etag: String,
}

/// Where an upload lands.
fn upload_key(file: FileId) -> String {
    format!("uploads/{file}")
}

/// Where a file is that has been looked at.
fn file_key(file: FileId) -> String {
    format!("files/{file}")
}

/// What was uploaded for a file, with its first bytes, in one request; none if nothing was.
pub async fn uploaded(app: &App, file: FileId) -> Result<Option<Uploaded>> {
    app.meter().call();
    let request = app.outside.clients.s3.get_object().bucket(&app.config().bucket);
    let request = request
        .key(upload_key(file))
        .range(format!("bytes=0-{}", HEAD_BYTES - 1));
    let output = match request.send().await {
        Ok(output) => output,
        Err(error)
            if error
                .as_service_error()
                .is_some_and(GetObjectError::is_no_such_key) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(failed(error)),
    };
    // `bytes 0-511/4096`: the part that came, and of how much.
    let size_bytes = output
        .content_range()
        .and_then(|range| range.rsplit('/').next()?.parse().ok())
        .ok_or_else(|| Error::internal("S3 does not say how large an upload is"))?;
    let (content_type, etag) = (output.content_type, output.e_tag);
    let body = output.body.collect().await.map_err(Error::unavailable)?;
    Ok(Some(Uploaded {
        size_bytes,
        content_type: content_type.unwrap_or_default(),
        head: body.into_bytes().to_vec(),
        etag: etag.unwrap_or_default(),
    }))
}

/// Makes a file of an upload that has been looked at.
pub async fn keep(app: &App, file: FileId, uploaded: &Uploaded, media_type: MediaType) -> Result<()> {
    let bucket = &app.config().bucket;
    app.meter().call();
    app.outside
        .clients
        .s3
        .copy_object()
        .copy_source(format!("{bucket}/{}", upload_key(file)))
        .copy_source_if_match(&uploaded.etag)
        .bucket(bucket)
        .key(file_key(file))
        .metadata_directive(MetadataDirective::Replace)
        .content_type(media_type.as_str())
        // Even a link that does not say so shows nothing inline.
        .content_disposition("attachment")
        .send()
        .await
        .map_err(|error| match error.code() {
            Some("PreconditionFailed" | "NoSuchKey") => {
                Error::Conflict("the file was uploaded again meanwhile; complete it again")
            }
            _ => failed(error),
        })?;
    Ok(())
}

/// Removes what was uploaded for a file; nothing is as good.
pub async fn remove_upload(app: &App, file: FileId) -> Result<()> {
    remove(app, upload_key(file)).await
}

/// Removes a file; nothing is as good.
pub async fn remove_file(app: &App, file: FileId) -> Result<()> {
    remove(app, file_key(file)).await
}

async fn remove(app: &App, key: String) -> Result<()> {
    app.meter().call();
    let request = app
        .outside
        .clients
        .s3
        .delete_object()
        .bucket(&app.config().bucket);
    request.key(key).send().await.map_err(failed)?;
    Ok(())
}

/// Connects to S3: asks for the bucket, which needs no right to be refused.
///
/// # Errors
/// S3 cannot be reached.
pub async fn connect(app: &App) -> Result<()> {
    let request = app.outside.clients.s3.head_bucket().bucket(&app.config().bucket);
    match request.send().await {
        Err(error) if error.as_service_error().is_none() => Err(failed(error)),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Whether the bucket answers.
pub async fn ready(app: &App) -> Result<()> {
    app.meter().call();
    app.outside
        .clients
        .s3
        .head_bucket()
        .bucket(&app.config().bucket)
        .send()
        .await
        .map_err(failed)?;
    Ok(())
}
