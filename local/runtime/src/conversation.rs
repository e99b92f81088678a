//! The Runtime API, version 2018-06-01, for one process.
//!
//! Each process has an address of its own, so requests there are always from it.
//! Source: AWS, *Using the Lambda runtime API for custom runtimes*.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use serde_json::json;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::loopback::{HungUp, Server};

/// The largest event or answer of a synchronous invocation.
/// Source: AWS, *Lambda quotas*.
const PAYLOAD_LIMIT_BYTES: usize = 6 * 1024 * 1024;

/// An event for the process.
pub(crate) struct Work {
    pub(crate) id: Uuid,
    pub(crate) event: Bytes,
    /// The deadline, in milliseconds since 1970.
    pub(crate) deadline_milliseconds: u128,
    /// The function's name.
    pub(crate) function: String,
}

/// A request of a process.
#[derive(Debug)]
pub(crate) enum Said {
    /// It requests an event; the first request means that its init is done.
    Asks,
    /// Its init failed; holds the error object.
    InitFailed(String),
    /// The response to the event with that id.
    Answers(Uuid, Bytes),
    /// The error of the event with that id; holds the error object.
    Fails(Uuid, String),
    /// The response to the event with that id exceeds the limit.
    SaysTooMuch(Uuid),
}

/// The desk's end.
pub(crate) struct Conversation {
    server: Server,
    work: mpsc::Sender<Work>,
    said: mpsc::UnboundedReceiver<Said>,
}

impl Conversation {
    /// Waits for requests of a process.
    pub(crate) async fn begin() -> io::Result<Self> {
        let (other_end, work, said) = OtherEnd::new();
        let other_end = Arc::new(other_end);
        let server = Server::start(move |request| {
            let other_end = Arc::clone(&other_end);
            async move { other_end.answer(request).await }
        });
        Ok(Self {
            server: server.await?,
            work,
            said,
        })
    }

    /// The value of `AWS_LAMBDA_RUNTIME_API`.
    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Provides an event for the next request.
    pub(crate) async fn give(&self, work: Work) {
        // The other end lives as long as the server, which this value owns.
        self.work.send(work).await.ok();
    }

    /// The next message of the process. Never ends while the server exists.
    pub(crate) async fn hear(&mut self) -> Option<Said> {
        self.said.recv().await
    }
}

/// The process's end.
struct OtherEnd {
    waiting: tokio::sync::Mutex<mpsc::Receiver<Work>>,
    /// The event that the process is handling.
    current: Mutex<Option<Uuid>>,
    saying: mpsc::UnboundedSender<Said>,
}

impl OtherEnd {
    fn new() -> (Self, mpsc::Sender<Work>, mpsc::UnboundedReceiver<Said>) {
        let (work, waiting) = mpsc::channel(1);
        let (saying, said) = mpsc::unbounded_channel();
        let other_end = Self {
            waiting: tokio::sync::Mutex::new(waiting),
            current: Mutex::default(),
            saying,
        };
        (other_end, work, said)
    }

    async fn answer(&self, request: Request<Bytes>) -> Result<Response<Full<Bytes>>, HungUp> {
        let path = request.uri().path().to_owned();
        let Some(path) = path.strip_prefix("/2018-06-01/runtime/") else {
            return Ok(refusal(StatusCode::NOT_FOUND, "NoSuchPath"));
        };
        match (request.method(), path) {
            (&Method::GET, "invocation/next") => return self.next().await,
            (&Method::POST, "init/error") => {
                self.say(Said::InitFailed(text(request.body())));
                return Ok(accepted());
            }
            _ => {}
        }
        let invocation = path
            .strip_prefix("invocation/")
            .and_then(|path| path.split_once('/'));
        let (&Method::POST, Some((id, outcome))) = (request.method(), invocation) else {
            return Ok(refusal(StatusCode::NOT_FOUND, "NoSuchPath"));
        };
        let Some(id) = self.end(id) else {
            return Ok(refusal(StatusCode::BAD_REQUEST, "InvalidRequestID"));
        };
        let body = request.into_body();
        match outcome {
            "response" if body.len() > PAYLOAD_LIMIT_BYTES => {
                self.say(Said::SaysTooMuch(id));
                return Ok(refusal(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge"));
            }
            "response" => self.say(Said::Answers(id, body)),
            "error" => self.say(Said::Fails(id, text(&body))),
            _ => return Ok(refusal(StatusCode::NOT_FOUND, "NoSuchPath")),
        }
        Ok(accepted())
    }

    /// Responds as soon as there is an event.
    async fn next(&self) -> Result<Response<Full<Bytes>>, HungUp> {
        self.say(Said::Asks);
        let work = self.waiting.lock().await.recv().await.ok_or(HungUp)?;
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(work.id);
        let (time, _) = work.id.as_u64_pair();
        Response::builder()
            .header("content-type", "application/json")
            .header("lambda-runtime-aws-request-id", work.id.to_string())
            .header(
                "lambda-runtime-deadline-ms",
                work.deadline_milliseconds.to_string(),
            )
            .header(
                "lambda-runtime-invoked-function-arn",
                format!("arn:aws:lambda:us-east-1:000000000000:function:{}", work.function),
            )
            .header(
                "lambda-runtime-trace-id",
                format!(
                    "Root=1-{:08x}-{:024x};Sampled=0",
                    time >> 32,
                    work.id.as_u128() >> 32
                ),
            )
            .body(Full::new(work.event))
            .map_err(|_| HungUp)
    }

    /// Completes the event, if the process is handling it.
    fn end(&self, id: &str) -> Option<Uuid> {
        let id = Uuid::parse_str(id).ok()?;
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        (*current == Some(id)).then(|| current.take()).flatten()
    }

    fn say(&self, said: Said) {
        // The receiver is only gone if the process is being stopped.
        self.saying.send(said).ok();
    }
}

fn text(body: &Bytes) -> String {
    String::from_utf8_lossy(body).into_owned()
}

fn accepted() -> Response<Full<Bytes>> {
    json(StatusCode::ACCEPTED, &json!({ "status": "OK" }))
}

fn refusal(status: StatusCode, kind: &str) -> Response<Full<Bytes>> {
    json(status, &json!({ "errorType": kind, "errorMessage": kind }))
}

fn json(status: StatusCode, body: &serde_json::Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(id: Uuid) -> Work {
        Work {
            id,
            event: Bytes::from("{}"),
            deadline_milliseconds: 1_234,
            function: "SendMessage".to_owned(),
        }
    }

    async fn ask(
        other_end: &OtherEnd,
        method: &str,
        path: &str,
        body: impl Into<Bytes>,
    ) -> Response<Full<Bytes>> {
        let request = Request::builder()
            .method(method)
            .uri(format!("/2018-06-01/runtime/{path}"));
        other_end
            .answer(request.body(body.into()).unwrap())
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn an_event_is_asked_for_and_answered_once() {
        let (other_end, giving, mut said) = OtherEnd::new();
        let id = Uuid::new_v4();
        giving.send(work(id)).await.unwrap();

        let next = ask(&other_end, "GET", "invocation/next", "").await;
        assert!(matches!(said.recv().await, Some(Said::Asks)));
        let header = |name: &str| next.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("lambda-runtime-aws-request-id"), id.to_string());
        assert_eq!(header("lambda-runtime-deadline-ms"), "1234");
        assert!(header("lambda-runtime-invoked-function-arn").ends_with(":function:SendMessage"));
        assert!(header("lambda-runtime-trace-id").starts_with("Root=1-"));

        let other = format!("invocation/{}/response", Uuid::new_v4());
        assert_eq!(ask(&other_end, "POST", &other, "1").await.status(), 400);
        let mine = format!("invocation/{id}/response");
        assert_eq!(ask(&other_end, "POST", &mine, "1").await.status(), 202);
        assert!(matches!(said.recv().await, Some(Said::Answers(of, answer)) if of == id && answer == "1"));
        assert_eq!(ask(&other_end, "POST", &mine, "2").await.status(), 400);
    }

    #[tokio::test]
    async fn failures_are_heard() {
        let (other_end, giving, mut said) = OtherEnd::new();
        assert_eq!(
            ask(&other_end, "POST", "init/error", "no table").await.status(),
            202
        );
        assert!(matches!(said.recv().await, Some(Said::InitFailed(error)) if error == "no table"));

        for (outcome, body, status) in [("error", 1, 202), ("response", PAYLOAD_LIMIT_BYTES + 1, 413)] {
            let id = Uuid::new_v4();
            giving.send(work(id)).await.unwrap();
            ask(&other_end, "GET", "invocation/next", "").await;
            assert!(matches!(said.recv().await, Some(Said::Asks)));
            let path = format!("invocation/{id}/{outcome}");
            assert_eq!(
                ask(&other_end, "POST", &path, vec![b' '; body]).await.status(),
                status
            );
            match said.recv().await {
                Some(Said::Fails(of, error)) => assert_eq!((outcome, of, error.len()), ("error", id, 1)),
                Some(Said::SaysTooMuch(of)) => assert_eq!((outcome, of), ("response", id)),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(ask(&other_end, "GET", "invocation/none", "").await.status(), 404);
    }
}
