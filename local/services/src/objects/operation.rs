//! The S3 operation of a request.

use http::{HeaderMap, Method};

/// The header with the source of a copy: a bucket and a key.
pub(crate) const COPY_SOURCE: &str = "x-amz-copy-source";

/// The operation of a path-style request, for the operations that functions use.
pub(crate) fn of(method: &Method, path: &str, query: &str, headers: &HeaderMap) -> &'static str {
    let has_key = path
        .trim_start_matches('/')
        .split_once('/')
        .is_some_and(|(_, key)| !key.is_empty());
    match (method.as_str(), has_key) {
        ("GET", true) => "GetObject",
        ("PUT", true) if headers.contains_key(COPY_SOURCE) => "CopyObject",
        ("PUT", true) => "PutObject",
        ("HEAD", true) => "HeadObject",
        ("DELETE", true) => "DeleteObject",
        ("GET", false) if query.contains("list-type=2") => "ListObjectsV2",
        ("HEAD", false) => "HeadBucket",
        ("PUT", false) => "CreateBucket",
        _ => "Unknown",
    }
}
