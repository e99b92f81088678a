//! Clients: requests and frames as events of API Gateway, and the connections over which frames arrive.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use local::demo;
use local::desk::Desk;
use local_services::{ConnectionInfo, Connections, PostError};
use serde_json::{Value, json};
use shared::auth::Caller;
use shared::domain::ids::UserId;
use shared::domain::user::Claims;
use uuid::Uuid;

/// The connections of all devices.
#[derive(Default)]
pub(super) struct RecordedConnections {
    live: Mutex<HashMap<String, Vec<Value>>>,
}

impl RecordedConnections {
    pub(super) fn open(&self, id: &str) {
        self.live.lock().unwrap().insert(id.to_owned(), Vec::new());
    }

    /// Ends a connection; returns what came over it since the last time.
    pub(super) fn close(&self, id: &str) -> Vec<Value> {
        self.live.lock().unwrap().remove(id).unwrap_or_default()
    }

    /// What came over a connection since the last time.
    pub(super) fn take(&self, id: &str) -> Vec<Value> {
        let mut live = self.live.lock().unwrap();
        live.get_mut(id).map(std::mem::take).unwrap_or_default()
    }
}

impl Connections for RecordedConnections {
    fn post(&self, id: &str, data: Bytes) -> BoxFuture<'_, Result<(), PostError>> {
        let mut live = self.live.lock().unwrap();
        let result = live.get_mut(id).map(|frames| {
            frames.push(serde_json::from_slice(&data).expect("a frame is JSON"));
        });
        Box::pin(async move { result.ok_or(PostError::Gone) })
    }

    fn get(&self, _: &str) -> BoxFuture<'_, Result<ConnectionInfo, PostError>> {
        Box::pin(async { Err(PostError::Gone) })
    }

    fn disconnect(&self, id: &str) -> BoxFuture<'_, Result<(), PostError>> {
        let result = self.live.lock().unwrap().remove(id).map(|_| ());
        Box::pin(async move { result.ok_or(PostError::Gone) })
    }
}

/// A client that invokes functions directly.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) user: Uuid,
    token: String,
    /// The caller as the authorizer stores it.
    caller: String,
}

impl Client {
    pub(super) fn new(desk: &Desk, user: Uuid, name: &str) -> Self {
        const LIFETIME: Duration = Duration::from_hours(240);
        let claims = Claims {
            username: Some(name.to_owned()),
            ..Claims::default()
        };
        let now = desk.clock().now();
        let caller = Caller {
            user: UserId::from_uuid(user),
            claims: claims.clone(),
            expires_at: now.plus(LIFETIME),
            issued_at: None,
        };
        let token = demo::token(desk.secret(), user, claims, now, LIFETIME);
        Self {
            user,
            token: token.expect("a token is made"),
            caller: serde_json::to_string(&caller).expect("a caller is JSON"),
        }
    }

    /// A request to a route: the status that a client would see, and the body.
    pub(super) async fn asks(
        &self,
        desk: &Desk,
        function: &str,
        parameters: &[(&str, &str)],
        query: &str,
        body: Option<Value>,
    ) -> (u16, Value) {
        let parameters: serde_json::Map<String, Value> = parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
        let event = json!({
            "version": "2.0",
            "routeKey": function,
            "rawPath": "/api/simulation",
            "rawQueryString": query,
            "headers": {
                "authorization": format!("Bearer {}", self.token),
                "content-type": "application/json",
            },
            "requestContext": {
                "http": { "method": "POST", "path": "/api/simulation", "sourceIp": "203.0.113.7" },
                "requestId": "simulation",
                "stage": "$default",
            },
            "pathParameters": parameters,
            "body": body.map(|body| body.to_string()),
            "isBase64Encoded": false,
        });
        let answer = desk
            .invoker()
            .invoke(function, event.to_string().into_bytes())
            .await;
        // An invocation without a response is a 500 of the gateway.
        let Ok(answer) = answer else {
            return (500, Value::Null);
        };
        let answer: Value = serde_json::from_slice(&answer).expect("an answer is JSON");
        let status = u16::try_from(answer["statusCode"].as_u64().expect("a status")).expect("a status");
        let body = answer["body"].as_str().unwrap_or_default();
        (status, serde_json::from_str(body).unwrap_or_default())
    }

    /// An event of a connection; returns whether the function responded with success.
    pub(super) async fn signals(
        &self,
        desk: &Desk,
        function: &str,
        (route_key, kind): (&str, &str),
        connection: &str,
        body: Option<Value>,
    ) -> bool {
        let event = json!({
            "headers": {},
            "multiValueHeaders": {},
            "requestContext": {
                "routeKey": route_key,
                "authorizer": { "caller": self.caller, "principalId": self.user },
                "eventType": kind,
                "connectionId": connection,
                "connectedAt": 0,
                "requestTimeEpoch": 0,
                "requestId": "simulation",
                "domainName": "simulation",
                "stage": "dev",
                "identity": { "sourceIp": "203.0.113.7" },
            },
            "body": body.map(|body| body.to_string()),
            "isBase64Encoded": false,
        });
        let answer = desk
            .invoker()
            .invoke(function, event.to_string().into_bytes())
            .await;
        let Ok(answer) = answer else { return false };
        let answer: Value = serde_json::from_slice(&answer).expect("an answer is JSON");
        answer["statusCode"] == 200
    }
}
