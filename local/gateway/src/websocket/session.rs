//! The life of one connection, from 101 to `$disconnect`.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::connections::{Line, Outgoing};
use super::event::{Client, Opening};
use super::goodbye::{Goodbye, LastWord};
use super::{FRAME_LIMIT_BYTES, MESSAGE_LIMIT_BYTES, WebSocketGateway};
use crate::server;
use crate::template::Integration;

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// How many messages of one client wait for the one before them.
const BACKLOG: usize = 64;
/// How much is read of a client at once. What is set aside for it is filled with zeros each time that a connection is
/// looked after, frames to it included: the library's 128 KiB would be more work than the frames.
const READ_BUFFER_BYTES: usize = 4 * 1024;
/// How long the farewell may take, and the client's answer to it.
const FAREWELL: Duration = Duration::from_secs(2);

/// A connection and what its tasks need.
pub(super) struct Party {
    pub(super) gateway: WebSocketGateway,
    pub(super) client: Arc<Client>,
    pub(super) opening: Opening,
    pub(super) line: Arc<Line>,
}

impl Party {
    /// Runs the connection to its end, `$disconnect` included.
    pub(super) async fn run(self, upgrade: OnUpgrade, queued: mpsc::Receiver<Outgoing>) {
        let goodbye = if let Ok(upgraded) = upgrade.await {
            self.converse(upgraded, queued).await
        } else {
            self.gateway.inner.connections.remove(&self.client.id);
            Goodbye::abnormal()
        };
        tracing::debug!(
            connection.id = self.client.id,
            status = goodbye.status,
            "a connection ended"
        );
        self.disconnected(&goodbye).await;
    }

    async fn converse(&self, upgraded: Upgraded, queued: mpsc::Receiver<Outgoing>) -> Goodbye {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .max_message_size(Some(MESSAGE_LIMIT_BYTES))
            .max_frame_size(Some(FRAME_LIMIT_BYTES));
        let socket =
            WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
        let (mut sink, mut stream) = socket.split();
        let (arrivals, mut arrived) = mpsc::channel(BACKLOG);
        let work = async {
            while let Some(message) = arrived.recv().await {
                self.dispatch(message).await;
            }
        };
        let talk = async {
            let options = &self.gateway.inner.options;
            let goodbye = tokio::select! {
                goodbye = listen(&mut stream, &self.line, &arrivals) => goodbye,
                goodbye = speak(&mut sink, &self.line, queued, options.write_timeout) => goodbye,
                () = self.line.idle(options.idle_timeout) => Goodbye::going_away(),
                () = tokio::time::sleep(options.lifetime) => Goodbye::going_away(),
                () = self.line.cut.notified() => Goodbye::abnormal(),
            };
            self.gateway.inner.connections.remove(&self.client.id);
            drop(arrivals);
            if let Ok(socket) = sink.reunite(stream) {
                part(socket, &goodbye).await;
            }
            goodbye
        };
        let (goodbye, ()) = tokio::join!(talk, work);
        goodbye
    }

    async fn disconnected(&self, goodbye: &Goodbye) {
        let inner = &self.gateway.inner;
        if inner.options.drop_disconnect.load(Ordering::Relaxed) {
            return;
        }
        let Some(route) = inner.spec.routes.get("$disconnect") else {
            return;
        };
        let Integration::Function(function) = &route.integration else {
            return;
        };
        let event = self.client.disconnect(&self.opening, &server::id(), goodbye);
        // Nobody is left to hear of a failure; the invocation has logged it.
        self.gateway.invoke(function, event.to_string()).await;
    }
}

/// Reads until the connection ends. A full backlog stops the reading, and so in the end the client.
async fn listen(stream: &mut SplitStream<Socket>, line: &Line, arrivals: &mpsc::Sender<Message>) -> Goodbye {
    loop {
        let message = match stream.next().await {
            Some(Ok(message)) => message,
            Some(Err(error)) => return Goodbye::after(&error),
            None => return Goodbye::abnormal(),
        };
        line.touch();
        match message {
            Message::Close(frame) => return Goodbye::by_client(frame),
            Message::Text(_) | Message::Binary(_) => {
                if arrivals.send(message).await.is_err() {
                    return Goodbye::abnormal();
                }
            }
            // The library answers pings by itself.
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
        }
    }
}

/// Writes what is queued until it is told to close, or the client takes nothing for too long.
async fn speak(
    sink: &mut SplitSink<Socket, Message>,
    line: &Line,
    mut queued: mpsc::Receiver<Outgoing>,
    patience: Duration,
) -> Goodbye {
    while let Some(outgoing) = queued.recv().await {
        match outgoing {
            Outgoing::Close(goodbye) => return goodbye,
            Outgoing::Text(text) => {
                let sent = tokio::time::timeout(patience, sink.send(Message::Text(text))).await;
                if !matches!(sent, Ok(Ok(()))) {
                    return Goodbye::abnormal();
                }
                line.touch();
            }
        }
    }
    Goodbye::abnormal()
}

/// Says the last word. What the client still sends is read and dropped by a task of its own, because a socket
/// that is closed with data unread is reset, and the client may then never read that word.
async fn part(mut socket: Socket, goodbye: &Goodbye) {
    let say = async {
        match goodbye.last_word {
            LastWord::None => return Ok(false),
            // The answer to a close frame is queued already.
            LastWord::Theirs => socket.flush().await.or_else(harmless)?,
            LastWord::Ours => {
                let (code, reason) = (CloseCode::from(goodbye.status), goodbye.reason.as_str().into());
                socket
                    .close(Some(CloseFrame { code, reason }))
                    .await
                    .or_else(harmless)?;
            }
        }
        socket.get_mut().shutdown().await?;
        Ok::<_, io::Error>(true)
    };
    match tokio::time::timeout(FAREWELL, say).await {
        Ok(Ok(true)) => drop(tokio::spawn(tokio::time::timeout(FAREWELL, drain(socket)))),
        Ok(Ok(false)) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a connection ended without a farewell"),
        Err(_) => tracing::debug!("a client did not take the farewell"),
    }
}

async fn drain(mut socket: Socket) {
    let mut rest = [0; 4096];
    while socket.get_mut().read(&mut rest).await.is_ok_and(|size| size > 0) {}
}

fn harmless(error: Error) -> io::Result<()> {
    match error {
        Error::ConnectionClosed | Error::AlreadyClosed => Ok(()),
        Error::Io(error) => Err(error),
        other => Err(io::Error::other(other)),
    }
}
