//! The embedded services on loopback, for functions in separate processes.
//!
//! One address serves all services: the form of a request tells the service, and the key that signed it tells the
//! function.

use std::io;

use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Request, Response, StatusCode};
use local_runtime::loopback::{HungUp, Server};
use local_services::{Lost, Service, Services};
use tokio::net::TcpListener;

/// Offers the services on a port; on any free one for 0.
///
/// # Errors
/// The port cannot be listened on.
pub async fn serve(services: Services, port: u16) -> io::Result<Server> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    Server::on(listener, move |request| {
        let services = services.clone();
        async move { answer(&services, request).await }
    })
}

/// Answers one request of a process.
///
/// The connection must be closed without a response.
pub async fn answer(services: &Services, request: Request<Bytes>) -> Result<Response<SdkBody>, HungUp> {
    let Some(caller) = caller(&request) else {
        let mut refusal = Response::new(SdkBody::from("the request is not signed"));
        *refusal.status_mut() = StatusCode::FORBIDDEN;
        return Ok(refusal);
    };
    match services.call(&caller, service(&request), request).await {
        Ok(answer) => Ok(answer),
        Err(Lost::Connection) => Err(HungUp),
        // A client that gives up closes the connection, which ends this too.
        Err(Lost::Time) => std::future::pending().await,
    }
}

/// The service of a request.
fn service(request: &Request<Bytes>) -> Service {
    let target = request.headers().get("x-amz-target");
    let target = target.and_then(|target| target.to_str().ok()).unwrap_or_default();
    let path = request.uri().path();
    if target.starts_with("DynamoDB_") {
        Service::DynamoDb
    } else if target.starts_with("AmazonSQS.") {
        Service::Sqs
    } else if path.contains("/@connections/") || path.contains("/%40connections/") {
        Service::Connections
    } else {
        Service::S3
    }
}

/// The function of a request: the id of the signing key, in a header or, for a presigned URL, in the query.
/// Source: AWS, *Authenticating Requests (AWS Signature Version 4)*.
fn caller(request: &Request<Bytes>) -> Option<String> {
    let header = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let credential = match header {
        Some(header) => header.split_once("Credential=")?.1,
        None => request.uri().query()?.split_once("X-Amz-Credential=")?.1,
    };
    let (id, _) = credential.split_once(['/', '%'])?;
    Some(id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(path: &str, headers: &[(&str, &str)]) -> Request<Bytes> {
        let mut request = Request::builder().uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Bytes::new()).unwrap()
    }

    #[test]
    fn a_request_is_for_the_service_that_its_form_is_of() {
        let target = |target| request("/", &[("x-amz-target", target)]);
        assert_eq!(service(&target("DynamoDB_20120810.GetItem")), Service::DynamoDb);
        assert_eq!(service(&target("AmazonSQS.SendMessage")), Service::Sqs);
        assert_eq!(
            service(&request("/%40connections/abc%3D", &[])),
            Service::Connections
        );
        assert_eq!(service(&request("/bucket/key", &[])), Service::S3);
    }

    #[test]
    fn a_request_is_of_whoever_signed_it() {
        let header =
            "AWS4-HMAC-SHA256 Credential=SendMessage/20260101/us-east-1/dynamodb/aws4_request, Signature=0";
        let signed = request("/", &[("authorization", header)]);
        assert_eq!(caller(&signed).as_deref(), Some("SendMessage"));
        let presigned = request(
            "/b/k?X-Amz-Credential=GetMe%2F20260101%2Fus-east-1&X-Amz-Expires=60",
            &[],
        );
        assert_eq!(caller(&presigned).as_deref(), Some("GetMe"));
        assert_eq!(caller(&request("/b/k", &[])), None);
    }
}
