//! The buckets over HTTP, for clients with a presigned form or link, including S3's responses to cross-origin requests.
//!
//! The embedded S3 checks presigned requests, but does not implement CORS: the bucket's rules are applied here.
//! Source: AWS, *Using cross-origin resource sharing (CORS)* and *Elements of a CORS configuration* of S3.

use std::io;
use std::sync::Arc;

use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use local_gateway::template::{BucketSpec, CorsSpec};
use local_runtime::loopback::Server;
use local_services::Services;
use tokio::net::TcpListener;

/// Serves the buckets until the server is dropped.
pub fn serve(listener: TcpListener, services: Services, buckets: &[BucketSpec]) -> io::Result<Server> {
    let rules: Arc<[CorsSpec]> = buckets
        .iter()
        .flat_map(|bucket| bucket.cors.iter().cloned())
        .collect();
    Server::on(listener, move |request| {
        let (services, rules) = (services.clone(), Arc::clone(&rules));
        async move { Ok(answer(&services, &rules, request).await) }
    })
}

async fn answer(services: &Services, rules: &[CorsSpec], request: Request<Bytes>) -> Response<SdkBody> {
    let Some(origin) = request.headers().get(header::ORIGIN).cloned() else {
        return services.objects().answer(request).await;
    };
    if request.method() == Method::OPTIONS {
        return preflight(rules, &origin, request.headers());
    }
    let rule = rule_for(rules, &origin, request.method().as_str());
    let mut answer = services.objects().answer(request).await;
    if let Some(rule) = rule {
        let headers = answer.headers_mut();
        permit(rule, &origin, headers);
        put_list(
            headers,
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            &rule.expose_headers,
        );
    }
    answer
}

/// The first rule that allows a method to an origin.
fn rule_for<'a>(rules: &'a [CorsSpec], origin: &HeaderValue, method: &str) -> Option<&'a CorsSpec> {
    rules.iter().find(|rule| {
        let has_origin = rule
            .allow_origins
            .iter()
            .any(|listed| listed == "*" || listed.as_bytes() == origin.as_bytes());
        has_origin && rule.allow_methods.iter().any(|listed| listed == method)
    })
}

/// Whether a page may send such a request.
fn preflight(rules: &[CorsSpec], origin: &HeaderValue, asked: &HeaderMap) -> Response<SdkBody> {
    let text = |name: HeaderName| asked.get(name).and_then(|value| value.to_str().ok());
    let method = text(header::ACCESS_CONTROL_REQUEST_METHOD).unwrap_or_default();
    let names = text(header::ACCESS_CONTROL_REQUEST_HEADERS).unwrap_or_default();
    let names: Vec<String> = names
        .split(',')
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !name.is_empty())
        .collect();
    let takes = |rule: &&CorsSpec| {
        let listed = |name: &String| {
            let allowed = rule.allow_headers.iter();
            allowed
                .into_iter()
                .any(|allowed| allowed == "*" || allowed.eq_ignore_ascii_case(name))
        };
        names.iter().all(listed)
    };
    let Some(rule) = rule_for(rules, origin, method).filter(takes) else {
        let mut refusal = Response::new(SdkBody::from(
            "<Error><Code>AccessForbidden</Code><Message>CORSResponse: This CORS request is not allowed.</Message></Error>",
        ));
        *refusal.status_mut() = StatusCode::FORBIDDEN;
        return refusal;
    };
    let mut answer = Response::new(SdkBody::empty());
    let headers = answer.headers_mut();
    permit(rule, origin, headers);
    put_list(headers, header::ACCESS_CONTROL_ALLOW_METHODS, &rule.allow_methods);
    put_list(headers, header::ACCESS_CONTROL_ALLOW_HEADERS, &names);
    if let Some(seconds) = rule.max_age_seconds {
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from(seconds));
    }
    answer
}

fn permit(rule: &CorsSpec, origin: &HeaderValue, headers: &mut HeaderMap) {
    if rule.allow_origins.iter().any(|listed| listed == "*") {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        return;
    }
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
        HeaderValue::from_static("true"),
    );
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
}

fn put_list(headers: &mut HeaderMap, name: HeaderName, values: &[String]) {
    if let (false, Ok(value)) = (values.is_empty(), HeaderValue::try_from(values.join(", "))) {
        headers.insert(name, value);
    }
}
