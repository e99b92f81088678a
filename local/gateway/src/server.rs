//! What both gateways share: accepting HTTP/1.1 connections, ids, and times as API Gateway writes them.
//!
//! A client that is slow to send the headers of a request is cut off by hyper after 30 seconds.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ::http::uri::Authority;
use ::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Version, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use time::OffsetDateTime;
use time::macros::format_description;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// The account that every event and ARN of the desk names.
pub(crate) const ACCOUNT: &str = "000000000000";
/// The API id that every event of the desk names.
pub(crate) const API: &str = "local";
/// The region that ARNs of the desk name.
pub(crate) const REGION: &str = "us-east-1";

/// How long open requests may take to end once the server stops.
const GRACE: Duration = Duration::from_secs(5);

/// Serves HTTP/1.1, upgrades included, until `shutdown` resolves; open requests are finished first.
pub(crate) async fn serve<H, F>(
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
    handler: H,
) -> io::Result<()>
where
    H: Fn(Request<Incoming>, SocketAddr) -> F + Clone + Send + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let (stop, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let (stream, peer) = tokio::select! {
            () = &mut shutdown => break,
            // Finished connections are reaped as they end, so that the set does not grow.
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) if lasting(&error) => return Err(error),
                // The client was gone before it was accepted.
                Err(_) => continue,
            },
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "could not set TCP_NODELAY");
        }
        let (handler, mut stopped) = (handler.clone(), stopped.clone());
        connections.spawn(async move {
            let service = service_fn(move |request| {
                let answer = names_one_host(&request).then(|| handler(request, peer));
                async move {
                    Ok::<_, Infallible>(match answer {
                        Some(answer) => answer.await,
                        None => json(StatusCode::BAD_REQUEST, &json!({ "message": "Bad Request" })),
                    })
                }
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades();
            let mut connection = pin!(connection);
            let result = tokio::select! {
                result = connection.as_mut() => result,
                // In a block of its own, because what `wait_for` returns may not cross the next await.
                () = async { drop(stopped.wait_for(|stopped| *stopped).await) } => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = result {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
    drop(listener);
    stop.send_replace(true);
    let finished = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, finished).await.is_err() {
        tracing::debug!("open requests were cut off");
    }
    Ok(())
}

/// Returns true unless a request has no host, several, or one that is none.
/// Source: RFC 9112 §3.2; a request of HTTP/1.0 may leave it out.
fn names_one_host<B>(request: &Request<B>) -> bool {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => request.version() == Version::HTTP_10,
        (Some(host), None) => {
            let authority = Authority::try_from(host.as_bytes());
            authority.is_ok_and(|authority| !authority.host().is_empty() && !authority.as_str().contains('@'))
        }
        (Some(_), Some(_)) => false,
    }
}

/// Returns true for an error of `accept` that is the listener's and not one client's.
fn lasting(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidInput | io::ErrorKind::NotConnected | io::ErrorKind::Unsupported
    )
}

/// Makes an id of the form that API Gateway gives to requests, connections and messages: `L0SM9cOFvHcCIhw=`.
pub(crate) fn id() -> String {
    let mut random = [0; 11];
    fastrand::fill(&mut random);
    URL_SAFE.encode(random)
}

/// Returns an `X-Amzn-Trace-Id` header's value.
pub(crate) fn trace_id(now: Moment) -> String {
    format!(
        "Root=1-{:08x}-{:024x}",
        now.epoch_milliseconds / 1000,
        fastrand::u128(..) >> 32
    )
}

/// A point in time, in the two forms that events carry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// Milliseconds since 1970.
    pub(crate) epoch_milliseconds: u64,
}

impl Moment {
    /// Returns the present.
    pub(crate) fn now() -> Self {
        let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            epoch_milliseconds: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// Writes it as access logs do: `12/Mar/2020:19:03:58 +0000`.
    pub(crate) fn as_text(self) -> String {
        let format = format_description!("[day]/[month repr:short]/[year]:[hour]:[minute]:[second] +0000");
        let seconds = i64::try_from(self.epoch_milliseconds / 1000).unwrap_or(i64::MAX);
        OffsetDateTime::from_unix_timestamp(seconds)
            .ok()
            .and_then(|moment| moment.format(&format).ok())
            .unwrap_or_default()
    }
}

/// Returns the host that a client asked for, without its port.
pub(crate) fn domain(headers: &HeaderMap) -> String {
    let host = text(headers, &header::HOST).unwrap_or("localhost");
    let without_port = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    without_port.to_owned()
}

/// Returns the first value of a header, if it is text.
pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &::http::HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Adds the headers that API Gateway adds to a request on its way to a function.
pub(crate) fn forward(headers: &mut HeaderMap, peer: SocketAddr, now: Moment) {
    let chain = match headers
        .get("x-forwarded-for")
        .and_then(|value| value.to_str().ok())
    {
        Some(chain) => format!("{chain}, {}", peer.ip()),
        None => peer.ip().to_string(),
    };
    let port = text(headers, &header::HOST)
        .and_then(|host| host.rsplit_once(':'))
        .map_or("80", |(_, port)| port)
        .to_owned();
    let additions = [
        ("x-forwarded-for", chain),
        ("x-forwarded-port", port),
        ("x-forwarded-proto", "http".to_owned()),
        ("x-amzn-trace-id", trace_id(now)),
    ];
    for (name, value) in additions {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
}

/// Answers with a JSON body.
pub(crate) fn json(status: StatusCode, body: &serde_json::Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_names_one_host() {
        for (version, hosts, is_sound) in [
            (Version::HTTP_11, &["localhost:3000"][..], true),
            (Version::HTTP_11, &["[::1]:3000"], true),
            (Version::HTTP_11, &["a.example"], true),
            (Version::HTTP_11, &[], false),
            (Version::HTTP_11, &["localhost", "localhost"], false),
            (Version::HTTP_11, &["localhost", "evil.example"], false),
            (Version::HTTP_11, &[""], false),
            (Version::HTTP_11, &["a b"], false),
            (Version::HTTP_11, &["a/b"], false),
            (Version::HTTP_11, &["ada@localhost"], false),
            (Version::HTTP_10, &[], true),
            (Version::HTTP_10, &["localhost", "localhost"], false),
        ] {
            let mut request = Request::builder().version(version).uri("/");
            for host in hosts {
                request = request.header(header::HOST, *host);
            }
            assert_eq!(
                names_one_host(&request.body(()).unwrap()),
                is_sound,
                "{version:?} {hosts:?}"
            );
        }
    }
}
