//! What goes to the `@connections` API for a frame: what the SDK's client sends, with a signature that AWS takes, and
//! no more attempts than the SDK makes (S1-E09; design §9).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};
use shared::clock::Clock;
use shared::config::Config;
use shared::domain::ids::ConnectionId;
use shared::push::{self, Posted};
use shared::{App, Error};

const ENDPOINT: &str = "https://a1b2c3.execute-api.eu-west-1.amazonaws.com/prod";
const REGION: &str = "eu-west-1";
const KEY: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const SESSION: &str = "a session token/+==";
/// As API Gateway writes them.
const CONNECTION: &str = "L0SM9cOFvHcCIhw=";
const FRAME: &str = r#"{"type":"new_message","text":"Grüße"}"#;

/// API Gateway: answers as it was told, and with 200 beyond that.
#[derive(Clone, Debug, Default)]
struct Gateway {
    seen: Arc<Mutex<Vec<HttpRequest>>>,
    answers: Arc<Mutex<VecDeque<Answer>>>,
}

#[derive(Clone, Copy, Debug)]
enum Answer {
    Status(u16),
    Broken,
    Never,
}

impl HttpConnector for Gateway {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.seen.lock().unwrap().push(request);
        let answer = self.answers.lock().unwrap().pop_front();
        HttpConnectorFuture::new(async move {
            match answer.unwrap_or(Answer::Status(200)) {
                Answer::Status(status) => {
                    let status = status.try_into().unwrap();
                    Ok(HttpResponse::new(status, SdkBody::from("{}")))
                }
                Answer::Broken => Err(ConnectorError::io("reset by the peer".into())),
                Answer::Never => std::future::pending().await,
            }
        })
    }
}

impl Gateway {
    fn answering(answers: impl IntoIterator<Item = Answer>) -> Self {
        let gateway = Self::default();
        gateway.answers.lock().unwrap().extend(answers);
        gateway
    }

    fn app(&self) -> App {
        let config = Config::from_lookup(|name| {
            let value = match name {
                "AWS_REGION" => REGION,
                "AWS_ACCESS_KEY_ID" => KEY,
                "AWS_SECRET_ACCESS_KEY" => SECRET,
                "AWS_SESSION_TOKEN" => SESSION,
                "WEBSOCKET_ENDPOINT" => ENDPOINT,
                "JWT_SECRET_KEY" | "CURSOR_SECRET_KEY" => "a secret of thirty-two bytes, or more",
                name if name.ends_with("_URL") || name.ends_with("_NAME") => "somewhere",
                _ => return None,
            };
            Some(value.to_owned())
        });
        let connector = SharedHttpConnector::new(self.clone());
        App::new(config.unwrap(), Clock::default(), &connector, Arc::new(|_| ()))
    }

    async fn posts(&self) -> Result<Posted, Error> {
        push::post(&self.app(), &ConnectionId::new(CONNECTION), FRAME).await
    }

    fn sdk(&self) -> aws_sdk_apigatewaymanagement::Client {
        use aws_sdk_apigatewaymanagement::config::{BehaviorVersion, Config, Region};
        let connector = SharedHttpConnector::new(self.clone());
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .credentials_provider(Credentials::new(
                KEY,
                SECRET,
                Some(SESSION.to_owned()),
                None,
                "test",
            ))
            .endpoint_url(ENDPOINT)
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .build();
        aws_sdk_apigatewaymanagement::Client::from_conf(config)
    }

    fn attempts(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

/// What decides how API Gateway takes a request.
fn essence(request: &HttpRequest) -> (String, String, Vec<Option<String>>, Vec<u8>) {
    let names = ["content-type", "x-amz-security-token"];
    let header = |name| request.headers().get(name).map(str::to_owned);
    (
        request.method().to_owned(),
        request.uri().to_owned(),
        names.map(header).to_vec(),
        request.body().bytes().unwrap().to_vec(),
    )
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}

/// Whether a request has the signature that AWS works out for it.
/// Source: AWS, *Create a signed AWS API request*.
fn is_signed(request: &HttpRequest) -> bool {
    let header = |name: &str| match name {
        "host" => Some("a1b2c3.execute-api.eu-west-1.amazonaws.com"),
        name => request.headers().get(name),
    };
    let authorization = header("authorization").unwrap();
    let part = |name: &str| {
        let (_, rest) = authorization.split_once(&format!("{name}=")).unwrap();
        rest.split(',').next().unwrap()
    };
    let time = header("x-amz-date").unwrap();
    let scope = format!("{}/{REGION}/execute-api/aws4_request", &time[..8]);
    let names = part("SignedHeaders");
    let headers: Vec<String> = names
        .split(';')
        .map(|name| format!("{name}:{}\n", header(name).unwrap().trim()))
        .collect();
    // Each part of the path encoded once more, as for all services but S3.
    let canonical = format!(
        "{}\n/prod/%40connections/L0SM9cOFvHcCIhw%253D\n\n{}\n{names}\n{}",
        request.method(),
        headers.concat(),
        hex(&Sha256::digest(request.body().bytes().unwrap()))
    );
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{time}\n{scope}\n{}",
        hex(&Sha256::digest(canonical))
    );
    let key = scope
        .split('/')
        .fold(format!("AWS4{SECRET}").into_bytes(), |key, part| hmac(&key, part));
    let is_whole = ["host", "x-amz-date", "x-amz-security-token", "content-type"]
        .iter()
        .all(|name| names.split(';').any(|signed| signed == *name) || header(name).is_none());
    is_whole
        && part("Credential") == format!("{KEY}/{scope}")
        && part("Signature") == hex(&hmac(&key, &to_sign))
}

#[tokio::test]
async fn a_frame_is_sent_as_the_sdk_sends_it() {
    let (ours, theirs) = (Gateway::default(), Gateway::default());
    assert_eq!(ours.posts().await.unwrap(), Posted::Delivered);
    let sdk = theirs.sdk();
    let post = sdk.post_to_connection().connection_id(CONNECTION);
    post.data(aws_smithy_types::Blob::new(FRAME))
        .send()
        .await
        .unwrap();

    let connection = ConnectionId::new(CONNECTION);
    push::disconnect(&ours.app(), &connection).await.unwrap();
    sdk.delete_connection()
        .connection_id(CONNECTION)
        .send()
        .await
        .unwrap();

    let (ours, theirs) = (ours.seen.lock().unwrap(), theirs.seen.lock().unwrap());
    assert_eq!(essence(&ours[0]), essence(&theirs[0]));
    let (ours_to_delete, theirs_to_delete) = (essence(&ours[1]), essence(&theirs[1]));
    assert_eq!(
        (ours_to_delete.0, ours_to_delete.1, ours_to_delete.3),
        (theirs_to_delete.0, theirs_to_delete.1, theirs_to_delete.3)
    );
    for request in ours.iter().chain(theirs.iter()) {
        assert!(is_signed(request), "{request:?}");
    }
}

#[tokio::test]
async fn what_passes_is_tried_three_times_and_nothing_else_is() {
    use Answer::{Broken, Status};
    let gateway = Gateway::answering([Status(429), Broken, Status(200)]);
    assert_eq!(gateway.posts().await.unwrap(), Posted::Delivered);
    let calls: Vec<String> = {
        let seen = gateway.seen.lock().unwrap();
        assert!(seen.iter().all(is_signed), "each attempt is signed");
        let id = |request: &HttpRequest| request.headers().get("amz-sdk-invocation-id").map(str::to_owned);
        seen.iter().filter_map(id).collect()
    };
    assert_eq!(calls.len(), 3);
    assert!(calls.iter().all(|call| *call == calls[0]), "they are one call");

    let gateway = Gateway::answering([500, 502, 503, 504].map(Status));
    assert!(matches!(gateway.posts().await, Err(Error::Unavailable(_))));
    assert_eq!(gateway.attempts(), 3);

    let gateway = Gateway::answering([Status(410)]);
    assert_eq!(gateway.posts().await.unwrap(), Posted::Gone);
    assert_eq!(gateway.attempts(), 1);

    for refusal in [400, 403, 413] {
        let gateway = Gateway::answering([Status(refusal)]);
        assert!(matches!(gateway.posts().await, Err(Error::Internal(_))));
        assert_eq!(gateway.attempts(), 1);
    }
}

#[tokio::test]
async fn who_is_always_refused_tries_again_ten_times_in_all() {
    let gateway = Gateway::answering([Answer::Status(429); 100]);
    let app = gateway.app();
    for _ in 0..50 {
        let posted = push::post(&app, &ConnectionId::new(CONNECTION), FRAME).await;
        assert!(matches!(posted, Err(Error::Unavailable(_))));
    }
    assert_eq!(gateway.attempts(), 60);

    // Ten that succeed bring one retry.
    gateway.answers.lock().unwrap().clear();
    for _ in 0..10 {
        push::post(&app, &ConnectionId::new(CONNECTION), FRAME)
            .await
            .unwrap();
    }
    gateway.answers.lock().unwrap().extend([Answer::Status(429); 2]);
    let before = gateway.attempts();
    assert!(
        push::post(&app, &ConnectionId::new(CONNECTION), FRAME)
            .await
            .is_err()
    );
    assert_eq!(gateway.attempts(), before + 2);
}

#[tokio::test]
async fn who_never_answers_holds_nobody_up_for_longer_than_a_call_may_take() {
    let gateway = Gateway::answering([Answer::Never; 3]);
    let begun = Instant::now();
    assert!(matches!(gateway.posts().await, Err(Error::Unavailable(_))));
    assert!(begun.elapsed() < shared::CALL_TIMEOUT + Duration::from_secs(1));
    assert_eq!(gateway.attempts(), 3);
}
