//! The path from a client to a service: a connector that opens no socket.

use std::fmt;
use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::header::HOST;
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::BodyExt;

use crate::answer::{self, Answer};
use crate::interceptor::{AwsError, Call, Interceptor, Service, Verdict};
use crate::{Services, connections, dynamodb, objects, queues};

/// The connector of one function's clients.
#[derive(Clone)]
pub(crate) struct InProcess {
    pub(crate) services: Services,
    pub(crate) function: Arc<str>,
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcess")
            .field("function", &self.function)
            .finish_non_exhaustive()
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let this = self.clone();
        HttpConnectorFuture::new(async move { this.answer(request).await })
    }
}

impl InProcess {
    async fn answer(self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let request = request
            .try_into_http1x()
            .map_err(|error| ConnectorError::user(error.into()))?;
        let (parts, body) = request.into_parts();
        let host = parts.uri.host().unwrap_or_default().to_owned();
        let service = Service::of_host(&host)
            .ok_or_else(|| ConnectorError::io(format!("the desk has no service at {host}").into()))?;
        let body = body.collect().await.map_err(ConnectorError::user)?.to_bytes();
        let answer = self
            .services
            .call(&self.function, service, Request::from_parts(parts, body))
            .await;
        let answer = answer.map_err(|lost| match lost {
            Lost::Connection => ConnectorError::io(lost.into()),
            Lost::Time => ConnectorError::timeout(lost.into()),
        })?;
        HttpResponse::try_from(answer).map_err(|error| ConnectorError::user(error.into()))
    }
}

impl Service {
    /// The service at `host`, the host of an endpoint that the desk gives to SDK clients.
    pub fn of_host(host: &str) -> Option<Self> {
        match host.strip_suffix(".localhost")? {
            "dynamodb" => Some(Self::DynamoDb),
            "sqs" => Some(Self::Sqs),
            "s3" => Some(Self::S3),
            "execute-api" => Some(Self::Connections),
            _ => None,
        }
    }

    /// The endpoint to give to SDK clients.
    pub fn endpoint(self) -> &'static str {
        match self {
            Self::DynamoDb => "http://dynamodb.localhost",
            Self::Sqs => "http://sqs.localhost",
            Self::S3 => "http://s3.localhost",
            Self::Connections => "http://execute-api.localhost",
        }
    }
}

/// A call without a response, because an interceptor decided so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// The connection broke.
    #[error("the connection was dropped")]
    Connection,
    /// The connection timed out.
    #[error("the connection timed out")]
    Time,
}

impl Services {
    /// Answers a request of `function` to `service`. Functions in this process come through
    /// [`connector`](Self::connector), separate processes through a gateway.
    pub async fn call(
        &self,
        function: &str,
        service: Service,
        request: Request<Bytes>,
    ) -> Result<Answer, Lost> {
        let operation = operation(service, &request);
        let Some(interceptor) = self.interceptor() else {
            return Ok(self
                .run(
                    function,
                    service,
                    &operation,
                    request,
                    dynamodb::Capacity::AsAsked,
                )
                .await);
        };
        let path = request
            .uri()
            .path_and_query()
            .map(ToString::to_string)
            .unwrap_or_default();
        let body = request.body().clone();
        let id = request.headers().get("amz-sdk-invocation-id");
        let call = Call {
            id: id.and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned(),
            function: function.to_owned(),
            service,
            operation,
            path,
            request: body,
        };
        self.intercepted(&*interceptor, call, request).await
    }

    async fn intercepted(
        &self,
        interceptor: &dyn Interceptor,
        call: Call,
        request: Request<Bytes>,
    ) -> Result<Answer, Lost> {
        if let Some(instead) = decide(interceptor.before(&call).await, call.service) {
            return instead;
        }
        let answer = self
            .run(
                &call.function,
                call.service,
                &call.operation,
                request,
                dynamodb::Capacity::Always,
            )
            .await;
        let status = answer.status().as_u16();
        interceptor.observe(&call, status, answer.body().bytes().unwrap_or_default());
        decide(interceptor.after(&call, status).await, call.service).unwrap_or(Ok(answer))
    }

    async fn run(
        &self,
        function: &str,
        service: Service,
        operation: &str,
        mut request: Request<Bytes>,
        capacity: dynamodb::Capacity,
    ) -> Answer {
        let rights = self.rights();
        let denied = rights.and_then(|rights| rights.refuse(function, service, operation, &request));
        if let Some(error) = denied {
            return deny(service, request.method(), &error);
        }
        match service {
            Service::DynamoDb => {
                let table = (self.database(), &self.shared.replica);
                dynamodb::answer(table, operation, request.body(), capacity)
            }
            Service::Sqs => queues::answer(self.queues(), function, operation, request.body()).await,
            Service::S3 => {
                add_host(&mut request);
                let (method, path) = (request.method().clone(), request.uri().path().to_owned());
                let answer = self.objects().answer(request).await;
                let rights = self.rights().filter(|_| answer.status() == StatusCode::NOT_FOUND);
                let denied = rights.and_then(|rights| rights.refuse_to_miss(function, operation, &path));
                denied.map_or(answer, |error| deny(service, &method, &error))
            }
            Service::Connections => {
                let path = request.uri().path().to_owned();
                let connections = self.connections();
                connections::answer(connections.as_deref(), operation, &path, request.into_body()).await
            }
        }
    }
}

/// What the caller gets instead of the service's response, if anything.
fn decide(verdict: Verdict, service: Service) -> Option<Result<Answer, Lost>> {
    match verdict {
        Verdict::Proceed => None,
        Verdict::Answer(error) => Some(Ok(refuse(service, &error))),
        Verdict::Drop => Some(Err(Lost::Connection)),
        Verdict::TimeOut => Some(Err(Lost::Time)),
        // Without printing the panic's message, because this panic is intended.
        Verdict::Die => std::panic::resume_unwind(Box::new("killed by an interceptor")),
    }
}

fn refuse(service: Service, error: &AwsError) -> Answer {
    answer::error(service, error)
}

/// The error of a missing right.
fn deny(service: Service, method: &Method, error: &AwsError) -> Answer {
    let mut answer = refuse(service, error);
    match service {
        // SDKs report this code for the XML protocol.
        Service::Sqs => answer::set_header(&mut answer, "x-amzn-query-error", "AccessDenied;Sender"),
        // The response to a HEAD has no body, and so no code either: SDKs recognize it by its status.
        Service::S3 if *method == Method::HEAD => *answer.body_mut() = SdkBody::empty(),
        _ => {}
    }
    answer
}

fn operation(service: Service, request: &Request<Bytes>) -> String {
    let prefix = match service {
        Service::DynamoDb => dynamodb::TARGET_PREFIX,
        Service::Sqs => queues::TARGET_PREFIX,
        Service::S3 => {
            let uri = request.uri();
            let query = uri.query().unwrap_or_default();
            return objects::operation::of(request.method(), uri.path(), query, request.headers()).to_owned();
        }
        Service::Connections => return connections::operation(request.method()).to_owned(),
    };
    let target = request
        .headers()
        .get("x-amz-target")
        .and_then(|value| value.to_str().ok());
    target
        .and_then(|target| target.strip_prefix(prefix))
        .unwrap_or_default()
        .to_owned()
}

/// Sets the `Host` that the SDK has signed, which an HTTP client would have sent.
fn add_host(request: &mut Request<Bytes>) {
    let host = request
        .uri()
        .authority()
        .and_then(|host| HeaderValue::from_str(host.as_str()).ok());
    if let (Some(host), false) = (host, request.headers().contains_key(HOST)) {
        request.headers_mut().insert(HOST, host);
    }
}
