//! The buckets: S3 over a folder.

use std::path::{Path, PathBuf};

use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Method, Request};
use s3s::S3Result;
use s3s::auth::{S3Auth, SecretKey};
use s3s::service::{S3Service, S3ServiceBuilder};

use crate::answer::{self, Answer};
use crate::interceptor::{AwsError, Service};

/// The secret key that goes with every access key id: functions sign with their names as ids.
pub const SECRET_KEY: &str = "desk";

/// The buckets and the S3 service before them.
#[derive(Clone)]
pub struct Objects {
    root: PathBuf,
    service: S3Service,
}

impl Objects {
    /// Opens the buckets in `root`, a folder that exists.
    pub(crate) fn open(root: &Path) -> Result<Self, String> {
        let files = s3s_fs::FileSystem::new(root).map_err(|error| format!("{error:?}"))?;
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(OneSecret);
        Ok(Self {
            root: root.to_owned(),
            service: builder.build(),
        })
    }

    /// The service itself, a `tower` and `hyper` service: presigned URLs are answered over HTTP.
    pub fn service(&self) -> S3Service {
        self.service.clone()
    }

    /// Creates the bucket unless there is one of that name.
    pub(crate) fn ensure_bucket(&self, name: &str) -> std::io::Result<()> {
        std::fs::create_dir_all(self.root.join(name))
    }

    /// Answers one request, read whole.
    pub(crate) async fn answer(&self, request: Request<Bytes>) -> Answer {
        let is_head = request.method() == Method::HEAD;
        match self.service.call(request.map(s3s::Body::from)).await {
            // An HTTP server would leave the body out, and the SDK reads that: "not found".
            Ok(response) if is_head => response.map(|_| SdkBody::empty()),
            Ok(response) => response.map(SdkBody::from_body_1_x),
            Err(error) => {
                tracing::error!(?error, "the embedded S3 failed");
                answer::error(
                    Service::S3,
                    &AwsError::new(500, "InternalError", "Internal error"),
                )
            }
        }
    }
}

/// The operation that a path-style request means, for the operations that functions use.
pub(crate) fn operation(method: &Method, path: &str, query: &str) -> &'static str {
    let has_key = path
        .trim_start_matches('/')
        .split_once('/')
        .is_some_and(|(_, key)| !key.is_empty());
    match (method.as_str(), has_key) {
        ("GET", true) => "GetObject",
        ("PUT", true) => "PutObject",
        ("HEAD", true) => "HeadObject",
        ("DELETE", true) => "DeleteObject",
        ("GET", false) if query.contains("list-type=2") => "ListObjectsV2",
        ("HEAD", false) => "HeadBucket",
        ("PUT", false) => "CreateBucket",
        _ => "Unknown",
    }
}

/// Accepts whoever signs with the one secret.
struct OneSecret;

impl S3Auth for OneSecret {
    // Written out because the trait's own form needs the `async_trait` macro.
    fn get_secret_key<'s, 'k, 'f>(&'s self, _access_key: &'k str) -> BoxFuture<'f, S3Result<SecretKey>>
    where
        's: 'f,
        'k: 'f,
        Self: 'f,
    {
        Box::pin(std::future::ready(Ok(SecretKey::from(SECRET_KEY))))
    }
}
