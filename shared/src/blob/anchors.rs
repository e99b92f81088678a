//! Anchors of the audit log, in a bucket of their own: written by one function, listed by two, never changed.

use aws_sdk_s3::error::ProvideErrorMetadata as _;

use crate::App;
use crate::clients::failed;
use crate::error::Result;

/// The prefix of the anchors.
const PREFIX: &str = "anchors/";

/// Writes an anchor; an existing one is left unchanged.
///
/// `If-None-Match: *` makes sure that nothing is replaced (RFC 9110 §13.1.2); the bucket's policy refuses every other
/// write.
/// Source: AWS, *How to prevent object overwrites with conditional writes*.
pub(crate) async fn put_anchor(app: &App, name: &str, body: String) -> Result<()> {
    app.meter().call();
    let request = app.outside.clients.s3.put_object();
    let request = request
        .bucket(&app.config().audit_bucket)
        .key(format!("{PREFIX}{name}"))
        .if_none_match("*")
        .content_type("application/json")
        .body(body.into_bytes().into());
    match request.send().await {
        Ok(_) => Ok(()),
        // It exists, or another invocation is writing it at this moment.
        Err(error)
            if matches!(
                error.code(),
                Some("PreconditionFailed" | "ConditionalRequestConflict")
            ) =>
        {
            Ok(())
        }
        Err(error) => Err(failed(error)),
    }
}

/// The days that have anchors, in order.
pub(crate) async fn anchored_days(app: &App) -> Result<Vec<String>> {
    let mut days = Vec::new();
    let mut pages = app.outside.clients.s3.list_objects_v2();
    pages = pages
        .bucket(&app.config().audit_bucket)
        .prefix(PREFIX)
        .delimiter("/");
    let mut pages = pages.into_paginator().send();
    while let Some(page) = pages.next().await {
        app.meter().call();
        let page = page.map_err(failed)?;
        let names = page.common_prefixes().iter().filter_map(|found| found.prefix());
        let names = names.filter_map(|name| name.strip_prefix(PREFIX)?.strip_suffix('/'));
        days.extend(names.map(str::to_owned));
    }
    Ok(days)
}

/// The names of a day's anchors, with the day, in order.
pub(crate) async fn anchors_of(app: &App, day: &str) -> Result<Vec<String>> {
    let mut anchors = Vec::new();
    let mut pages = app.outside.clients.s3.list_objects_v2();
    pages = pages
        .bucket(&app.config().audit_bucket)
        .prefix(format!("{PREFIX}{day}/"));
    let mut pages = pages.into_paginator().send();
    while let Some(page) = pages.next().await {
        app.meter().call();
        let page = page.map_err(failed)?;
        let names = page.contents().iter().filter_map(|found| found.key());
        anchors.extend(
            names
                .filter_map(|name| name.strip_prefix(PREFIX))
                .map(str::to_owned),
        );
    }
    Ok(anchors)
}
