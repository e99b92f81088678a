//! The files of the documentation pages, embedded in the binary: no content delivery network is used.

use std::borrow::Cow;
use std::io::Read as _;

use flate2::read::GzDecoder;
use shared::domain::precondition::Unmet;
use shared::http::reply::File;
use shared::http::{Call, Endpoint, Reply, encoding};
use shared::{Error, Result};

/// The content security policy of the pages. The two viewers set styles inline, and Redoc searches in a worker.
const PAGES_LOAD: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; \
    frame-ancestors 'none'";

/// How long anybody may keep a file before asking whether it still holds.
const CACHING: &str = "public, max-age=300";

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const JSON: &str = "application/json";

/// A file that is served, as the build has prepared it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asset {
    content_type: &'static str,
    /// The file, compressed by gzip.
    packed: &'static [u8],
    /// What changes with the file.
    tag: &'static str,
}

/// A file of the build, by its name.
macro_rules! asset {
    ($content_type:expr, $name:literal) => {
        Asset {
            content_type: $content_type,
            packed: include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".gz")),
            tag: include_str!(concat!(env!("OUT_DIR"), "/", $name, ".tag")),
        }
    };
}

/// Swagger UI.
pub(crate) const DOCS: Asset = asset!(HTML, "docs.html");
/// Redoc.
pub(crate) const REDOC: Asset = asset!(HTML, "redoc.html");
/// The HTTP API as a document.
pub(crate) const OPENAPI: Asset = asset!(JSON, "openapi.json");
/// The WebSocket API as a document.
pub(crate) const ASYNCAPI: Asset = asset!(JSON, "asyncapi.json");

/// A file of Swagger UI.
pub(crate) fn docs_asset(name: &str) -> Option<Asset> {
    match name {
        "init.js" => Some(asset!(SCRIPT, "docs-init.js")),
        "swagger-ui-bundle.js" => Some(asset!(SCRIPT, "swagger-ui-bundle.js")),
        "swagger-ui.css" => Some(asset!(STYLE, "swagger-ui.css")),
        _ => None,
    }
}

/// A file of Redoc.
pub(crate) fn redoc_asset(name: &str) -> Option<Asset> {
    match name {
        "init.js" => Some(asset!(SCRIPT, "redoc-init.js")),
        "redoc.standalone.js" => Some(asset!(SCRIPT, "redoc.standalone.js")),
        _ => None,
    }
}

impl Asset {
    /// The answer to a request for it: compressed for whoever prefers that, and nothing for whoever has it already.
    ///
    /// # Errors
    /// [`Error::PreconditionFailed`] if the request is about another version.
    pub(crate) fn answer<E: Endpoint, T>(self, call: &Call<'_, E>) -> Result<Reply<T>> {
        let is_packed = encoding::prefers_gzip(call.request.header("accept-encoding"));
        // Both are strong, so each encoding has its own (RFC 9110 §8.8.3.3).
        let etag = if is_packed {
            format!("\"{}-gzip\"", self.tag)
        } else {
            format!("\"{}\"", self.tag)
        };
        let reply = match call.preconditions.check(Some(&etag)) {
            Ok(()) => Reply::file(self.file(is_packed)?),
            // What a 200 would say of the version, and no body (RFC 9110 §15.4.5).
            Err(Unmet::NotModified { .. }) => Reply::empty().status(304),
            Err(unmet) => return Err(unmet.into()),
        };
        Ok(reply
            .header("etag", etag)
            .header("cache-control", CACHING)
            .header("vary", "accept-encoding"))
    }

    fn file(self, is_gzip: bool) -> Result<File> {
        let bytes = if is_gzip {
            Cow::Borrowed(self.packed)
        } else {
            let mut bytes = Vec::new();
            let read = GzDecoder::new(self.packed).read_to_end(&mut bytes);
            read.map_err(Error::internal)?;
            Cow::Owned(bytes)
        };
        Ok(File {
            content_type: self.content_type,
            bytes,
            is_gzip,
            content_security_policy: PAGES_LOAD,
        })
    }
}
