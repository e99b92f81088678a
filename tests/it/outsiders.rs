//! Tables over all routes: authentication, validation, and the headers of every response (contract §1).

mod bodies;
mod conditions;
mod keys;
mod odd;
mod refusals;
mod rims;

use harness::{Answer, Person, World, files};
use reqwest::RequestBuilder;
use serde_json::{Map, Value, json};
use shared::domain::user::Claims;
use shared::http::AnyEndpoint;
use shared::lambda::Trigger;
use uuid::Uuid;

/// The routes that need no token. Adding one is a deliberate decision.
const PUBLIC: [&str; 10] = [
    "get_asyncapi",
    "get_conversations_health",
    "get_docs",
    "get_docs_asset",
    "get_health",
    "get_openapi",
    "get_readiness",
    "get_redoc",
    "get_redoc_asset",
    "get_ws_health",
];

/// Every route except `$default`.
fn routes() -> Vec<AnyEndpoint> {
    let entry = |trigger| match trigger {
        Trigger::Http(entry) => Some(entry),
        Trigger::Frame(_) | Trigger::Connection(_) | Trigger::Queue(_) | Trigger::Schedule(_) => None,
    };
    let named = |entry: &AnyEndpoint| entry.route.path.starts_with('/');
    let functions = harness::functions().into_iter();
    functions
        .filter_map(|function| entry(function.trigger))
        .filter(named)
        .collect()
}

/// Two people with a conversation, and an outsider.
struct Fixture {
    world: World,
    ada: Person,
    eve: Person,
    /// Real ids for the ids in the examples.
    ids: Map<String, Value>,
}

impl Fixture {
    async fn new() -> Self {
        Self::set_with(&[]).await
    }

    async fn set_with(settings: &[(&str, &str)]) -> Self {
        let world = World::with(settings).await;
        let [bob, eve] = world.people(["bob", "eve"]).await;
        // With all permissions, so that requests are refused for other reasons.
        let claims = Claims {
            username: Some("ada".to_owned()),
            roles: vec!["super_admin".to_owned()],
            ..Claims::default()
        };
        let ada = world.stranger(Uuid::new_v4(), claims);
        let conversation = ada.open_direct(&bob).await;
        let message = ada.says(&conversation, "Between us").await["id"].clone();
        let received = bob.says(&conversation, "Back to you").await["id"].clone();
        let token = ada.get("/api/events").await.is(200)["next"].clone();
        // Two, because deleting a mail deletes its notification too.
        let mail = bob.mails(&ada, "One").await["id"].clone();
        bob.mails(&ada, "Two").await;
        let notification = ada.notifications().await[0]["id"].clone();
        let file = ada.uploads("harbour.jpg", "image/jpeg", files::JPEG).await;
        let attached = ada.uploads("pier.jpg", "image/jpeg", files::JPEG).await;
        ada.completes(&attached).await.is(200);
        let with_file = json!({ "receiver_id": bob.id, "content": "Look", "attachments": [attached] });
        let with_file = ada.post("/api/v2/messages/send", with_file).await.is(200)["id"].clone();
        let export = ada.get("/api/admin/messages/export").await.is(202)["export_id"].clone();
        let ids = json!({
            "delete_mail.message_id": mail,
            "get_attachment.file_id": attached,
            "get_attachment.message_id": with_file,
            "get_mail.message_id": mail,
            "update_mail.message_id": mail,
            "update_mails.message_ids": [mail],
            "notification_id": notification,
            "notification_ids": [notification],
            "recipient_id": bob.id,
            "conversation_id": conversation,
            "message_id": message,
            "other_user_id": bob.id,
            "member_ids": [bob.id],
            "message_ids": [message],
            "mark_message_delivered.message_id": received,
            "partner_id": bob.id,
            "receiver_id": bob.id,
            "sender_id": bob.id,
            "user_id": bob.id,
            "export_id": export,
            "user1_id": ada.id,
            "user2_id": bob.id,
            "after": token,
            "file_id": file,
        });
        let ids = ids.as_object().unwrap().clone();
        Self { world, ada, eve, ids }
    }

    /// The example of a parameter or field, with a real id in place of the example's; the route's own if there is one.
    fn real(&self, entry: &AnyEndpoint, name: &str, example: &Value) -> Value {
        let own = self.ids.get(&format!("{}.{name}", entry.route.name));
        own.or_else(|| self.ids.get(name)).unwrap_or(example).clone()
    }

    /// A path with the example's parameters filled in, except those in `but`.
    fn path_but(&self, entry: &AnyEndpoint, template: &str, but: impl Fn(&str) -> Option<String>) -> String {
        let mut path = template.to_owned();
        let mut query = Vec::new();
        for (name, example) in (entry.example)().parameters.as_object().into_iter().flatten() {
            let value = self.real(entry, name, example);
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let slot = format!("{{{name}}}");
            if path.contains(&slot) {
                path = path.replace(&slot, &but(name).unwrap_or(value));
            } else if name != "wait" {
                query.push(format!("{name}={value}"));
            }
        }
        assert!(
            !path.contains('{'),
            "{}: the example leaves a parameter out",
            entry.route.name
        );
        if query.is_empty() {
            path
        } else {
            format!("{path}?{}", query.join("&"))
        }
    }

    fn path(&self, entry: &AnyEndpoint, template: &str) -> String {
        self.path_but(entry, template, |_| None)
    }

    /// The example's body, with real ids.
    fn body(&self, entry: &AnyEndpoint) -> Value {
        let real = |(name, example): (&String, &Value)| (name.clone(), self.real(entry, name, example));
        match &(entry.example)().body {
            Value::Object(fields) => Value::Object(fields.iter().map(real).collect()),
            other => other.clone(),
        }
    }

    /// A valid request of a person.
    fn request(&self, person: &Person, entry: &AnyEndpoint, template: &str) -> RequestBuilder {
        let request = person.request(entry.route.method.as_str(), &self.path(entry, template));
        match self.body(entry) {
            Value::Null => request,
            body => request.json(&body),
        }
    }

    /// The same request, without a token.
    fn anonymous(&self, entry: &AnyEndpoint, template: &str) -> RequestBuilder {
        let request = self
            .ada
            .anonymous(entry.route.method.as_str(), &self.path(entry, template));
        match self.body(entry) {
            Value::Null => request,
            body => request.json(&body),
        }
    }
}

/// Checks the error format, and returns the body without what differs between requests.
#[track_caller]
fn shape(answer: &Answer, status: u16, code: &str, at: &str) -> Value {
    assert_eq!(answer.status, status, "{at}: {}", answer.text);
    let error = &answer.json["error"];
    assert_eq!(error["code"], code, "{at}: {}", answer.text);
    assert_eq!(answer.json["success"], false, "{at}");
    assert_eq!(answer.json["data"], Value::Null, "{at}");
    assert_eq!(answer.json["status_code"], status, "{at}");
    assert_eq!(answer.json["detail"], error["message"], "{at}");
    assert_eq!(answer.json["timestamp"], error["timestamp"], "{at}");
    assert_eq!(
        Some(error["request_id"].as_str().unwrap()),
        answer.header("x-request-id"),
        "{at}"
    );
    let mut body = answer.json.clone();
    for pointer in ["/timestamp", "/error/timestamp", "/error/request_id"] {
        *body.pointer_mut(pointer).unwrap() = Value::Null;
    }
    body
}

/// A UUID that identifies nothing.
fn nothing() -> String {
    Uuid::new_v4().to_string()
}
