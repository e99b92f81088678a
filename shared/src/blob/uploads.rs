//! Uploads: files that a client posted, until they have been checked and kept.
//!
//! A client can use its form again at any time, and complete a file concurrently. So each later step names the version
//! of the upload by its `ETag`, and reports if that version is gone.

use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::types::MetadataDirective;

use super::{file_key, upload_key};
use crate::App;
use crate::clients::failed;
use crate::domain::file::{HEAD_BYTES, Looked, MediaType, Unread};
use crate::domain::ids::FileId;
use crate::error::{Error, Result};

/// A version of an upload.
#[derive(Clone, Debug)]
pub struct Uploaded {
    file: FileId,
    content_type: String,
    looked: Looked,
    etag: String,
}

/// The upload of a file, with its first bytes, in one request; none if there is no upload.
///
/// # Errors
/// S3 cannot be reached, or its response lacks the size.
pub async fn uploaded(app: &App, file: FileId) -> Result<Option<Uploaded>> {
    let Some(output) = get(app, file, 0, HEAD_BYTES - 1).await? else {
        return Ok(None);
    };
    // `bytes 0-4095/10240`: the returned range, and the total size.
    let size_bytes = output
        .content_range()
        .and_then(|range| range.rsplit('/').next()?.parse().ok())
        .ok_or_else(|| Error::internal("S3 does not return the size of an upload"))?;
    let content_type = output.content_type().unwrap_or_default().to_owned();
    let etag = output.e_tag().unwrap_or_default().to_owned();
    let head = bytes(output).await?;
    Ok(Some(Uploaded {
        file,
        content_type,
        looked: Looked::new(size_bytes, head),
        etag,
    }))
}

impl Uploaded {
    /// Its size in bytes.
    pub const fn size_bytes(&self) -> u64 {
        self.looked.size_bytes()
    }

    /// Checks that it was declared as a type and has that type. Most types are recognized by the first bytes; for
    /// others more is read. None if this version is gone.
    ///
    /// # Errors
    /// S3 cannot be reached.
    pub async fn fits(&mut self, app: &App, media_type: MediaType) -> Result<Option<bool>> {
        if self.content_type != media_type.as_str() {
            return Ok(Some(false));
        }
        loop {
            let Unread(range) = match media_type.fits(&self.looked) {
                Ok(fits) => return Ok(Some(fits)),
                Err(unread) => unread,
            };
            let length = range.end - range.start;
            let Some(output) = get(app, self.file, range.start, range.end - 1).await? else {
                return Ok(None);
            };
            if output.e_tag() != Some(self.etag.as_str()) {
                return Ok(None);
            }
            let bytes = bytes(output).await?;
            if bytes.len() as u64 != length {
                return Err(Error::unavailable("S3 returned less of an upload than requested"));
            }
            self.looked.add(range.start, bytes);
        }
    }

    /// Keeps it as the file, with a type. False if this version is gone.
    ///
    /// # Errors
    /// S3 cannot be reached.
    pub async fn keep(&self, app: &App, media_type: MediaType) -> Result<bool> {
        let bucket = &app.config().bucket;
        app.meter().call();
        let copied = app
            .outside
            .clients
            .s3
            .copy_object()
            .copy_source(format!("{bucket}/{}", upload_key(self.file)))
            .copy_source_if_match(&self.etag)
            .bucket(bucket)
            .key(file_key(self.file))
            .metadata_directive(MetadataDirective::Replace)
            .content_type(media_type.as_str())
            // Even a link without a disposition shows nothing inline.
            .content_disposition("attachment")
            .send()
            .await;
        match copied {
            Ok(_) => Ok(true),
            Err(error) if matches!(error.code(), Some("PreconditionFailed" | "NoSuchKey")) => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }
}

/// A range of an upload, the last byte included; none if there is no upload, or it is shorter.
async fn get(app: &App, file: FileId, first: u64, last: u64) -> Result<Option<GetObjectOutput>> {
    app.meter().call();
    let request = app.outside.clients.s3.get_object().bucket(&app.config().bucket);
    let request = request
        .key(upload_key(file))
        .range(format!("bytes={first}-{last}"));
    match request.send().await {
        Ok(output) => Ok(Some(output)),
        Err(error) if matches!(error.code(), Some("NoSuchKey" | "InvalidRange")) => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

async fn bytes(output: GetObjectOutput) -> Result<Vec<u8>> {
    let body = output.body.collect().await.map_err(Error::unavailable)?;
    Ok(body.into_bytes().to_vec())
}
