//! Responses in the wire formats of AWS.

use aws_smithy_types::body::SdkBody;
use http::{HeaderName, HeaderValue, Response, StatusCode};

use crate::interceptor::{AwsError, Service};

/// A response to an SDK client.
pub(crate) type Answer = Response<SdkBody>;

/// A JSON response in the protocol of `service`.
pub(crate) fn json(service: Service, status: u16, body: impl Into<SdkBody>) -> Answer {
    let mut answer = Response::new(body.into());
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let content_type = match service {
        Service::DynamoDb | Service::Sqs => "application/x-amz-json-1.0",
        Service::Connections => "application/json",
        Service::S3 => "application/xml",
    };
    set_header(&mut answer, "content-type", content_type);
    // Only distinguishes responses and is no secret, so no system call is needed for each.
    let random = fastrand::u128(..).to_ne_bytes();
    let id = uuid::Builder::from_random_bytes(random).into_uuid();
    set_header(&mut answer, "x-amzn-requestid", &id.to_string());
    answer
}

/// An error in the format of `service`.
pub(crate) fn error(service: Service, error: &AwsError) -> Answer {
    let namespace = match service {
        Service::DynamoDb => "com.amazonaws.dynamodb.v20120810#",
        Service::Sqs => "com.amazonaws.sqs#",
        Service::Connections => return error_of_connections(error),
        Service::S3 => return error_of_objects(error),
    };
    let mut body = serde_json::json!({
        "__type": format!("{namespace}{}", error.kind),
        "message": error.message,
    });
    if !error.cancellation_reasons.is_empty()
        && let Some(fields) = body.as_object_mut()
    {
        let reasons = error
            .cancellation_reasons
            .iter()
            .map(|code| serde_json::json!({ "Code": code }));
        fields.insert("CancellationReasons".to_owned(), reasons.collect());
    }
    json(service, error.status, body.to_string())
}

fn error_of_connections(error: &AwsError) -> Answer {
    let body = serde_json::json!({ "message": error.message });
    let mut answer = json(Service::Connections, error.status, body.to_string());
    set_header(&mut answer, "x-amzn-errortype", &error.kind);
    answer
}

fn error_of_objects(error: &AwsError) -> Answer {
    let message = error.message.replace('&', "&amp;").replace('<', "&lt;");
    let body = format!(
        "<Error><Code>{}</Code><Message>{message}</Message></Error>",
        error.kind
    );
    json(Service::S3, error.status, body)
}

/// Sets a header, unless the value is invalid.
pub(crate) fn set_header(answer: &mut Answer, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(HeaderName::from_static(name), value);
    }
}
