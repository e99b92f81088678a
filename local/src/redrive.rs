//! Redriving dead-letter queues: the command `tidings redrive`, and the route of the running desk that it calls.
//!
//! In the cloud this is `aws sqs start-message-move-task`.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use local_gateway::http::Extra;
use local_services::{QueueError, Services};
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;

/// The path on the desk; `?queue=` selects a dead-letter queue, otherwise all.
pub const PATH: &str = "/desk/redrive";

/// The result for one queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redriven {
    /// The dead-letter queue.
    pub from: String,
    /// The queue to which the jobs were returned.
    pub to: String,
    /// The number of jobs.
    pub jobs: usize,
}

/// The desk's side of the command.
pub fn route(services: Services) -> Extra {
    Arc::new(move |request| {
        let queue = request
            .uri()
            .query()
            .and_then(|query| query.strip_prefix("queue="));
        let (status, body) = match redrive(&services, queue) {
            Ok(redriven) if redriven.is_empty() => (StatusCode::NOT_FOUND, unknown(&services, queue)),
            Ok(redriven) => (
                StatusCode::OK,
                serde_json::to_string(&redriven).unwrap_or_default(),
            ),
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
        };
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = status;
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        Box::pin(std::future::ready(response))
    })
}

/// The dead-letter queues, each with its source queue.
fn dead_letters(services: &Services) -> Vec<(String, String)> {
    let specs = services.queues().specs().into_iter();
    specs
        .filter_map(|spec| Some((spec.dead_letter_queue?, spec.name)))
        .collect()
}

/// Redrives one dead-letter queue, or all.
fn redrive(services: &Services, queue: Option<&str>) -> Result<Vec<Redriven>, QueueError> {
    let mut redriven = Vec::new();
    for (from, to) in dead_letters(services) {
        if queue.is_none_or(|queue| queue == from) {
            let jobs = services.queues().redrive(&from, &to)?;
            redriven.push(Redriven { from, to, jobs });
        }
    }
    Ok(redriven)
}

fn unknown(services: &Services, queue: Option<&str>) -> String {
    let names: Vec<_> = dead_letters(services).into_iter().map(|(name, _)| name).collect();
    let queue = queue.unwrap_or_default();
    format!(
        "{queue} is no dead-letter queue; those are {}",
        names.join(" and ")
    )
}

/// The command's side: calls the desk on a port. The error is for the user of the command.
pub async fn ask(http_port: u16, queue: Option<&str>) -> Result<Vec<Redriven>, String> {
    let path = queue.map_or_else(|| PATH.to_owned(), |queue| format!("{PATH}?queue={queue}"));
    let said = post(http_port, &path).await?;
    serde_json::from_str(&said)
        .map_err(|error| format!("what listens at 127.0.0.1:{http_port} is no desk: {error}"))
}

/// Posts to a path of the desk on a port; returns the response, or an error text.
pub(crate) async fn post(http_port: u16, path: &str) -> Result<String, String> {
    let desk = format!("127.0.0.1:{http_port}");
    let silent = |error: &dyn std::fmt::Display| format!("no desk answers at {desk}: {error}");
    let stream = TcpStream::connect(&desk).await.map_err(|error| silent(&error))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| silent(&error))?;
    let connection = tokio::spawn(connection);
    let request = Request::post(path)
        .header(HOST, &desk)
        .body(Full::<Bytes>::default())
        .map_err(|error| error.to_string())?;
    let response = sender
        .send_request(request)
        .await
        .map_err(|error| silent(&error))?;
    let status = response.status();
    let body = response.into_body().collect().await;
    connection.abort();
    let body = body.map_err(|error| silent(&error))?.to_bytes();
    let said = String::from_utf8_lossy(&body);
    if status == StatusCode::OK {
        Ok(said.into_owned())
    } else {
        Err(said.into_owned())
    }
}
