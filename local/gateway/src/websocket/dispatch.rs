//! One message: which route it takes, what its integration does, and what the client hears of it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::session::Party;
use crate::invoke::{InvokeError, Outcome};
use crate::server;
use crate::template::{Integration, WebSocketApiSpec, WebSocketRoute};

impl Party {
    /// Handles one message of the client to its end.
    pub(super) async fn dispatch(&self, message: Message) {
        // Binary messages reach functions as base64, and can match no route but `$default`.
        let (body, is_base64) = match message {
            Message::Text(text) => (text.as_str().to_owned(), false),
            Message::Binary(bytes) => (STANDARD.encode(bytes), true),
            _ => return,
        };
        let request_id = server::id();
        let selected = if is_base64 {
            default(&self.gateway.inner.spec)
        } else {
            select(&self.gateway.inner.spec, &body)
        };
        let Some((key, route)) = selected else {
            return self.complain("Forbidden", &request_id).await;
        };
        match &route.integration {
            Integration::Mock { reply } => {
                if let (true, Some(reply)) = (route.responds, reply) {
                    self.line.say(reply).await;
                }
            }
            Integration::Function(function) => {
                let event = self.client.message(key, &request_id, &body, is_base64);
                let outcome = self.gateway.invoke(function, event.to_string()).await;
                self.answer(route, outcome, &request_id).await;
            }
        }
    }

    async fn answer(&self, route: &WebSocketRoute, outcome: Outcome, request_id: &str) {
        match outcome {
            Outcome::Answer(answer) if route.responds => match body(&answer) {
                Ok(Some(body)) => self.line.say(&body).await,
                Ok(None) => {}
                Err(()) => self.complain("Internal server error", request_id).await,
            },
            Outcome::Answer(_) => {}
            Outcome::Abandoned | Outcome::Failed(InvokeError::TimedOut) => {
                self.complain("Endpoint request timed out", request_id).await;
            }
            Outcome::Failed(_) => self.complain("Internal server error", request_id).await,
        }
    }

    /// Sends the gateway's own error frame.
    async fn complain(&self, message: &str, request_id: &str) {
        let frame = json!({ "message": message, "connectionId": self.client.id, "requestId": request_id });
        self.line.say(&frame.to_string()).await;
    }
}

/// Picks the route whose key is what the selection expression finds in the body, or `$default`.
fn select<'a>(spec: &'a WebSocketApiSpec, body: &str) -> Option<(&'a str, &'a WebSocketRoute)> {
    let key = spec
        .route_selection
        .strip_prefix("$request.body.")
        .and_then(|path| {
            let body: Value = serde_json::from_str(body).ok()?;
            let value = path.split('.').try_fold(&body, |value, field| value.get(field))?;
            match value {
                Value::String(text) => Some(text.clone()),
                Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
                _ => None,
            }
        });
    // The reserved routes are not to be had by naming them.
    let named = key
        .filter(|key| !key.starts_with('$'))
        .and_then(|key| spec.routes.get_key_value(key.as_str()));
    named
        .map(|(key, route)| (key.as_str(), route))
        .or_else(|| default(spec))
}

fn default(spec: &WebSocketApiSpec) -> Option<(&str, &WebSocketRoute)> {
    spec.routes
        .get_key_value("$default")
        .map(|(key, route)| (key.as_str(), route))
}

/// Reads what a function answers to a route that has a response; an answer without a status is malformed.
fn body(answer: &[u8]) -> Result<Option<String>, ()> {
    let answer: Value = serde_json::from_slice(answer).map_err(|_| ())?;
    answer.get("statusCode").and_then(Value::as_u64).ok_or(())?;
    let body = match answer.get("body") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(_) => return Err(()),
    };
    Ok(body.filter(|text| !text.is_empty()))
}
