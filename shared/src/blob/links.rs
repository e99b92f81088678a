//! Links with which a client downloads a file: presigned S3 GETs.

use std::time::{Duration, UNIX_EPOCH};

use aws_sdk_s3::presigning::PresigningConfig;

use super::file_key;
use crate::App;
use crate::clients::failed;
use crate::domain::file::{FileName, MediaType};
use crate::domain::ids::FileId;
use crate::domain::time::Timestamp;
use crate::error::{Error, Result};

/// How long a link is valid (contract §4: a short time).
pub const LINK_LIFETIME: Duration = Duration::from_mins(5);

/// A link to a file.
#[derive(Clone, Debug)]
pub struct Link {
    /// The address of the file.
    pub url: String,
    /// When the link expires.
    pub expires_at: Timestamp,
}

/// The link to a file. It is downloaded under the file's name, as an attachment, and never shown as a page.
pub async fn download_link(app: &App, file: FileId, name: &FileName, media_type: MediaType) -> Result<Link> {
    link(app, &file_key(file), media_type.as_str(), disposition(name)).await
}

/// The link to an object, with the type and the disposition that it is downloaded with. It is computed without a
/// request to S3, and allows what the role of this function allows.
pub(super) async fn link(app: &App, key: &str, media_type: &str, disposition: String) -> Result<Link> {
    let request = app.outside.clients.presigner.get_object();
    let signed = request
        .bucket(&app.config().bucket)
        .key(key)
        .response_content_type(media_type)
        .response_content_disposition(disposition)
        .presigned(lifetime(app)?)
        .await
        .map_err(failed)?;
    Ok(Link {
        url: signed.uri().to_owned(),
        expires_at: app.now().plus(LINK_LIFETIME),
    })
}

/// The address of the bucket for clients: the address of an object without its key.
pub(super) async fn bucket_url(app: &App, key: &str) -> Result<String> {
    let request = app.outside.clients.presigner.head_object();
    let signed = request
        .bucket(&app.config().bucket)
        .key(key)
        .presigned(lifetime(app)?)
        .await
        .map_err(failed)?;
    let (object, _) = signed.uri().split_once('?').unwrap_or((signed.uri(), ""));
    let bucket = object
        .strip_suffix(key)
        .ok_or_else(|| Error::internal("the address of an object does not end with its key"))?;
    Ok(bucket.to_owned())
}

fn lifetime(app: &App) -> Result<PresigningConfig> {
    let now = u64::try_from(app.now().milliseconds()).unwrap_or_default();
    PresigningConfig::builder()
        .start_time(UNIX_EPOCH + Duration::from_millis(now))
        .expires_in(LINK_LIFETIME)
        .build()
        .map_err(Error::internal)
}

/// The header that makes a browser save the file under its name.
/// Source: RFC 6266 §4.3, RFC 8187 §3.2.1 for the characters that are not percent-encoded.
fn disposition(name: &FileName) -> String {
    let mut text = "attachment; filename*=UTF-8''".to_owned();
    for byte in name.as_str().bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push('%');
            text.push_str(&hexadecimal(&[byte]).to_uppercase());
        }
    }
    text
}

/// Bytes as two hexadecimal digits each.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or_default();
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_written_in_letters_that_a_header_takes() {
        let name = FileName::parse("Zwei \"Bücher\"; x=1.pdf".to_owned()).unwrap();
        assert_eq!(
            disposition(&name),
            "attachment; filename*=UTF-8''Zwei%20%22B%C3%BCcher%22%3B%20x%3D1.pdf"
        );
    }
}
