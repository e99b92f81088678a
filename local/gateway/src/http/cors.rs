//! Cross-origin requests: answered by the gateway from the API's `CorsConfiguration`.
//!
//! From "Configure CORS for HTTP APIs": with a configuration the gateway answers preflight requests itself, even
//! without an `OPTIONS` route, and headers of CORS that a function returns are ignored.

use ::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use bytes::Bytes;

use crate::template::CorsSpec;

#[derive(Clone)]
pub(super) struct Cors {
    spec: CorsSpec,
}

impl Cors {
    pub(super) fn new(spec: CorsSpec) -> Self {
        Self { spec }
    }

    /// Answers a preflight request; the headers that permit anything are there only for a listed origin.
    pub(super) fn preflight(&self, request: &Request<Bytes>) -> Option<Response<Bytes>> {
        let headers = request.headers();
        let asks = request.method() == Method::OPTIONS
            && headers.contains_key(header::ORIGIN)
            && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if !asks {
            return None;
        }
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let answer = response.headers_mut();
        if self.permit(headers, answer) {
            put_list(
                answer,
                header::ACCESS_CONTROL_ALLOW_METHODS,
                &self.spec.allow_methods,
            );
            put_list(
                answer,
                header::ACCESS_CONTROL_ALLOW_HEADERS,
                &self.spec.allow_headers,
            );
            if let Some(seconds) = self.spec.max_age_seconds {
                answer.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from(seconds));
            }
        }
        Some(response)
    }

    /// Puts the headers of CORS on an answer to a listed origin, and takes away those of the function.
    pub(super) fn decorate(&self, request: &HeaderMap, answer: &mut HeaderMap) {
        let theirs: Vec<HeaderName> = answer
            .keys()
            .filter(|name| name.as_str().starts_with("access-control-"))
            .cloned()
            .collect();
        for name in theirs {
            answer.remove(name);
        }
        if self.permit(request, answer) {
            put_list(
                answer,
                header::ACCESS_CONTROL_EXPOSE_HEADERS,
                &self.spec.expose_headers,
            );
        }
    }

    fn permit(&self, request: &HeaderMap, answer: &mut HeaderMap) -> bool {
        let Some(origin) = request.get(header::ORIGIN) else {
            return false;
        };
        let any = self.spec.allow_origins.iter().any(|listed| listed == "*");
        let listed = self
            .spec
            .allow_origins
            .iter()
            .any(|listed| listed.as_bytes() == origin.as_bytes());
        if !any && !listed {
            return false;
        }
        let allowed = if any {
            HeaderValue::from_static("*")
        } else {
            origin.clone()
        };
        answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        if self.spec.allow_credentials {
            answer.insert(
                header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
                HeaderValue::from_static("true"),
            );
        }
        answer.append(header::VARY, HeaderValue::from_static("Origin"));
        true
    }
}

fn put_list(headers: &mut HeaderMap, name: HeaderName, values: &[String]) {
    if let (false, Ok(value)) = (values.is_empty(), HeaderValue::try_from(values.join(","))) {
        headers.insert(name, value);
    }
}
