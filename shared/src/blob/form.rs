//! Forms with which a client uploads a file: presigned S3 POSTs.
//!
//! The SDK signs no forms, so the signature is computed here: an HMAC over the policy, with a key derived from the
//! secret, the day and the region. S3 itself enforces the policy: the key, the type, the size and the time.
//! Source: AWS, *Authenticating Requests in Browser-Based Uploads Using POST (AWS Signature Version 4)*.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::links::{bucket_url, hexadecimal};
use super::upload_key;
use crate::App;
use crate::domain::file::MediaType;
use crate::domain::ids::FileId;
use crate::domain::time::Timestamp;
use crate::error::{Error, Result};

/// How long a form is valid (contract §4).
pub const FORM_LIFETIME: Duration = Duration::from_mins(2);

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// A form to post: these fields, then the field `file`.
#[derive(Clone, Debug)]
pub struct Form {
    /// The address to post it to.
    pub url: String,
    /// The fields that come before the file.
    pub fields: BTreeMap<&'static str, String>,
    /// When S3 stops accepting it.
    pub expires_at: Timestamp,
}

/// The form for a file of a type and of at most a size.
pub async fn upload_form(app: &App, file: FileId, media_type: MediaType, most_bytes: u64) -> Result<Form> {
    let (config, now) = (app.config(), app.now());
    let (access_key, secret_key, session_token) = &config.credentials;
    let date = compact(now);
    let day = date.get(..8).unwrap_or_default();
    let key = upload_key(file);
    let expires_at = now.plus(FORM_LIFETIME);
    let mut fields = BTreeMap::from([
        ("key", key.clone()),
        ("Content-Type", media_type.as_str().to_owned()),
        ("x-amz-algorithm", ALGORITHM.to_owned()),
        (
            "x-amz-credential",
            format!("{access_key}/{day}/{}/s3/aws4_request", config.region),
        ),
        ("x-amz-date", date.clone()),
    ]);
    if let Some(token) = session_token {
        fields.insert("x-amz-security-token", token.clone());
    }
    let mut conditions: Vec<Value> = fields
        .iter()
        .map(|(name, value)| json!({ *name: value }))
        .collect();
    conditions.push(json!({ "bucket": config.bucket }));
    conditions.push(json!(["content-length-range", 1, most_bytes]));
    let policy = json!({ "expiration": expires_at, "conditions": conditions }).to_string();
    let policy = STANDARD.encode(policy);
    let signature = sign(&policy, secret_key, day, &config.region)?;
    fields.extend([("policy", policy), ("x-amz-signature", signature)]);
    Ok(Form {
        url: bucket_url(app, &key).await?,
        fields,
        expires_at,
    })
}

/// A moment in the format of signatures: `20260115T103000Z`.
fn compact(moment: Timestamp) -> String {
    let text = moment.to_string();
    let (seconds, _) = text.split_once('.').unwrap_or((&text, ""));
    let mut compact: String = seconds.chars().filter(|c| !matches!(c, '-' | ':')).collect();
    compact.push('Z');
    compact
}

/// The signature of a policy in Base64.
fn sign(policy: &str, secret_key: &str, day: &str, region: &str) -> Result<String> {
    let mut key = format!("AWS4{secret_key}").into_bytes();
    for part in [day, region, "s3", "aws4_request"] {
        key = keyed_hash(&key, part)?;
    }
    let signature = keyed_hash(&key, policy)?;
    Ok(hexadecimal(&signature))
}

fn keyed_hash(key: &[u8], text: &str) -> Result<Vec<u8>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(Error::internal)?;
    mac.update(text.as_bytes());
    Ok(mac.finalize().into_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_compact() {
        let moment = Timestamp::from_milliseconds(1_768_473_000_123);
        assert_eq!(compact(moment), "20260115T103000Z");
    }

    /// The example of the documentation: AWS, *Example: Browser-Based Upload using HTTP POST*.
    #[test]
    fn a_policy_is_signed_as_aws_signs_its_example() {
        let policy = [
            r#"{ "expiration": "2015-12-30T12:00:00.000Z","#,
            r#"  "conditions": ["#,
            r#"    {"bucket": "sigv4examplebucket"},"#,
            r#"    ["starts-with", "$key", "user/user1/"],"#,
            r#"    {"acl": "public-read"},"#,
            r#"    {"success_action_redirect": "http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html"},"#,
            r#"    ["starts-with", "$Content-Type", "image/"],"#,
            r#"    {"x-amz-meta-uuid": "14365123651274"},"#,
            r#"    {"x-amz-server-side-encryption": "AES256"},"#,
            r#"    ["starts-with", "$x-amz-meta-tag", ""],"#,
            "",
            r#"    {"x-amz-credential": "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request"},"#,
            r#"    {"x-amz-algorithm": "AWS4-HMAC-SHA256"},"#,
            r#"    {"x-amz-date": "20151229T000000Z" }"#,
            "  ]",
            "}",
        ];
        let policy = STANDARD.encode(policy.join("\r\n"));
        let secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        assert_eq!(
            sign(&policy, secret_key, "20151229", "us-east-1").unwrap(),
            "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e"
        );
    }
}
