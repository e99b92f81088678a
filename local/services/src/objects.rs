//! The buckets: S3 over a folder.
//!
//! Functions reach them in process, clients over HTTP through presigned forms and links. These are valid for their
//! lifetime, by the desk's clock, and allow what the role of the signing function allows.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Method, Request};
use s3s::S3Result;
use s3s::auth::{S3Auth, SecretKey};
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::service::{S3Service, S3ServiceBuilder};

use crate::answer::{self, Answer};
use crate::interceptor::{AwsError, Service};
use crate::queues::{self, Clock};
use crate::rights::Rights;

mod form;
mod gate;
pub(crate) mod operation;

/// The secret key of every access key id: functions sign with their names as ids.
pub const SECRET_KEY: &str = "desk";

/// The buckets and the S3 service in front of them.
#[derive(Clone)]
pub struct Objects {
    root: PathBuf,
    service: S3Service,
    rules: Arc<Rules>,
}

/// The rules for correctly signed calls.
struct Rules {
    clock: RwLock<Clock>,
    rights: RwLock<Option<Arc<Rights>>>,
    /// The buckets whose objects cannot be overwritten or deleted.
    locked: RwLock<HashSet<String>>,
}

impl Rules {
    /// Milliseconds since 1970.
    fn now(&self) -> i64 {
        let clock = Arc::clone(&self.clock.read().unwrap_or_else(PoisonError::into_inner));
        clock()
    }
}

impl Objects {
    /// Opens the buckets in `root`, a folder that exists.
    pub(crate) fn open(root: &Path) -> Result<Self, String> {
        let files = s3s_fs::FileSystem::new(root).map_err(|error| format!("{error:?}"))?;
        let rules = Arc::new(Rules {
            clock: RwLock::new(Arc::new(queues::system_time_ms)),
            rights: RwLock::default(),
            locked: RwLock::default(),
        });
        let mut config = S3Config::default();
        // Signatures use the desk's clock, which a test may have moved, so the gate checks the times.
        config.presigned_url_max_skew_time_secs = u32::MAX;
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(OneSecret);
        builder.set_access(gate::Gate(Arc::clone(&rules)));
        builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config))));
        Ok(Self {
            root: root.to_owned(),
            service: builder.build(),
            rules,
        })
    }

    /// Uses this clock, in milliseconds since 1970, instead of the system's.
    pub fn set_clock(&self, clock: Clock) {
        *self.rules.clock.write().unwrap_or_else(PoisonError::into_inner) = clock;
    }

    /// Limits what functions have signed to what their roles allow.
    pub(crate) fn set_rights(&self, rights: Arc<Rights>) {
        *self.rules.rights.write().unwrap_or_else(PoisonError::into_inner) = Some(rights);
    }

    /// Locks a bucket, so that its objects cannot be overwritten or deleted, like Object Lock and the bucket policy
    /// together. The embedded S3 has neither versions nor retention: locked objects stay for good.
    pub fn lock(&self, bucket: &str) {
        let mut locked = self.rules.locked.write().unwrap_or_else(PoisonError::into_inner);
        locked.insert(bucket.to_owned());
    }

    /// Creates the bucket unless it exists.
    pub(crate) fn ensure_bucket(&self, name: &str) -> std::io::Result<()> {
        std::fs::create_dir_all(self.root.join(name))
    }

    /// Puts an empty object, bypassing all rules: for tests, as somebody with the account's rights could.
    pub fn put_for_test(&self, bucket: &str, key: &str) -> std::io::Result<()> {
        let path = self.root.join(bucket).join(key);
        path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
        std::fs::write(path, [])
    }

    /// The keys of a bucket's objects, in order, bypassing all rules: for tests.
    pub fn keys(&self, bucket: &str) -> std::io::Result<Vec<String>> {
        let (root, mut keys) = (self.root.join(bucket), Vec::new());
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder)? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if let Ok(key) = path.strip_prefix(&root) {
                    keys.push(key.to_string_lossy().into_owned());
                }
            }
        }
        keys.sort();
        Ok(keys)
    }

    /// Answers one request of a function, or of a client with a presigned form or link.
    pub async fn answer(&self, request: Request<Bytes>) -> Answer {
        let is_head = request.method() == Method::HEAD;
        let is_post = request.method() == Method::POST;
        let end = is_post.then(|| form::end_of_form(request.body())).flatten();
        if end.is_some_and(|end| end <= self.rules.now()) {
            return form::expired();
        }
        match self.service.call(request.map(s3s::Body::from)).await {
            // An HTTP server would leave the body out, and SDKs rely on that: "not found".
            Ok(response) if is_head => response.map(|_| SdkBody::empty()),
            Ok(response) if end.is_some() => form::answer(response).await,
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

/// Accepts every signature with the one secret.
struct OneSecret;

impl S3Auth for OneSecret {
    // Written out because the trait's usual form needs the `async_trait` macro.
    fn get_secret_key<'s, 'k, 'f>(&'s self, _access_key: &'k str) -> BoxFuture<'f, S3Result<SecretKey>>
    where
        's: 'f,
        'k: 'f,
        Self: 'f,
    {
        Box::pin(std::future::ready(Ok(SecretKey::from(SECRET_KEY))))
    }
}
