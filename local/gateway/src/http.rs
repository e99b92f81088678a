//! The HTTP API: routes from the template, events in payload format 2.0, answers as API Gateway gives them.
//!
//! A request passes, in this order: the guard, the preflight answer of CORS, the desk's own extra routes, the limits,
//! the router, the throttle of the route, the function. Whatever happens, the answer carries `apigw-requestid` and, for a listed origin, the
//! headers of CORS.

mod cors;
mod event;
mod reply;
mod router;
#[cfg(test)]
mod tests;
mod throttle;

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use serde_json::json;
use tokio::net::TcpListener;

use crate::guard::{self, Guard};
use crate::invoke::{self, BoxFuture, InvokeError, Invoker, Outcome};
use crate::server::{self, Moment};
use crate::template::HttpApiSpec;

pub use router::RouteError;

/// The largest request body. From "Amazon API Gateway quotas", HTTP APIs: payload size 10 MB.
pub const BODY_LIMIT_BYTES: usize = 10 * 1024 * 1024;
/// The most that all request headers together may hold. From the same page: total combined size 10,240 bytes.
pub const HEADER_LIMIT_BYTES: usize = 10_240;
/// How long an integration may take. From the same page: maximum integration timeout 30 seconds.
pub const INTEGRATION_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the body of a request may take to arrive. The integration's time has not begun by then, so this is the
/// desk's own: as long as API Gateway waits for anything else of a request.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// A route of the desk itself, answered without a function.
pub type Extra = Arc<dyn Fn(Request<Bytes>) -> BoxFuture<'static, Response<Bytes>> + Send + Sync>;

/// An HTTP API that listens on the desk.
#[derive(Clone)]
pub struct HttpGateway {
    inner: Arc<Inner>,
}

#[derive(Clone)]
struct Inner {
    router: router::Router,
    cors: Option<cors::Cors>,
    invoker: Arc<dyn Invoker>,
    extras: HashMap<(Method, String), Extra>,
    patience: Duration,
    body_patience: Duration,
    guard: Guard,
}

impl HttpGateway {
    /// Builds the API that the template describes; fails if two of its routes are one.
    pub fn new(spec: &HttpApiSpec, invoker: Arc<dyn Invoker>) -> Result<Self, RouteError> {
        let inner = Inner {
            router: router::Router::new(spec)?,
            cors: spec.cors.clone().map(cors::Cors::new),
            invoker,
            extras: HashMap::new(),
            patience: INTEGRATION_TIMEOUT,
            body_patience: BODY_TIMEOUT,
            guard: Guard::open(),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Answers only those whom the guard admits.
    #[must_use]
    pub fn with_guard(mut self, guard: Guard) -> Self {
        Arc::make_mut(&mut self.inner).guard = guard;
        self
    }

    /// Adds a route of the desk's own at an exact path. It bypasses functions, limits and template, and answers only
    /// who asks for a loopback name, and no page of another origin: what the desk has of its own is for whoever sits at it.
    #[must_use]
    pub fn with_extra(mut self, method: Method, path: &str, handler: Extra) -> Self {
        Arc::make_mut(&mut self.inner)
            .extras
            .insert((method, path.to_owned()), handler);
        self
    }

    /// Waits for functions at most so long, instead of [`INTEGRATION_TIMEOUT`].
    #[must_use]
    pub fn with_integration_timeout(mut self, patience: Duration) -> Self {
        Arc::make_mut(&mut self.inner).patience = patience;
        self
    }

    /// Waits for the body of a request at most so long, instead of [`BODY_TIMEOUT`].
    #[must_use]
    pub fn with_body_timeout(mut self, patience: Duration) -> Self {
        Arc::make_mut(&mut self.inner).body_patience = patience;
        self
    }

    /// Serves the listener until `shutdown` resolves, and then finishes the requests that are open.
    pub async fn serve(&self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let gateway = self.clone();
        server::serve(listener, shutdown, move |request: Request<Incoming>, peer| {
            let gateway = gateway.clone();
            async move {
                let (parts, body) = request.into_parts();
                let body = tokio::time::timeout(gateway.inner.body_patience, read(body)).await;
                let answer = match body {
                    Ok(Ok(body)) => gateway.handle(Request::from_parts(parts, body), peer).await,
                    Ok(Err(status)) => gateway.refuse(&parts.headers, status),
                    Err(_) => gateway.refuse(&parts.headers, StatusCode::REQUEST_TIMEOUT),
                };
                answer.map(Full::new)
            }
        })
        .await
    }

    /// Answers one request, as [`HttpGateway::serve`] does for each that it reads.
    pub async fn handle(&self, request: Request<Bytes>, peer: SocketAddr) -> Response<Bytes> {
        let now = Moment::now();
        if !self.inner.guard.admits_host(request.headers()) {
            return identified(not_here(), &server::id());
        }
        if let Some(preflight) = self.inner.cors.as_ref().and_then(|cors| cors.preflight(&request)) {
            return identified(preflight, &server::id());
        }
        let key = (request.method().clone(), request.uri().path().to_owned());
        if let Some(extra) = self.inner.extras.get(&key) {
            return if guard::is_from_this_machine(request.headers()) {
                extra(request).await
            } else {
                identified(not_here(), &server::id())
            };
        }
        let (request_headers, id) = (request.headers().clone(), server::id());
        let mut response = self.route(request, peer, &id, now).await;
        if let Some(cors) = &self.inner.cors {
            cors.decorate(&request_headers, response.headers_mut());
        }
        identified(response, &id)
    }

    async fn route(
        &self,
        request: Request<Bytes>,
        peer: SocketAddr,
        id: &str,
        now: Moment,
    ) -> Response<Bytes> {
        if header_bytes(request.headers()) > HEADER_LIMIT_BYTES {
            return message(
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "Request Header Fields Too Large",
            );
        }
        if request.body().len() > BODY_LIMIT_BYTES {
            return message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
        }
        let Some(found) = self.inner.router.find(request.method(), request.uri().path()) else {
            return message(StatusCode::NOT_FOUND, "Not Found");
        };
        if !found.throttle.is_none_or(|bucket| bucket.admits(Instant::now())) {
            return message(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests");
        }
        let (mut parts, body) = request.into_parts();
        server::forward(&mut parts.headers, peer, now);
        let event = event::request(&parts, &body, &found, &event::Arrival { peer, id, now });
        let patience = found
            .timeout
            .map_or(self.inner.patience, |own| own.min(self.inner.patience));
        let outcome = invoke::invoke(
            &self.inner.invoker,
            found.function,
            event.to_string().into(),
            patience,
        )
        .await;
        match outcome {
            Outcome::Answer(payload) => reply::response(&payload).unwrap_or_else(|error| {
                tracing::warn!(function = found.function, %error, "an answer is no HTTP response");
                message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
            }),
            Outcome::Abandoned => message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
            Outcome::Failed(error) => failure(&error),
        }
    }

    fn refuse(&self, request_headers: &HeaderMap, status: StatusCode) -> Response<Bytes> {
        let text = match status {
            StatusCode::PAYLOAD_TOO_LARGE => "Request Entity Too Large",
            StatusCode::REQUEST_TIMEOUT => "Request Timeout",
            _ => "Bad Request",
        };
        let mut response = message(status, text);
        if status == StatusCode::REQUEST_TIMEOUT {
            // RFC 9110 §15.5.9: what is still to come is not waited for.
            let headers = response.headers_mut();
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if let Some(cors) = &self.inner.cors {
            cors.decorate(request_headers, response.headers_mut());
        }
        identified(response, &server::id())
    }
}

/// The answers for an invocation that failed; a function's own timeout is a function error like any other.
fn failure(error: &InvokeError) -> Response<Bytes> {
    match error {
        InvokeError::Crashed(_) | InvokeError::TimedOut => {
            message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
        }
        InvokeError::Throttled => message(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests"),
        InvokeError::TooLarge => message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"),
    }
}

/// The refusal of a host or a page that has no business here.
fn not_here() -> Response<Bytes> {
    message(
        StatusCode::FORBIDDEN,
        "The desk answers on loopback names only, such as 127.0.0.1 and localhost",
    )
}

/// Reads a body up to the limit; what lies beyond is read and dropped, so that the client sees the refusal.
async fn read(mut body: Incoming) -> Result<Bytes, StatusCode> {
    const DRAIN_LIMIT_BYTES: usize = 8 * BODY_LIMIT_BYTES;
    if body.size_hint().lower() > DRAIN_LIMIT_BYTES as u64 {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let (mut kept, mut size) = (BytesMut::new(), 0);
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return Err(StatusCode::BAD_REQUEST);
        };
        let Some(data) = frame.data_ref() else { continue };
        size += data.len();
        if size > DRAIN_LIMIT_BYTES {
            break;
        }
        if size <= BODY_LIMIT_BYTES {
            kept.extend_from_slice(data);
        }
    }
    if size > BODY_LIMIT_BYTES {
        Err(StatusCode::PAYLOAD_TOO_LARGE)
    } else {
        Ok(kept.freeze())
    }
}

fn header_bytes(headers: &HeaderMap) -> usize {
    headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum()
}

fn message(status: StatusCode, text: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(json!({ "message": text }).to_string()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert("content-type", HeaderValue::from_static("application/json"));
    response
}

fn identified(mut response: Response<Bytes>, id: &str) -> Response<Bytes> {
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert("apigw-requestid", id);
    }
    response
}
