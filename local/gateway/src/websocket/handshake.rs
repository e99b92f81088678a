//! The handshake: the authorizer, then `$connect`, then 101 or a refusal.
//!
//! A connection becomes live only after `$connect` has agreed; until then a post to it is 410, as on AWS.

use std::net::SocketAddr;
use std::sync::Arc;

use ::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::authorizer::{self, Verdict};
use super::connections::ConnectionInfo;
use super::event::{Client, Opening};
use super::{WebSocketGateway, session};
use crate::invoke::{self, InvokeError, Outcome};
use crate::server;
use crate::template::{AuthorizerSpec, Integration};

type Answer = Response<Full<Bytes>>;

/// The answer for a handshake whose task broke.
pub(super) fn broken() -> Answer {
    server::json(
        StatusCode::INTERNAL_SERVER_ERROR,
        &json!({ "message": "Internal server error" }),
    )
}

impl WebSocketGateway {
    pub(super) async fn handshake(&self, mut request: Request<Incoming>, peer: SocketAddr) -> Answer {
        let accept = match accept_key(&request) {
            Ok(accept) => accept,
            Err(refusal) => return *refusal,
        };
        if !self.inner.guard.admits_socket(request.headers()) {
            return server::json(StatusCode::FORBIDDEN, &json!({ "message": "Forbidden" }));
        }
        let upgrade = hyper::upgrade::on(&mut request);
        let mut headers = request.headers().clone();
        let mut client = Client::new(&headers, peer, &self.inner.spec.stage);
        server::forward(&mut headers, peer, client.connected_at);
        let opening = Opening::new(headers, request.uri().query().unwrap_or_default());
        let request_id = server::id();

        let decided = match self.authorize(&mut client, &opening, &request_id).await {
            Ok(()) => self.connect(&client, &opening, &request_id).await,
            Err(refusal) => Err(refusal),
        };
        match decided {
            Ok(protocol) => {
                self.welcome(client, opening, upgrade);
                switching(&accept, protocol)
            }
            Err(refusal) => refusal.into_response(&client, &request_id),
        }
    }

    async fn authorize(
        &self,
        client: &mut Client,
        opening: &Opening,
        request_id: &str,
    ) -> Result<(), Refusal> {
        let route = self.inner.spec.routes.get("$connect");
        let Some(spec) = route.and_then(|route| route.authorizer.as_ref()) else {
            return Ok(());
        };
        if !has_identity(spec, opening) {
            return Err(Refusal::says(StatusCode::UNAUTHORIZED, "Unauthorized"));
        }
        let event = client.authorize(opening, request_id).to_string();
        let answer = match self.invoke(&spec.function, event).await {
            Outcome::Answer(answer) => answer,
            Outcome::Failed(error) if error.has_message("Unauthorized") => {
                return Err(Refusal::says(StatusCode::UNAUTHORIZED, "Unauthorized"));
            }
            Outcome::Failed(_) | Outcome::Abandoned => return Err(Refusal::internal()),
        };
        match authorizer::verdict(&answer, &client.method_arn()) {
            Ok(Verdict::Allow(context)) => {
                client.authorizer = Some(context);
                Ok(())
            }
            Ok(Verdict::Deny) => Err(Refusal::says(StatusCode::FORBIDDEN, "Forbidden")),
            Err(error) => {
                tracing::warn!(function = spec.function, %error, "an authorizer's answer is no policy");
                Err(Refusal::internal())
            }
        }
    }

    /// Asks `$connect`; returns the subprotocol that it chose.
    async fn connect(
        &self,
        client: &Client,
        opening: &Opening,
        request_id: &str,
    ) -> Result<Option<HeaderValue>, Refusal> {
        let Some(route) = self.inner.spec.routes.get("$connect") else {
            return Ok(None);
        };
        let Integration::Function(function) = &route.integration else {
            return Ok(None);
        };
        let event = client.connect(opening, request_id).to_string();
        let answer = match self.invoke(function, event).await {
            Outcome::Answer(answer) => answer,
            Outcome::Abandoned | Outcome::Failed(InvokeError::TimedOut) => {
                return Err(Refusal::says(
                    StatusCode::GATEWAY_TIMEOUT,
                    "Endpoint request timed out",
                ));
            }
            Outcome::Failed(InvokeError::Throttled) => return Err(Refusal::internal()),
            Outcome::Failed(_) => {
                return Err(Refusal::says(StatusCode::BAD_GATEWAY, "Internal server error"));
            }
        };
        let malformed = || Refusal::says(StatusCode::BAD_GATEWAY, "Internal server error");
        let answer: Value = serde_json::from_slice(&answer).map_err(|_| malformed())?;
        let status = answer
            .get("statusCode")
            .and_then(Value::as_u64)
            .ok_or_else(malformed)?;
        let status = u16::try_from(status)
            .ok()
            .and_then(|code| StatusCode::from_u16(code).ok());
        let status = status.ok_or_else(malformed)?;
        if status.is_success() {
            return Ok(header(&answer, "sec-websocket-protocol"));
        }
        let status = if status.as_u16() < 300 {
            StatusCode::BAD_GATEWAY
        } else {
            status
        };
        let body = answer.get("body").and_then(Value::as_str).unwrap_or_default();
        let content_type = header(&answer, "content-type");
        let retry_after = header(&answer, "retry-after");
        Err(Refusal::Given {
            status,
            body: body.to_owned(),
            content_type,
            retry_after,
        })
    }

    fn welcome(&self, client: Client, opening: Opening, upgrade: OnUpgrade) {
        let info = ConnectionInfo {
            connected_at: client.connected_at.epoch_milliseconds,
            last_active_at: client.connected_at.epoch_milliseconds,
            source_ip: client.source_ip.clone(),
            user_agent: client.user_agent.clone(),
        };
        let capacity = self.inner.options.outgoing_frames;
        let (line, queued, session) = self.inner.connections.open(&client.id, info, capacity);
        let party = session::Party {
            gateway: self.clone(),
            client: Arc::new(client),
            opening,
            line,
        };
        tokio::spawn(async move {
            party.run(upgrade, queued).await;
            drop(session);
        });
    }

    pub(super) async fn invoke(&self, function: &str, event: String) -> Outcome {
        let patience = self.inner.options.integration_timeout;
        invoke::invoke(&self.inner.invoker, function, event.into(), patience).await
    }
}

/// Why a client is not let in.
enum Refusal {
    /// By the gateway.
    Says(StatusCode, &'static str),
    /// By `$connect`, in its words.
    Given {
        status: StatusCode,
        body: String,
        content_type: Option<HeaderValue>,
        retry_after: Option<HeaderValue>,
    },
}

impl Refusal {
    fn says(status: StatusCode, message: &'static str) -> Self {
        Self::Says(status, message)
    }

    fn internal() -> Self {
        Self::Says(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error")
    }

    fn into_response(self, client: &Client, request_id: &str) -> Answer {
        match self {
            Self::Says(status, message) => {
                let body = json!({ "message": message, "connectionId": client.id, "requestId": request_id });
                server::json(status, &body)
            }
            Self::Given {
                status,
                body,
                content_type,
                retry_after,
            } => {
                let mut response = Response::new(Full::new(Bytes::from(body)));
                *response.status_mut() = status;
                let headers = response.headers_mut();
                let json = HeaderValue::from_static("application/json");
                headers.insert(header::CONTENT_TYPE, content_type.unwrap_or(json));
                if let Some(seconds) = retry_after {
                    headers.insert(header::RETRY_AFTER, seconds);
                }
                response
            }
        }
    }
}

/// Checks that a request asks for a WebSocket and returns the key that accepts it.
fn accept_key(request: &Request<Incoming>) -> Result<String, Box<Answer>> {
    let headers = request.headers();
    let refuse = |status, message: &str| Box::new(server::json(status, &json!({ "message": message })));
    if request.method() != Method::GET {
        return Err(refuse(StatusCode::FORBIDDEN, "Forbidden"));
    }
    if !lists(headers, &header::UPGRADE, "websocket") || !lists(headers, &header::CONNECTION, "upgrade") {
        let mut refusal = refuse(StatusCode::UPGRADE_REQUIRED, "Upgrade Required");
        refusal
            .headers_mut()
            .insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        return Err(refusal);
    }
    let version = server::text(headers, &header::SEC_WEBSOCKET_VERSION);
    match (version, headers.get(header::SEC_WEBSOCKET_KEY)) {
        (Some("13"), Some(key)) => Ok(derive_accept_key(key.as_bytes())),
        _ => Err(refuse(StatusCode::BAD_REQUEST, "Bad Request")),
    }
}

fn lists(headers: &HeaderMap, name: &::http::HeaderName, word: &str) -> bool {
    let values = headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok());
    values
        .flat_map(|line| line.split(','))
        .any(|item| item.trim().eq_ignore_ascii_case(word))
}

fn switching(accept: &str, protocol: Option<HeaderValue>) -> Answer {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    if let Ok(accept) = HeaderValue::try_from(accept) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    if let Some(protocol) = protocol {
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    response
}

/// Returns true if the request has everything that the authorizer is configured to look at.
fn has_identity(spec: &AuthorizerSpec, opening: &Opening) -> bool {
    spec.identity_sources.iter().all(|source| {
        if let Some(name) = source.strip_prefix("route.request.querystring.") {
            opening.query(name).is_some_and(|value| !value.is_empty())
        } else if let Some(name) = source.strip_prefix("route.request.header.") {
            opening.header(name).is_some_and(|value| !value.is_empty())
        } else {
            // Context variables are always there; stage variables are not supported here.
            source.starts_with("context.")
        }
    })
}

/// Returns a header of a function's answer, whatever the case of its name.
fn header(answer: &Value, name: &str) -> Option<HeaderValue> {
    let headers = ["headers", "multiValueHeaders"]
        .into_iter()
        .filter_map(|field| answer.get(field)?.as_object());
    let (_, value) = headers
        .flatten()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))?;
    let value = value.as_array().map_or(Some(value), |values| values.first())?;
    HeaderValue::try_from(value.as_str()?).ok()
}
