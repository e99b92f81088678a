//! Presigned forms: corrections where the embedded S3 differs from S3.

use aws_smithy_types::body::SdkBody;
use http::{Response, StatusCode};
use http_body_util::BodyExt as _;
use s3s::post_policy::PostPolicy;

use super::gate::milliseconds;
use crate::answer::{self, Answer};
use crate::interceptor::{AwsError, Service};

/// The expiry of a form, in milliseconds since 1970; none if the body has no readable policy. The embedded S3 checks
/// the policy, but compares the expiry with the system's clock.
pub(super) fn end_of_form(body: &[u8]) -> Option<i64> {
    // The fields of a form come before the file.
    let head = body.get(..body.len().min(FIELDS_BYTES))?;
    let head = String::from_utf8_lossy(head);
    let (_, part) = head.split_once("name=\"policy\"")?;
    let (_, value) = part.split_once("\r\n\r\n")?;
    let (policy, _) = value.split_once("\r\n")?;
    let policy = PostPolicy::from_base64(policy).ok()?;
    Some(milliseconds(policy.expiration.into()))
}

/// The error of an expired form.
pub(super) fn expired() -> Answer {
    denied("Invalid according to Policy: Policy expired.")
}

/// The response to a form with a readable policy. For S3, a field that the policy does not allow, for example another
/// key, is an access violation. The embedded S3 reports an invalid policy.
/// Source: AWS, *Troubleshoot access denied (403 Forbidden) errors in Amazon S3*; the message is S3's.
pub(super) async fn answer(response: Response<s3s::Body>) -> Answer {
    if response.status() != StatusCode::BAD_REQUEST {
        return response.map(SdkBody::from_body_1_x);
    }
    let (parts, body) = response.into_parts();
    // An error response is in memory, so reading it cannot fail.
    let body = body.collect().await.map(http_body_util::Collected::to_bytes);
    let body = body.unwrap_or_default();
    if String::from_utf8_lossy(&body).contains("<Code>InvalidPolicyDocument</Code>") {
        return denied("Invalid according to Policy: Policy Condition failed");
    }
    Response::from_parts(parts, SdkBody::from(body))
}

fn denied(message: &str) -> Answer {
    answer::error(Service::S3, &AwsError::new(403, "AccessDenied", message))
}

/// The maximum size of a form's fields.
/// Source: AWS, *Browser-Based Uploads Using POST*: 20 KB without the file.
const FIELDS_BYTES: usize = 20 * 1024;
