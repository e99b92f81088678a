//! Events of the HTTP API: decoded, sanitized, and converted to requests by `lambda_http`.
//!
//! `lambda_http` builds a URI from the event and panics if that fails: on a blank, a quote or a control character in
//! the raw query, on an invalid host, on a URI over 64 KiB, on a body that is not base64. API Gateway passes most of
//! these on unchanged, and a release binary aborts on a panic. So an event is first decoded into a `LambdaRequest`;
//! what cannot be converted is repaired or refused; only then is it converted to a request.

use std::borrow::Cow;
use std::convert::Infallible;
use std::sync::OnceLock;

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{HOST, HeaderName, HeaderValue};
use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, Context, LambdaEvent, Service as _, service_fn};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};

use super::endpoint::AnyEndpoint;
use super::reply::Response;
use super::request::Request;
use crate::App;
use crate::error::{Error, Result};

/// Characters that must be encoded in the query of a URI (RFC 3986 §3.4). `%` is not among them: it begins an escape.
const NOT_IN_A_QUERY: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The longest encoded path and query, in bytes. `http::Uri` accepts 65,534; API Gateway accepts 10,240 bytes of
/// request line and headers.
/// line and headers through.
/// Source: AWS, *Quotas for configuring and running an HTTP API*.
const LONGEST_URI_BYTES: usize = 60_000;

/// The result of an invocation.
pub(crate) struct Answered {
    /// The response, in payload format 2.0.
    pub(crate) payload: Vec<u8>,
    /// Its status.
    pub(crate) status: u16,
    /// The id of the request.
    pub(crate) request_id: String,
    /// What went wrong, for the log.
    pub(crate) error: Option<Error>,
}

/// Answers an event: decodes it, passes the request to the route, and encodes the response.
///
/// # Errors
/// [`Error::Internal`] if it is not an event of an HTTP API in payload format 2.0.
pub(crate) async fn answer(app: &App, entry: &AnyEndpoint, event: &[u8]) -> Result<Answered> {
    let Sound { event, mut refusal } = decode(event)?;
    let outcome = OnceLock::new();
    let service = service_fn(|request: lambda_http::Request| {
        let (refusal, outcome) = (refusal.take(), &outcome);
        async move {
            let request = Request::from(request);
            let (response, error) = match refusal {
                None => (entry.answer)(app, &request).await,
                Some(error) => (Response::of_error(app, &request, &error), Some(error)),
            };
            // Set exactly once: the service is called once per event.
            outcome.get_or_init(|| (response.status(), request.id, error));
            Ok::<_, Infallible>(response)
        }
    });
    // The functions do not use Lambda's context, so an empty one works on the desk too.
    let event = LambdaEvent::new(LambdaRequest::ApiGatewayV2(event), Context::default());
    let Ok(answer) = Adapter::from(service).call(event).await;
    let payload = serde_json::to_vec(&answer).map_err(Error::internal)?;
    let outcome = outcome.into_inner();
    let (status, request_id, error) =
        outcome.ok_or_else(|| Error::internal("no route matches the request"))?;
    Ok(Answered {
        payload,
        status,
        request_id,
        error,
    })
}

/// An event that `lambda_http` can convert.
struct Sound {
    event: ApiGatewayV2httpRequest,
    /// Why the request must be refused, whatever its route; the part that could not be converted has been removed.
    refusal: Option<Error>,
}

/// Decodes and sanitizes an event.
fn decode(event: &[u8]) -> Result<Sound> {
    let (mut event, mut refusal) = match read(event) {
        Ok(event) => (event, None),
        Err(error) => with_sound_headers(event, error)?,
    };
    if event.version.as_deref() != Some("2.0") {
        return Err(Error::internal("the event is not in payload format 2.0"));
    }
    // Nothing uses the host, and a missing one cannot fail to parse.
    event.headers.remove(HOST);
    event.request_context.domain_name = None;
    let path = event.raw_path.get_or_insert_default();
    if !path.starts_with('/') {
        path.insert(0, '/');
    }
    let query = event.raw_query_string.take().unwrap_or_default();
    let query = Cow::from(utf8_percent_encode(&query, NOT_IN_A_QUERY)).into_owned();
    // A byte of the path takes up to three when encoded.
    if path.len() * 3 + query.len() > LONGEST_URI_BYTES {
        "/".clone_into(path);
        refusal = Some(Error::Malformed("the path and the query are too long".into()));
    } else if !query.is_empty() {
        event.raw_query_string = Some(query);
    }
    if event.is_base64_encoded {
        let body = event.body.take().unwrap_or_default();
        match STANDARD.decode(&body).map(String::from_utf8) {
            Ok(Ok(text)) => {
                event.body = Some(text);
                event.is_base64_encoded = false;
            }
            Ok(Err(_)) => event.body = Some(body),
            Err(_) => {
                event.is_base64_encoded = false;
                refusal = Some(Error::Malformed("the body is not base64".into()));
            }
        }
    }
    Ok(Sound { event, refusal })
}

/// Reads an event as `lambda_http` does.
fn read(event: &[u8]) -> serde_json::Result<ApiGatewayV2httpRequest> {
    serde_json::from_slice(event)
}

/// Decodes an event whose headers the decoder rejects. It accepts text of visible ASCII only; a value with other
/// characters (RFC 9110 §5.5, `obs-text`) is passed to it as bytes, and the route decides. An invalid header is
/// removed, and the request refused.
fn with_sound_headers(
    event: &[u8],
    error: serde_json::Error,
) -> Result<(ApiGatewayV2httpRequest, Option<Error>)> {
    let mut refusal = None;
    let mut fields: Value = serde_json::from_slice(event).map_err(Error::internal)?;
    let Some(headers) = fields.get_mut("headers").and_then(Value::as_object_mut) else {
        return Err(Error::internal(error));
    };
    headers.retain(|name, value| {
        let text = value.as_str().unwrap_or_default();
        let is_sound = HeaderName::try_from(name).is_ok() && HeaderValue::from_bytes(text.as_bytes()).is_ok();
        if !is_sound {
            refusal = Some(Error::Malformed("a header is malformed".into()));
        } else if HeaderValue::from_str(text).is_err() {
            *value = json!([text.as_bytes()]);
        }
        is_sound
    });
    let event = serde_json::from_value(fields).map_err(Error::internal)?;
    Ok((event, refusal))
}
