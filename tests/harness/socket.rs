//! A real WebSocket client.

use std::collections::VecDeque;

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::PATIENCE;

/// An open connection.
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// The headers of the handshake response.
    pub handshake: tungstenite::http::HeaderMap,
    /// Frames that came while a test waited for another one.
    passed: VecDeque<Value>,
}

impl Socket {
    /// Opens a connection, or returns the status of a refused handshake.
    pub async fn open(request: impl IntoClientRequest + Unpin) -> Result<Self, u16> {
        match tokio_tungstenite::connect_async(request).await {
            Ok((stream, response)) => Ok(Self {
                stream,
                handshake: response.headers().clone(),
                passed: VecDeque::new(),
            }),
            Err(tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("the handshake failed: {error}"),
        }
    }

    /// Sends a frame.
    pub async fn send(&mut self, frame: Value) {
        self.send_text(&frame.to_string()).await;
    }

    /// Sends text.
    pub async fn send_text(&mut self, text: &str) {
        self.stream
            .send(Message::text(text))
            .await
            .expect("the connection is open");
    }

    /// The next frame; none if the server closed the connection.
    pub async fn next(&mut self) -> Option<Value> {
        if let Some(frame) = self.passed.pop_front() {
            return Some(frame);
        }
        self.receive().await
    }

    async fn receive(&mut self) -> Option<Value> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.stream.next())
                .await
                .expect("a frame comes");
            match message {
                Some(Ok(Message::Text(text))) => {
                    return Some(serde_json::from_str(&text).expect("a frame is JSON"));
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// The next frame of a type; earlier frames of other types are kept.
    pub async fn next_of(&mut self, frame_type: &str) -> Value {
        if let Some(index) = self.passed.iter().position(|frame| frame["type"] == frame_type) {
            return self.passed.remove(index).expect("the frame is there");
        }
        loop {
            let frame = self
                .receive()
                .await
                .unwrap_or_else(|| panic!("closed while waiting for {frame_type}"));
            if frame["type"] == frame_type {
                return frame;
            }
            self.passed.push_back(frame);
        }
    }

    /// Everything that has come so far. The response to a ping comes after everything that was posted before it.
    pub async fn so_far(&mut self) -> Vec<Value> {
        self.send(json!({ "type": "ping" })).await;
        let mut frames: Vec<Value> = self.passed.drain(..).collect();
        loop {
            match self.receive().await.expect("the connection is open") {
                frame if frame["type"] == "pong" => return frames,
                frame => frames.push(frame),
            }
        }
    }

    /// Discards all frames until the connection ends.
    pub async fn drain(mut self) {
        while let Some(Ok(_)) = self.stream.next().await {}
    }

    /// Closes the connection from the client's side.
    pub async fn close(mut self) {
        // The server may have closed it already.
        self.stream.close(None).await.ok();
        while let Some(Ok(_)) = self.stream.next().await {}
    }
}
