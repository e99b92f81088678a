//! Exports: files that a worker writes and administrators download.

use super::links::{Link, link};
use crate::App;
use crate::clients::failed;
use crate::domain::ids::ExportId;
use crate::error::Result;

/// The media type of an export's files.
const MEDIA_TYPE: &str = "application/gzip";

/// Stores a file of an export, replacing any existing one.
pub async fn put_export(app: &App, key: &str, bytes: Vec<u8>) -> Result<()> {
    app.meter().call();
    let request = app.outside.clients.s3.put_object().bucket(&app.config().bucket);
    let request = request.key(key).content_type(MEDIA_TYPE);
    request.body(bytes.into()).send().await.map_err(failed)?;
    Ok(())
}

/// Removes every file of an export, including files that no part refers to.
pub async fn remove_exports(app: &App, export: ExportId) -> Result<()> {
    let bucket = &app.config().bucket;
    let pages = app.outside.clients.s3.list_objects_v2().bucket(bucket);
    let mut pages = pages.prefix(format!("exports/{export}/")).into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        app.meter().call();
        let page = page.map_err(failed)?;
        found.extend(
            page.contents()
                .iter()
                .filter_map(|object| object.key().map(str::to_owned)),
        );
    }
    for key in found {
        super::remove(app, key).await?;
    }
    Ok(())
}

/// The download link of a file, which a browser saves under a name in ASCII.
pub async fn export_link(app: &App, key: &str, name: &str) -> Result<Link> {
    link(app, key, MEDIA_TYPE, format!("attachment; filename=\"{name}\"")).await
}
