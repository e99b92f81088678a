//! A function's answer as an HTTP response, in payload format 2.0.
//!
//! From "Create AWS Lambda proxy integrations for HTTP APIs", "Lambda function response for format 2.0": an object
//! with `statusCode` says everything itself; any other JSON is the body of a 200.

use ::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value};

/// Reads a function's answer; the error says what is wrong with it.
pub(super) fn response(payload: &[u8]) -> Result<Response<Bytes>, String> {
    let value: Value = serde_json::from_slice(payload).map_err(|error| format!("it is no JSON: {error}"))?;
    match value {
        Value::Object(fields) if fields.contains_key("statusCode") => described(&fields),
        Value::String(text) => Ok(bare(text.into())),
        other => Ok(bare(other.to_string().into())),
    }
}

fn bare(body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn described(fields: &Map<String, Value>) -> Result<Response<Bytes>, String> {
    let status = status(fields)?;
    let headers = headers(fields)?;
    let mut response = Response::new(body(fields)?);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    if status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED {
        *response.body_mut() = Bytes::new();
    } else if !response.body().is_empty() && !response.headers().contains_key(header::CONTENT_TYPE) {
        let plain = HeaderValue::from_static("text/plain;charset=UTF-8");
        response.headers_mut().insert(header::CONTENT_TYPE, plain);
    }
    Ok(response)
}

/// Reads `statusCode`, a number or its digits.
fn status(fields: &Map<String, Value>) -> Result<StatusCode, String> {
    let code = match fields.get("statusCode") {
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::String(digits)) => digits.parse().ok(),
        _ => None,
    };
    code.and_then(|code| u16::try_from(code).ok())
        .filter(|code| (200..600).contains(code))
        .and_then(|code| StatusCode::from_u16(code).ok())
        .ok_or_else(|| "statusCode is no HTTP status".to_owned())
}

fn headers(fields: &Map<String, Value>) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, values) in object(fields, "multiValueHeaders")? {
        for value in values
            .as_array()
            .ok_or_else(|| format!("multiValueHeaders.{name} is no array"))?
        {
            let (name, value) = header_of(name, value)?;
            headers.append(name, value);
        }
    }
    for (name, value) in object(fields, "headers")? {
        let (name, value) = header_of(name, value)?;
        // A name that stands in both objects has its values from `multiValueHeaders`.
        if !headers.contains_key(&name) {
            headers.insert(name, value);
        }
    }
    match fields.get("cookies") {
        None | Some(Value::Null) => {}
        Some(Value::Array(cookies)) => {
            for cookie in cookies {
                let (name, value) = header_of("set-cookie", cookie)?;
                headers.append(name, value);
            }
        }
        Some(_) => return Err("cookies is no array".to_owned()),
    }
    for name in [
        header::CONTENT_LENGTH,
        header::TRANSFER_ENCODING,
        header::CONNECTION,
    ] {
        headers.remove(name);
    }
    Ok(headers)
}

fn object<'a>(
    fields: &'a Map<String, Value>,
    name: &str,
) -> Result<impl Iterator<Item = (&'a String, &'a Value)>, String> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None.into_iter().flatten()),
        Some(Value::Object(entries)) => Ok(Some(entries).into_iter().flatten()),
        Some(_) => Err(format!("{name} is no object")),
    }
}

fn header_of(name: &str, value: &Value) -> Result<(HeaderName, HeaderValue), String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        _ => return Err(format!("the header {name} is no text")),
    };
    let value =
        HeaderValue::from_bytes(text.as_bytes()).map_err(|error| format!("the header {name}: {error}"))?;
    let name = HeaderName::try_from(name).map_err(|error| format!("the header {name}: {error}"))?;
    Ok((name, value))
}

fn body(fields: &Map<String, Value>) -> Result<Bytes, String> {
    let text = match fields.get("body") {
        None | Some(Value::Null) => return Ok(Bytes::new()),
        Some(Value::String(text)) => text,
        Some(_) => return Err("body is no string".to_owned()),
    };
    if fields.get("isBase64Encoded").and_then(Value::as_bool) == Some(true) {
        return STANDARD
            .decode(text)
            .map(Bytes::from)
            .map_err(|error| format!("body is no base64: {error}"));
    }
    Ok(Bytes::copy_from_slice(text.as_bytes()))
}
