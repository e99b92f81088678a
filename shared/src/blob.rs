//! Files, through S3.

mod exports;

pub use exports::{EXPORT_LINK_LIFETIME, ExportLink, export_link, put_export};

use crate::App;
use crate::error::Result;
use crate::store::table::failed;

/// Whether the bucket answers.
pub async fn ready(app: &App) -> Result<()> {
    app.meter().call();
    app.outside
        .s3
        .head_bucket()
        .bucket(&app.config().bucket)
        .send()
        .await
        .map_err(failed)?;
    Ok(())
}
