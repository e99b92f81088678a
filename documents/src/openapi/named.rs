//! Schemas that clients need by name although no route refers to them (S0-F13).

use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};
use shared::domain::frame::{MessageEvent, NotificationEvent};

use super::schemas::Schemas;

/// The names, in addition to those that routes refer to.
pub const NAMES: [&str; 5] = [
    "MessageBase",
    "MessageEvent",
    "NotificationBase",
    "NotificationEvent",
    "NotificationResponse",
];

/// Adds the schemas. Their components must already exist.
pub(super) fn add(schemas: &mut Schemas) {
    let message = "What a mail has when it is sent and when it is returned.";
    base(
        schemas,
        "MessageBase",
        message,
        ["MessageCreate", "MessageWithUsers"],
    );
    let notification = "What a notification has when it is created and when it is returned.";
    let of_notification = ["NotificationCreate", "NotificationWithMessage"];
    base(schemas, "NotificationBase", notification, of_notification);
    let response = json!({
        "description": "A single notification.",
        "allOf": [{ "$ref": "#/components/schemas/NotificationWithMessage" }]
    });
    schemas.add("NotificationResponse", response);
    // The frames themselves come over the WebSocket.
    schemas.output("mail", SchemaGenerator::subschema_for::<MessageEvent>);
    schemas.output(
        "notifications",
        SchemaGenerator::subschema_for::<NotificationEvent>,
    );
}

/// Adds the fields that two schemas share, as in the second one.
fn base(schemas: &mut Schemas, name: &str, description: &str, [create, response]: [&str; 2]) {
    let properties = |schemas: &Schemas, name: &str| -> Map<String, Value> {
        let reference = json!({ "$ref": format!("#/components/schemas/{name}") });
        let schema = schemas.resolve(&reference);
        schema
            .get("properties")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default()
    };
    let created = properties(schemas, create);
    let mut common = properties(schemas, response);
    common.retain(|field, _| created.contains_key(field));
    let required: Vec<&String> = common.keys().collect();
    let schema = json!({
        "type": "object",
        "description": description,
        "required": required,
        "properties": common
    });
    schemas.add(name, schema);
}
