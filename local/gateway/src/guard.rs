//! Who may reach the desk beyond those who know a secret.
//!
//! A browser lets any page ask any address. Two ways lead a page to a desk on loopback although neither the page nor
//! its site has anything to do with it:
//!
//! * DNS rebinding: the page's own host name is made to resolve to 127.0.0.1. The desk is then the page's own origin,
//!   CORS does not apply, and only the `Host` header tells.
//! * A WebSocket from a page of another origin: the same-origin policy does not cover it (RFC 6455 §10.2), and only the
//!   `Origin` header tells.

use ::http::{HeaderMap, Uri, header};

use crate::server;

/// Whom an API answers.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    /// The origins of pages that may connect beside those on loopback; none if everybody may.
    origins: Option<Vec<String>>,
}

impl Guard {
    /// Answers everybody: what they may do is decided by their tokens alone.
    pub fn open() -> Self {
        Self::default()
    }

    /// Answers clients that ask for a loopback name; of pages, those that a loopback name or one of `origins` served.
    pub fn loopback(origins: Vec<String>) -> Self {
        Self {
            origins: Some(origins),
        }
    }

    /// Whether the host that a request asks for is answered.
    pub(crate) fn admits_host(&self, headers: &HeaderMap) -> bool {
        self.origins.is_none() || asks_for_loopback(headers)
    }

    /// Whether a request is answered that would open a WebSocket.
    pub(crate) fn admits_socket(&self, headers: &HeaderMap) -> bool {
        let Some(origins) = &self.origins else { return true };
        let from_page = headers.get_all(header::ORIGIN).iter().all(|origin| {
            let listed = origins
                .iter()
                .any(|listed| listed.as_bytes() == origin.as_bytes());
            listed || origin.to_str().is_ok_and(is_loopback_origin)
        });
        asks_for_loopback(headers) && from_page
    }
}

/// Whether a request is for a loopback name and, if a page sent it, for the one that served the page.
pub(crate) fn is_from_this_machine(headers: &HeaderMap) -> bool {
    let host = server::text(headers, &header::HOST).unwrap_or_default();
    let mut origins = headers.get_all(header::ORIGIN).iter();
    asks_for_loopback(headers)
        && origins.all(|origin| origin.as_bytes() == format!("http://{host}").as_bytes())
}

fn asks_for_loopback(headers: &HeaderMap) -> bool {
    is_loopback_name(&server::domain(headers))
}

fn is_loopback_origin(origin: &str) -> bool {
    let host = origin.parse::<Uri>().ok();
    host.as_ref().and_then(Uri::host).is_some_and(is_loopback_name)
}

/// Whether a name means this machine wherever it is resolved: `localhost` and what is below it (RFC 6761 §6.3),
/// 127.0.0.0/8 and `[::1]`.
fn is_loopback_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost"
        || name.ends_with(".localhost")
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use ::http::HeaderValue;

    use super::*;

    fn headers(host: &str, origin: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_str(host).unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, HeaderValue::from_str(origin).unwrap());
        }
        headers
    }

    #[test]
    fn only_names_that_always_mean_this_machine_are_loopback() {
        for host in [
            "localhost",
            "LOCALHOST:3000",
            "localhost.:3000",
            "desk.localhost",
            "127.0.0.1:3000",
            "127.9.9.9",
            "[::1]",
            "[::1]:3000",
        ] {
            assert!(asks_for_loopback(&headers(host, None)), "{host}");
        }
        for host in [
            "evil.example:3000",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "notlocalhost",
            "10.0.0.1",
            "0.0.0.0:3000",
            "[::2]",
        ] {
            assert!(!asks_for_loopback(&headers(host, None)), "{host}");
        }
    }

    #[test]
    fn a_socket_is_opened_for_pages_of_this_machine_and_of_the_listed_origins() {
        let guard = Guard::loopback(vec!["https://app.example".to_owned()]);
        for (host, origin, is_admitted) in [
            ("127.0.0.1:3001", None, true),
            ("127.0.0.1:3001", Some("http://localhost:5173"), true),
            ("127.0.0.1:3001", Some("http://[::1]:5173"), true),
            ("127.0.0.1:3001", Some("https://app.example"), true),
            ("127.0.0.1:3001", Some("https://evil.example"), false),
            ("127.0.0.1:3001", Some("http://localhost.evil.example"), false),
            ("127.0.0.1:3001", Some("null"), false),
            ("evil.example:3001", None, false),
            ("evil.example:3001", Some("http://evil.example:3001"), false),
        ] {
            let headers = headers(host, origin);
            assert_eq!(guard.admits_socket(&headers), is_admitted, "{host} {origin:?}");
            assert!(Guard::open().admits_socket(&headers));
        }
    }

    #[test]
    fn a_page_of_another_origin_is_not_from_this_machine() {
        for (host, origin, is_ours) in [
            ("localhost:3000", None, true),
            ("localhost:3000", Some("http://localhost:3000"), true),
            ("localhost:3000", Some("http://localhost:5173"), false),
            ("localhost:3000", Some("https://evil.example"), false),
            ("evil.example", Some("http://evil.example"), false),
        ] {
            assert_eq!(
                is_from_this_machine(&headers(host, origin)),
                is_ours,
                "{host} {origin:?}"
            );
        }
    }
}
