//! The `@connections` API of API Gateway, without the SDK's client for it.
//!
//! A message to a group is one call for each who listens; all its other calls together are a dozen. Of what a call
//! through the SDK takes, two thirds are the SDK's own, for choices that are settled here: one endpoint, one
//! signature, one schedule. Its signer, its connector and its schedule of retries ([`crate::retries`]) are used as
//! they are. `tests/it/sockets/posted.rs` holds what is sent against what the SDK sends.

use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::http::{HttpConnector as _, SharedHttpConnector};
use aws_smithy_runtime_api::client::identity::Identity;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Request, StatusCode, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::Posted;
use crate::clients::{ATTEMPT_TIMEOUT, CALL_TIMEOUT};
use crate::clock::Clock;
use crate::domain::ids::ConnectionId;
use crate::domain::time::Timestamp;
use crate::error::{Error, Result};
use crate::retries::{Attempts, Budget};

/// All but what RFC 3986 §2.3 leaves as it is: ids end with `=`.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The API, at the endpoint of one stage.
pub(crate) struct Api {
    connector: SharedHttpConnector,
    /// `https://…/stage`, without a slash at its end.
    endpoint: String,
    region: String,
    signer: Identity,
    clock: Clock,
    budget: Budget,
}

/// What is asked of a connection.
struct Asked {
    method: Method,
    uri: Uri,
    body: Bytes,
    /// Tells AWS, and the desk's faults, which attempts are one call.
    call: String,
}

impl Api {
    pub(crate) fn new(
        connector: SharedHttpConnector,
        endpoint: &str,
        region: String,
        credentials: Credentials,
        clock: Clock,
    ) -> Self {
        Self {
            connector,
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            region,
            signer: Identity::from(credentials),
            clock,
            budget: Budget::default(),
        }
    }

    /// Reaches the API: posts to a connection that cannot exist, which it refuses.
    pub(super) async fn reach(&self) -> Result<()> {
        let asked = self.asked(Method::POST, &ConnectionId::new("init"), Bytes::new())?;
        self.attempt(&asked).await.map(|_| ())
    }

    /// `PostToConnection`.
    pub(super) async fn post(&self, connection: &ConnectionId, frame: &str) -> Result<Posted> {
        let frame = Bytes::copy_from_slice(frame.as_bytes());
        self.call(self.asked(Method::POST, connection, frame)?).await
    }

    /// `DeleteConnection`.
    pub(super) async fn delete(&self, connection: &ConnectionId) -> Result<Posted> {
        self.call(self.asked(Method::DELETE, connection, Bytes::new())?)
            .await
    }

    fn asked(&self, method: Method, connection: &ConnectionId, body: Bytes) -> Result<Asked> {
        let id = utf8_percent_encode(connection.as_str(), RESERVED);
        let uri = format!("{}/@connections/{id}", self.endpoint);
        let random = fastrand::u128(..).to_ne_bytes();
        Ok(Asked {
            method,
            uri: uri.parse().map_err(Error::internal)?,
            body,
            call: uuid::Builder::from_random_bytes(random).into_uuid().to_string(),
        })
    }

    /// Calls, and again while that may help and the budget allows it.
    async fn call(&self, asked: Asked) -> Result<Posted> {
        let mut attempts = Attempts::new(&self.budget);
        let posted = async {
            loop {
                let answered = self.attempt(&asked).await;
                match answered.and_then(|(status, kind)| judge(&asked.method, status, &kind)) {
                    Err(Error::Unavailable(_)) if attempts.pause().await => {}
                    posted => return posted,
                }
            }
        };
        let posted = within(CALL_TIMEOUT, posted).await?;
        attempts.succeeded();
        Ok(posted)
    }

    /// One attempt: the status of the answer, and the kind of error that it names.
    async fn attempt(&self, asked: &Asked) -> Result<(StatusCode, String)> {
        let request = self.signed(asked)?;
        within(ATTEMPT_TIMEOUT, async {
            let answer = self.connector.call(request).await;
            read(answer.map_err(Error::unavailable)?).await
        })
        .await
    }

    /// The request, signed now (AWS Signature Version 4).
    fn signed(&self, asked: &Asked) -> Result<HttpRequest> {
        const OCTETS: &str = "application/octet-stream";
        let since_1970 = self.clock.now().since(Timestamp::from_milliseconds(0));
        let params = v4::SigningParams::builder()
            .identity(&self.signer)
            .region(&self.region)
            .name("execute-api")
            .time(UNIX_EPOCH + since_1970)
            .settings(SigningSettings::default())
            .build()
            .map_err(Error::internal)?
            .into();
        let signable = SignableRequest::new(
            asked.method.as_str(),
            asked.uri.to_string(),
            std::iter::once((CONTENT_TYPE.as_str(), OCTETS)),
            SignableBody::Bytes(&asked.body),
        );
        let signed = signable.and_then(|signable| sign(signable, &params));
        let (signature, _) = signed.map_err(Error::internal)?.into_parts();
        let mut request = Request::builder()
            .method(asked.method.clone())
            .uri(asked.uri.clone())
            .header(CONTENT_TYPE, OCTETS)
            .header("amz-sdk-invocation-id", &asked.call)
            .body(SdkBody::from(asked.body.clone()))
            .map_err(Error::internal)?;
        signature.apply_to_request_http1x(&mut request);
        HttpRequest::try_from(request).map_err(Error::internal)
    }
}

/// What an answer means. That there were too many requests passes, as does what is amiss in the service itself.
fn judge(method: &Method, status: StatusCode, kind: &str) -> Result<Posted> {
    if status.is_success() {
        return Ok(Posted::Delivered);
    }
    if status == StatusCode::GONE {
        return Ok(Posted::Gone);
    }
    let cause = format!("{method} @connections: {status} {kind}");
    if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
        Err(Error::unavailable(cause))
    } else {
        Err(Error::internal(cause))
    }
}

/// The status and the kind of error of an answer. It is read to its end, or its connection could not be used again.
async fn read(answer: HttpResponse) -> Result<(StatusCode, String)> {
    let status = StatusCode::from_u16(answer.status().as_u16()).map_err(Error::internal)?;
    let kind = answer
        .headers()
        .get("x-amzn-errortype")
        .unwrap_or_default()
        .to_owned();
    let body = ByteStream::new(answer.into_body());
    body.collect().await.map_err(Error::unavailable)?;
    Ok((status, kind))
}

/// What comes of it, if that does not take longer.
async fn within<T>(limit: Duration, work: impl Future<Output = Result<T>>) -> Result<T> {
    let late = |_| {
        Err(Error::unavailable(format!(
            "@connections has not answered within {limit:?}"
        )))
    };
    tokio::time::timeout(limit, work).await.unwrap_or_else(late)
}
