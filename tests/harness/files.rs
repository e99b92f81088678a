//! File uploads by people, directly to the bucket over HTTP.

use reqwest::multipart::{Form, Part};
use serde_json::{Map, Value, json};

use crate::person::{Answer, Person};

/// The beginning of a photograph.
pub const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0";
/// The beginning of a picture.
pub const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0";

/// A real file; `tests/data/files/README.md` says how it was created.
///
/// # Panics
/// If there is none of that name.
pub fn sample(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/data/files");
    std::fs::read(format!("{folder}/{name}")).expect(name)
}

/// A response of S3.
#[derive(Clone, Debug)]
pub struct FromS3 {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: reqwest::header::HeaderMap,
    /// The bytes.
    pub body: Vec<u8>,
}

impl FromS3 {
    /// Checks the status, and returns the body.
    #[track_caller]
    pub fn is(self, status: u16) -> Vec<u8> {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self.body
    }

    /// Checks that it is refused with a status and a code.
    #[track_caller]
    pub fn is_refusal(self, status: u16, code: &str) {
        let body = String::from_utf8(self.is(status)).expect("a refusal is text");
        assert!(body.contains(&format!("<Code>{code}</Code>")), "{body}");
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.expect("the buckets answer");
        Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.bytes().await.expect("a body").to_vec(),
        }
    }
}

/// The fields of a form, which a test may change.
pub fn fields(begun: &Value) -> Map<String, Value> {
    begun["upload"]["fields"].as_object().expect("fields").clone()
}

/// Posts bytes with a form.
pub async fn post(begun: &Value, bytes: &[u8]) -> FromS3 {
    post_with(begun, &fields(begun), bytes).await
}

/// Posts bytes to a form's URL, with other fields.
pub async fn post_with(begun: &Value, fields: &Map<String, Value>, bytes: &[u8]) -> FromS3 {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let mut form = Form::new();
    for (name, value) in fields {
        form = form.text(name.clone(), text(value));
    }
    let form = form.part("file", Part::bytes(bytes.to_vec()).file_name("whatever"));
    let url = text(&begun["upload"]["url"]);
    FromS3::of(reqwest::Client::new().post(url).multipart(form)).await
}

/// Follows a link.
pub async fn follow(url: &str) -> FromS3 {
    FromS3::of(reqwest::Client::new().get(url)).await
}

impl Person {
    /// Begins an upload.
    pub async fn begins(&self, filename: &str, content_type: &str, size_bytes: usize) -> Answer {
        let body = json!({ "filename": filename, "content_type": content_type, "size_bytes": size_bytes });
        self.post("/api/v2/files", body).await
    }

    /// Begins an upload and posts the file; its id.
    pub async fn uploads(&self, filename: &str, content_type: &str, bytes: &[u8]) -> String {
        let begun = self.begins(filename, content_type, bytes.len()).await.is(201);
        post(&begun, bytes).await.is(204);
        begun["file_id"].as_str().expect("an id").to_owned()
    }

    /// Completes an upload.
    pub async fn completes(&self, file: &str) -> Answer {
        self.post_nothing(&format!("/api/v2/files/{file}/complete")).await
    }

    /// The file, as the person gets it.
    pub async fn file(&self, file: &str) -> Answer {
        self.get(&format!("/api/v2/files/{file}")).await
    }
}
