//! Exports: files that a worker writes and whoever asked for them downloads.

use std::time::{Duration, UNIX_EPOCH};

use aws_sdk_s3::presigning::PresigningConfig;

use crate::App;
use crate::domain::time::Timestamp;
use crate::error::{Error, Result};
use crate::store::table::failed;

/// How long a link to an export can be used.
pub const EXPORT_LINK_LIFETIME: Duration = Duration::from_mins(5);

/// A link to a file of an export.
#[derive(Clone, Debug)]
pub struct ExportLink {
    /// Where the file is.
    pub url: String,
    /// Until when.
    pub expires_at: Timestamp,
}

/// Stores a file of an export, over whatever is at its key.
pub async fn put_export(app: &App, key: &str, bytes: Vec<u8>) -> Result<()> {
    app.meter().call();
    let request = app.outside.s3.put_object().bucket(&app.config().bucket);
    let request = request.key(key).content_type("application/gzip");
    request.body(bytes.into()).send().await.map_err(failed)?;
    Ok(())
}

/// The link to a file of an export, which a browser keeps under a name. Nothing is sent for it: it allows what the
/// role of this function does.
pub async fn export_link(app: &App, key: &str, name: &str) -> Result<ExportLink> {
    let now = u64::try_from(app.now().milliseconds()).unwrap_or_default();
    let lifetime = PresigningConfig::builder()
        .start_time(UNIX_EPOCH + Duration::from_millis(now))
        .expires_in(EXPORT_LINK_LIFETIME)
        .build()
        .map_err(Error::internal)?;
    let request = app.outside.s3.get_object().bucket(&app.config().bucket);
    let signed = request
        .key(key)
        .response_content_type("application/gzip")
        .response_content_disposition(format!("attachment; filename=\"{name}\""))
        .presigned(lifetime)
        .await
        .map_err(failed)?;
    Ok(ExportLink {
        url: signed.uri().to_owned(),
        expires_at: app.now().plus(EXPORT_LINK_LIFETIME),
    })
}
