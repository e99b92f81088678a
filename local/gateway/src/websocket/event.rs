//! The events of a WebSocket API: `CONNECT`, `MESSAGE`, `DISCONNECT`, and the authorizer's `REQUEST`.
//!
//! From "Set up a Lambda proxy integration for WebSocket APIs" and "WebSocket API mapping template reference"; the
//! authorizer's event from "Create a Lambda REQUEST authorizer function" for WebSocket APIs.

use std::net::SocketAddr;

use ::http::HeaderMap;
use ::http::header;
use serde_json::{Map, Value, json};

use super::goodbye::Goodbye;
use crate::server::{self, ACCOUNT, API, Moment, REGION};

/// What every event of one connection says about it.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) id: String,
    pub(super) connected_at: Moment,
    pub(super) domain: String,
    pub(super) stage: String,
    pub(super) source_ip: String,
    pub(super) user_agent: Option<String>,
    /// What the authorizer said: its context, and `principalId`.
    pub(super) authorizer: Option<Map<String, Value>>,
}

/// The request that opened a connection, in the forms that events carry.
pub(super) struct Opening {
    headers: HeaderMap,
    query: String,
}

impl Client {
    pub(super) fn new(headers: &HeaderMap, peer: SocketAddr, stage: &str) -> Self {
        Self {
            id: server::id(),
            connected_at: Moment::now(),
            domain: server::domain(headers),
            stage: stage.to_owned(),
            source_ip: peer.ip().to_string(),
            user_agent: server::text(headers, &header::USER_AGENT).map(str::to_owned),
            authorizer: None,
        }
    }

    /// The event of `$connect`.
    pub(super) fn connect(&self, opening: &Opening, request_id: &str) -> Value {
        let mut event = opening.fields();
        event.insert(
            "requestContext".into(),
            self.context("$connect", "CONNECT", request_id).into(),
        );
        event.insert("isBase64Encoded".into(), false.into());
        event.into()
    }

    /// The event of an authorizer.
    pub(super) fn authorize(&self, opening: &Opening, request_id: &str) -> Value {
        let mut event = Map::new();
        event.insert("type".into(), "REQUEST".into());
        event.insert("methodArn".into(), self.method_arn().into());
        event.extend(opening.fields());
        for name in [
            "queryStringParameters",
            "multiValueQueryStringParameters",
            "stageVariables",
        ] {
            event.entry(name).or_insert_with(|| json!({}));
        }
        event.insert(
            "requestContext".into(),
            self.context("$connect", "CONNECT", request_id).into(),
        );
        event.into()
    }

    /// The event of a message.
    pub(super) fn message(&self, route_key: &str, request_id: &str, body: &str, is_base64: bool) -> Value {
        let mut context = self.context(route_key, "MESSAGE", request_id);
        context.insert("messageId".into(), server::id().into());
        json!({ "requestContext": context, "body": body, "isBase64Encoded": is_base64 })
    }

    /// The event of `$disconnect`.
    pub(super) fn disconnect(&self, opening: &Opening, request_id: &str, goodbye: &Goodbye) -> Value {
        let mut context = self.context("$disconnect", "DISCONNECT", request_id);
        context.insert("disconnectStatusCode".into(), goodbye.status.into());
        context.insert("disconnectReason".into(), goodbye.reason.as_str().into());
        let mut event = opening.kept();
        event.insert("requestContext".into(), context.into());
        event.insert("isBase64Encoded".into(), false.into());
        event.into()
    }

    /// The ARN that an authorizer's policy has to allow.
    pub(super) fn method_arn(&self) -> String {
        format!(
            "arn:aws:execute-api:{REGION}:{ACCOUNT}:{API}/{}/$connect",
            self.stage
        )
    }

    fn context(&self, route_key: &str, event_type: &str, request_id: &str) -> Map<String, Value> {
        let now = Moment::now();
        let mut identity = Map::new();
        identity.insert("sourceIp".into(), self.source_ip.as_str().into());
        if let Some(agent) = &self.user_agent {
            identity.insert("userAgent".into(), agent.as_str().into());
        }
        let mut context = Map::new();
        context.insert("routeKey".into(), route_key.into());
        if let Some(authorizer) = &self.authorizer {
            context.insert("authorizer".into(), authorizer.clone().into());
        }
        let rest = [
            ("eventType", event_type.into()),
            ("extendedRequestId", request_id.into()),
            ("requestTime", now.as_text().into()),
            ("messageDirection", "IN".into()),
            ("stage", self.stage.as_str().into()),
            ("connectedAt", self.connected_at.epoch_milliseconds.into()),
            ("requestTimeEpoch", now.epoch_milliseconds.into()),
            ("identity", identity.into()),
            ("requestId", request_id.into()),
            ("domainName", self.domain.as_str().into()),
            ("connectionId", self.id.as_str().into()),
            ("apiId", API.into()),
        ];
        context.extend(rest.map(|(name, value): (&str, Value)| (name.to_owned(), value)));
        context
    }
}

impl Opening {
    pub(super) fn new(headers: HeaderMap, query: &str) -> Self {
        Self {
            headers,
            query: query.to_owned(),
        }
    }

    /// Returns a query parameter; of several, the last.
    pub(super) fn query(&self, name: &str) -> Option<String> {
        let pairs = form_urlencoded::parse(self.query.as_bytes());
        pairs
            .filter(|(key, _)| key == name)
            .last()
            .map(|(_, value)| value.into_owned())
    }

    /// Returns a header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    fn fields(&self) -> Map<String, Value> {
        let headers = self.headers.keys().flat_map(|name| {
            let written = written(name.as_str());
            let values = self.headers.get_all(name);
            values.iter().map(move |value| {
                (
                    written.clone(),
                    String::from_utf8_lossy(value.as_bytes()).into_owned(),
                )
            })
        });
        let query = form_urlencoded::parse(self.query.as_bytes())
            .map(|(name, value)| (name.into_owned(), value.into_owned()));
        let mut fields = Map::new();
        let (one, all) = multi(headers);
        fields.insert("headers".into(), one.into());
        fields.insert("multiValueHeaders".into(), all.into());
        let (one, all) = multi(query);
        if !one.is_empty() {
            fields.insert("queryStringParameters".into(), one.into());
            fields.insert("multiValueQueryStringParameters".into(), all.into());
        }
        fields
    }

    /// The few headers that AWS repeats when a connection ends.
    fn kept(&self) -> Map<String, Value> {
        let pairs = ["host", "x-forwarded-for"]
            .into_iter()
            .filter_map(|name| Some((written(name), self.header(name)?.to_owned())));
        let (one, all) = multi(pairs);
        let mut fields = Map::new();
        fields.insert("headers".into(), one.into());
        fields.insert("multiValueHeaders".into(), all.into());
        fields
    }
}

/// The same pairs twice: the last value of each name, and all of them.
fn multi(pairs: impl Iterator<Item = (String, String)>) -> (Map<String, Value>, Map<String, Value>) {
    let (mut one, mut all) = (Map::new(), Map::new());
    for (name, value) in pairs {
        if let Value::Array(values) = all.entry(name.clone()).or_insert_with(|| json!([])) {
            values.push(value.clone().into());
        }
        one.insert(name, value.into());
    }
    (one, all)
}

/// A header's name as clients usually write it: functions that look for lower-case names fail here as on AWS.
fn written(name: &str) -> String {
    let capital = |word: &str| match word {
        "websocket" => "WebSocket".to_owned(),
        word => {
            let mut letters = word.chars();
            letters
                .next()
                .map(|first| first.to_ascii_uppercase())
                .into_iter()
                .chain(letters)
                .collect()
        }
    };
    name.split('-').map(capital).collect::<Vec<_>>().join("-")
}
