//! The AsyncAPI 3.0 document, generated from the list of functions and the frames of the server.

mod frames;
mod personal;
mod prose;
mod sample;

use serde_json::{Map, Value, json};
use shared::lambda::{Function, Trigger};
use shared::socket::AnyAction;

use crate::openapi::schemas::{Frame, Schemas, pascal};

/// A message of the document.
pub(crate) struct Message {
    /// The `type` of the frame; none if it can be any.
    pub(crate) tag: Option<&'static str>,
    /// Its name in the document.
    pub(crate) name: &'static str,
    /// One line.
    pub(crate) summary: String,
    /// More.
    pub(crate) description: String,
    /// The schema of the frame: a reference to a component.
    pub(crate) schema: Value,
    /// The `type` of the server's response, if there always is one.
    pub(crate) answered_by: Option<&'static str>,
    /// Named examples.
    pub(crate) examples: Vec<(String, Value)>,
}

/// The sender of a message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Client,
    Server,
}

impl Side {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }

    /// The operation of the described application, the server.
    const fn action(self) -> &'static str {
        match self {
            Self::Client => "receive",
            Self::Server => "send",
        }
    }
}

/// The document of all frames that these functions accept, and that the server sends.
pub fn document(functions: &[Function]) -> Value {
    let mut schemas = Schemas::of_asyncapi();
    let mut entries: Vec<&AnyAction> = functions.iter().filter_map(frame).collect();
    entries.sort_by_key(|entry| entry.key);
    let mut from_client = vec![ping(&mut schemas)];
    from_client.extend(entries.into_iter().map(|entry| of_client(entry, &mut schemas)));
    let from_server = frames::of_server(&mut schemas);

    let (mut messages, mut operations, mut listed) = (Map::new(), Map::new(), Map::new());
    let sides = [(Side::Client, from_client), (Side::Server, from_server)];
    for (side, message) in sides
        .into_iter()
        .flat_map(|(side, messages)| messages.into_iter().map(move |m| (side, m)))
    {
        let name = format!("{}_{}", side.as_str(), message.name);
        listed.insert(
            name.clone(),
            json!({ "$ref": format!("#/components/messages/{name}") }),
        );
        operations.insert(
            format!("{}_{}", side.action(), message.name),
            operation(side, &name, &message),
        );
        messages.insert(name, written(side, message));
    }
    let security = ["ticket", "token", "header", "protocol"]
        .map(|name| json!({ "$ref": format!("#/components/securitySchemes/{name}") }));
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Tidings over WebSocket",
            "version": env!("CARGO_PKG_VERSION"),
            "description": prose::front_page(),
            "license": { "name": "MIT OR Apache-2.0" }
        },
        "defaultContentType": "application/json",
        "servers": { "gateway": {
            "host": "{host}",
            "pathname": "/",
            "protocol": "wss",
            "description": prose::CREDENTIALS,
            "variables": { "host": {
                "description": "The host of your installation.",
                "examples": ["abc123.execute-api.eu-central-1.amazonaws.com"]
            } },
            "security": security
        } },
        "channels": { "socket": {
            "address": "/",
            "title": "The socket",
            "description": "The only channel. Frames are JSON text and differ by `type`.",
            "servers": [{ "$ref": "#/servers/gateway" }],
            "messages": listed,
            "bindings": { "ws": prose::handshake() }
        } },
        "operations": operations,
        "components": {
            "schemas": schemas.into_components(),
            "messages": messages,
            "securitySchemes": prose::security_schemes()
        }
    })
}

/// The route of a frame function; `$default` accepts what is not a message.
fn frame(function: &Function) -> Option<&AnyAction> {
    match &function.trigger {
        Trigger::Frame(entry) if !entry.key.starts_with('$') => Some(entry),
        Trigger::Http(_)
        | Trigger::Frame(_)
        | Trigger::Connection(_)
        | Trigger::Queue(_)
        | Trigger::Schedule(_) => None,
    }
}

/// The frames that API Gateway answers itself, without a function.
fn ping(schemas: &mut Schemas) -> Message {
    let frame = Frame {
        name: Some("PingRequest".to_owned()),
        tag: Some("ping"),
        schema: |_| schemars::json_schema!({ "type": "object" }),
    };
    Message {
        tag: Some("ping"),
        name: "ping",
        summary: "Check that the connection is alive".to_owned(),
        description:
            "Answered with `pong`. A connection without traffic is closed after ten minutes: send a ping every few \
             minutes to keep it open."
                .to_owned(),
        schema: schemas.frame(&frame, |_| ()),
        answered_by: Some("pong"),
        examples: vec![("ping".to_owned(), json!({ "type": "ping" }))],
    }
}

fn of_client(entry: &AnyAction, schemas: &mut Schemas) -> Message {
    let frame = Frame {
        name: Some(format!("{}Request", pascal(entry.key))),
        tag: Some(entry.key),
        schema: entry.input,
    };
    Message {
        tag: Some(entry.key),
        name: entry.key,
        summary: entry.summary.to_owned(),
        description: entry.description.to_owned(),
        schema: schemas.frame(&frame, |_| ()),
        answered_by: entry.answered_by,
        examples: vec![(entry.key.to_owned(), (entry.example)())],
    }
}

fn operation(side: Side, name: &str, message: &Message) -> Value {
    let reference = |name: &str| json!({ "$ref": format!("#/channels/socket/messages/{name}") });
    let channel = json!({ "$ref": "#/channels/socket" });
    let mut operation = json!({
        "action": side.action(),
        "channel": channel,
        "summary": message.summary,
        "messages": [reference(name)]
    });
    if let (Some(fields), Some(answer)) = (operation.as_object_mut(), message.answered_by) {
        let answer = reference(&format!("{}_{answer}", Side::Server.as_str()));
        fields.insert(
            "reply".to_owned(),
            json!({ "channel": channel, "messages": [answer] }),
        );
    }
    operation
}

fn written(side: Side, message: Message) -> Value {
    let examples: Vec<Value> = message
        .examples
        .into_iter()
        .map(|(name, payload)| json!({ "name": name, "payload": payload }))
        .collect();
    json!({
        "name": message.tag.unwrap_or(message.name),
        "title": format!("{} ({})", pascal(message.name), side.as_str()),
        "summary": message.summary,
        "description": message.description,
        "contentType": "application/json",
        "payload": message.schema,
        "examples": examples
    })
}
