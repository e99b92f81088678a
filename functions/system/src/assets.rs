//! The files of the documentation pages, embedded in the binary: no content delivery network is used.

use shared::http::reply::File;

/// The content security policy of the pages. The two viewers set styles inline, and Redoc searches in a worker.
const PAGES_LOAD: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; \
    frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const JSON: &str = "application/json";

const fn plain(content_type: &'static str, bytes: &'static [u8]) -> File {
    File {
        content_type,
        bytes,
        is_gzip: false,
        content_security_policy: PAGES_LOAD,
    }
}

const fn packed(content_type: &'static str, bytes: &'static [u8]) -> File {
    File {
        content_type,
        bytes,
        is_gzip: true,
        content_security_policy: PAGES_LOAD,
    }
}

/// Swagger UI.
pub(crate) const DOCS: File = plain(HTML, include_bytes!("../assets/docs.html"));
/// Redoc.
pub(crate) const REDOC: File = plain(HTML, include_bytes!("../assets/redoc.html"));
/// The HTTP API as a document.
pub(crate) const OPENAPI: File = plain(JSON, include_bytes!("../../../openapi.json"));
/// The WebSocket API as a document.
pub(crate) const ASYNCAPI: File = plain(JSON, include_bytes!("../../../asyncapi.json"));

/// A file of Swagger UI.
pub(crate) fn docs_asset(name: &str) -> Option<File> {
    match name {
        "init.js" => Some(plain(SCRIPT, include_bytes!("../assets/docs-init.js"))),
        "swagger-ui-bundle.js" => Some(packed(
            SCRIPT,
            include_bytes!("../assets/swagger-ui-bundle.js.gz"),
        )),
        "swagger-ui.css" => Some(packed(STYLE, include_bytes!("../assets/swagger-ui.css.gz"))),
        _ => None,
    }
}

/// A file of Redoc.
pub(crate) fn redoc_asset(name: &str) -> Option<File> {
    match name {
        "init.js" => Some(plain(SCRIPT, include_bytes!("../assets/redoc-init.js"))),
        "redoc.standalone.js" => Some(packed(SCRIPT, include_bytes!("../assets/redoc.standalone.js.gz"))),
        _ => None,
    }
}
