//! People, who call the API and check its responses.

use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::socket::Socket;
use crate::validator::VALIDATOR;

/// Somebody with a token.
#[derive(Clone, Debug)]
pub struct Person {
    client: reqwest::Client,
    http_url: String,
    ws_url: String,
    /// Their id.
    pub id: Uuid,
    /// Their token.
    pub token: String,
}

/// A response, which was validated against the API document.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as JSON; null if it is empty or not JSON.
    pub json: Value,
    /// The body.
    pub text: String,
    asked: String,
}

impl Answer {
    /// Checks the status, and returns the body.
    #[track_caller]
    pub fn is(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}: {}", self.asked, self.text);
        self.json
    }

    /// Checks the status and code of an error, and returns the error.
    #[track_caller]
    pub fn is_error(self, status: u16, code: &str) -> Value {
        let json = self.is(status);
        assert_eq!(json["error"]["code"], code, "{json}");
        json["error"].clone()
    }

    /// Checks the invalid field of a 422, and the issue.
    #[track_caller]
    pub fn blames(self, field: &str, issue: &str) {
        let error = self.is_error(422, "VALIDATION_ERROR");
        assert_eq!(
            (&error["details"]["field"], &error["details"]["issue"]),
            (&json!(field), &json!(issue)),
            "{error}"
        );
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl Person {
    pub(crate) fn new(
        client: reqwest::Client,
        http_url: String,
        ws_url: String,
        id: Uuid,
        token: String,
    ) -> Self {
        Self {
            client,
            http_url,
            ws_url,
            id,
            token,
        }
    }

    /// The same person with another token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: token.to_owned(),
            ..self.clone()
        }
    }

    /// A request to a path, with the token.
    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        self.client
            .request(method, format!("{}{path}", self.http_url))
            .bearer_auth(&self.token)
    }

    /// A request without the token.
    pub fn anonymous(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        self.client.request(method, format!("{}{path}", self.http_url))
    }

    /// Sends a request; the response must conform to the API document.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let request = request.build().expect("a request");
        let (method, path) = (request.method().to_string(), request.url().path().to_owned());
        let response = self.client.execute(request).await.expect("the desk answers");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.expect("the answer has a body");
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        let body = (!text.is_empty() && !json.is_null()).then_some(&json);
        if let Err(difference) = VALIDATOR.check(&method, &path, status, body) {
            panic!("{method} {path} answered {status}, not as the document says: {difference}\n{text}");
        }
        Answer {
            status,
            headers,
            json,
            text,
            asked: format!("{method} {path}"),
        }
    }

    /// `GET`
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path)).await
    }

    /// `POST` with a JSON body.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(self.request("POST", path).json(&body)).await
    }

    /// `POST` without a body.
    pub async fn post_nothing(&self, path: &str) -> Answer {
        self.send(self.request("POST", path)).await
    }

    /// `PATCH` with a JSON body.
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(self.request("PATCH", path).json(&body)).await
    }

    /// `PUT` with a JSON body.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(self.request("PUT", path).json(&body)).await
    }

    /// `DELETE`
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request("DELETE", path)).await
    }

    /// Opens the direct conversation with somebody; returns its id.
    pub async fn open_direct(&self, other: &Self) -> String {
        let answer = self
            .post_nothing(&format!("/api/conversations/dm/{}", other.id))
            .await;
        assert!(matches!(answer.status, 200 | 201), "{}", answer.text);
        answer.json["id"].as_str().expect("an id").to_owned()
    }

    /// Opens a group; returns its id.
    pub async fn open_group(&self, name: &str, others: &[&Self]) -> String {
        let member_ids: Vec<Uuid> = others.iter().map(|other| other.id).collect();
        let body = json!({ "name": name, "member_ids": member_ids });
        self.post("/api/conversations", body).await.is(201)["id"]
            .as_str()
            .expect("an id")
            .to_owned()
    }

    /// Sends a message; returns it.
    pub async fn says(&self, conversation: &str, content: &str) -> Value {
        let path = format!("/api/conversations/{conversation}/messages");
        self.post(&path, json!({ "content": content })).await.is(201)
    }

    /// Sends a message with a `client_message_id`; returns the response.
    pub async fn says_as(&self, conversation: &str, content: &str, client_message_id: &str) -> Answer {
        let path = format!("/api/conversations/{conversation}/messages");
        self.post(
            &path,
            json!({ "content": content, "client_message_id": client_message_id }),
        )
        .await
    }

    /// Sends a person-to-person message; returns the response.
    pub async fn writes_to(&self, receiver: &Self, content: &str) -> Answer {
        let body = json!({ "receiver_id": receiver.id, "content": content });
        self.post("/api/v2/messages/send", body).await
    }

    /// How many credits this person has.
    pub async fn balance(&self) -> u64 {
        let answer = self.get("/api/v1/credits").await.is(200);
        answer["data"]["balance"].as_u64().expect("a number")
    }

    /// Marks everything up to a message as read; returns the read mark.
    pub async fn reads(&self, conversation: &str, message: &Value) -> Value {
        let path = format!("/api/conversations/{conversation}/read");
        self.patch(&path, json!({ "message_id": message["id"] }))
            .await
            .is(200)
    }

    /// The conversation as this person sees it.
    pub async fn sees(&self, conversation: &str) -> Value {
        self.get(&format!("/api/conversations/{conversation}"))
            .await
            .is(200)
    }

    /// The messages of a conversation, newest first, one page.
    pub async fn messages(&self, conversation: &str) -> Vec<Value> {
        let page = self
            .get(&format!(
                "/api/conversations/{conversation}/messages?page_size=100"
            ))
            .await
            .is(200);
        page["messages"].as_array().expect("messages").clone()
    }

    /// Sends a mail; returns it.
    pub async fn mails(&self, other: &Self, subject: &str) -> Value {
        let body =
            json!({ "recipient_id": other.id, "subject": subject, "body": format!("About {subject}") });
        self.post("/api/v2/messages", body).await.is(201)
    }

    /// The mails of a folder, newest first, one page.
    pub async fn folder(&self, folder: &str) -> Vec<Value> {
        let page = self
            .get(&format!("/api/v2/messages?folder={folder}&per_page=100"))
            .await
            .is(200);
        page["messages"].as_array().expect("mails").clone()
    }

    /// The notifications, newest first, one page.
    pub async fn notifications(&self) -> Vec<Value> {
        let page = self.get("/api/v2/notifications?per_page=100").await.is(200);
        page["notifications"].as_array().expect("notifications").clone()
    }

    /// Connects with `?token=`.
    pub async fn connect(&self) -> Socket {
        Socket::open(&format!("{}/?token={}", self.ws_url, self.token))
            .await
            .expect("the connection opens")
    }

    /// The address of the WebSocket API.
    pub fn ws_url(&self) -> &str {
        &self.ws_url
    }
}
