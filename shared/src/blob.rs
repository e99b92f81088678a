//! Files, through S3.
//!
//! A client uploads to `uploads/<file_id>`, a key that only its presigned form can write. An upload that has passed its
//! check is copied to `files/<file_id>`, which no client's form can write. So what is downloaded is what was checked,
//! however often the form is used.

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
use crate::domain::ids::FileId;
use crate::error::Result;
use crate::store::table::failed;

/// The key of an upload.
fn upload_key(file: FileId) -> String {
    format!("uploads/{file}")
}

/// The key of a file that has passed its check.
fn file_key(file: FileId) -> String {
    format!("files/{file}")
}

/// Removes what was uploaded for a file. Without an upload it does nothing.
pub async fn remove_upload(app: &App, file: FileId) -> Result<()> {
    remove(app, upload_key(file)).await
}

/// Removes a file. Without one it does nothing.
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

/// Connects to S3 by a request for the bucket. Whether the role may make it does not matter: a refusal comes over a
/// connection too.
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
