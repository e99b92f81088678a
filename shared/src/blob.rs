//! Files in S3.
//!
//! A client uploads to `uploads/<file_id>`, a key that only its presigned form can write. A checked upload is copied to
//! `files/<file_id>`, which no form can write. So what is downloaded is exactly what was checked, however often the
//! form is used.

mod anchors;
mod exports;
mod form;
mod links;
mod uploads;

pub(crate) use anchors::{anchored_days, anchors_of, put_anchor};
pub use exports::{export_link, put_export, remove_exports};
pub use form::{FORM_LIFETIME, Form, upload_form};
pub use links::{LINK_LIFETIME, Link, download_link};
pub use uploads::{Uploaded, uploaded};

use crate::App;
use crate::clients::failed;
use crate::domain::ids::FileId;
use crate::error::Result;

/// The key of an upload.
fn upload_key(file: FileId) -> String {
    format!("uploads/{file}")
}

/// The key of a checked file.
fn file_key(file: FileId) -> String {
    format!("files/{file}")
}

/// Removes an upload, if there is one.
pub async fn remove_upload(app: &App, file: FileId) -> Result<()> {
    remove(app, upload_key(file)).await
}

/// Removes a file, if there is one.
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

/// Opens the connection to S3 with a request for the bucket. A refusal is fine: it needs a connection too.
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

/// Checks that the bucket is reachable.
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
