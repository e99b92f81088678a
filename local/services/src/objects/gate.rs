//! Checks on correctly signed requests: whether they have expired, and whether the signer has the right.

use std::sync::{Arc, PoisonError};

use futures::future::BoxFuture;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::Credentials;
use s3s::dto::PostObjectInput;
use s3s::path::S3Path;
use s3s::{S3Error, S3ErrorCode, S3Request, S3Result};
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

use super::Rules;

/// Checks every call after its signature.
pub(super) struct Gate(pub(super) Arc<Rules>);

impl Gate {
    /// Refuses unless the signer's role allows the action.
    fn permit(&self, signer: &Credentials, action: &str, place: &str) -> S3Result<()> {
        let rights = self.0.rights.read().unwrap_or_else(PoisonError::into_inner);
        let resource = format!("arn:aws:s3:::{place}");
        match rights
            .as_ref()
            .and_then(|rights| rights.refuse_object(&signer.access_key, action, &resource))
        {
            Some(error) => Err(denied(error.message)),
            None => Ok(()),
        }
    }

    fn is_locked(&self, bucket: &str) -> bool {
        let locked = self.0.locked.read().unwrap_or_else(PoisonError::into_inner);
        locked.contains(bucket)
    }

    /// Refuses to delete or replace an object of a locked bucket.
    fn keep(&self, context: &S3AccessContext<'_>) -> S3Result<()> {
        let bucket = match context.s3_path() {
            S3Path::Object { bucket, .. } | S3Path::Bucket { bucket } => bucket,
            S3Path::Root => return Ok(()),
        };
        let only_adds = match context.s3_op().name() {
            "PutObject" => context.headers().contains_key(http::header::IF_NONE_MATCH),
            name => name.starts_with("Get") || name.starts_with("Head") || name.starts_with("List"),
        };
        if self.is_locked(bucket) && !only_adds {
            return Err(denied("Access Denied because object protected by object lock."));
        }
        Ok(())
    }

    fn check_call(&self, context: &S3AccessContext<'_>) -> S3Result<()> {
        self.keep(context)?;
        let Some(signer) = context.credentials() else {
            return Err(denied("Access Denied"));
        };
        if let Some(query) = context.uri().query()
            && let Some(until) = end_of_link(query)
            && self.0.now() > until
        {
            return Err(denied("Request has expired"));
        }
        match (context.s3_op().name(), context.s3_path()) {
            // Its key is in the form, which is read later.
            ("PostObject", _) => Ok(()),
            ("HeadObject", S3Path::Object { bucket, key }) => {
                self.permit(signer, "s3:GetObject", &format!("{bucket}/{key}"))
            }
            // The source of a copy was checked before.
            ("CopyObject", S3Path::Object { bucket, key }) => {
                self.permit(signer, "s3:PutObject", &format!("{bucket}/{key}"))
            }
            ("HeadBucket" | "ListObjectsV2", S3Path::Bucket { bucket }) => {
                self.permit(signer, "s3:ListBucket", bucket)
            }
            (operation, S3Path::Object { bucket, key }) => {
                self.permit(signer, &format!("s3:{operation}"), &format!("{bucket}/{key}"))
            }
            (operation, S3Path::Bucket { bucket }) => self.permit(signer, &format!("s3:{operation}"), bucket),
            (operation, S3Path::Root) => self.permit(signer, &format!("s3:{operation}"), "*"),
        }
    }

    fn check_form(&self, form: &S3Request<PostObjectInput>) -> S3Result<()> {
        let Some(signer) = &form.credentials else {
            return Err(denied("Access Denied"));
        };
        let place = format!("{}/{}", form.input.bucket, form.input.key);
        self.permit(signer, "s3:PutObject", &place)
    }
}

impl S3Access for Gate {
    // Written out because the trait's usual form needs the `async_trait` macro.
    fn check<'s, 'c, 'x, 'f>(&'s self, context: &'c mut S3AccessContext<'x>) -> BoxFuture<'f, S3Result<()>>
    where
        's: 'f,
        'c: 'f,
        'x: 'f,
        Self: 'f,
    {
        Box::pin(std::future::ready(self.check_call(context)))
    }

    fn post_object<'s, 'r, 'f>(
        &'s self,
        form: &'r mut S3Request<PostObjectInput>,
    ) -> BoxFuture<'f, S3Result<()>>
    where
        's: 'f,
        'r: 'f,
        Self: 'f,
    {
        Box::pin(std::future::ready(self.check_form(form)))
    }
}

fn denied(message: impl Into<std::borrow::Cow<'static, str>>) -> S3Error {
    S3Error::with_message(S3ErrorCode::AccessDenied, message)
}

/// The expiry of a link, in milliseconds since 1970, if the query belongs to a link.
fn end_of_link(query: &str) -> Option<i64> {
    const FORMAT: &[BorrowedFormatItem<'_>] =
        format_description!("[year][month][day]T[hour][minute][second]Z");
    let value = |name: &str| {
        query
            .split('&')
            .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
    };
    let signed = PrimitiveDateTime::parse(value("X-Amz-Date")?, FORMAT).ok()?;
    let seconds: i64 = value("X-Amz-Expires")?.parse().ok()?;
    Some(milliseconds(signed.assume_utc()).saturating_add(seconds.saturating_mul(1000)))
}

pub(super) fn milliseconds(moment: OffsetDateTime) -> i64 {
    i64::try_from(moment.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_ends_its_seconds_after_it_was_signed() {
        let query =
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20260115T103000Z&X-Amz-Expires=300&x-id=GetObject";
        assert_eq!(end_of_link(query), Some(1_768_473_300_000));
        assert_eq!(end_of_link("list-type=2"), None);
    }
}
