//! The WebSocket API: handshakes decided by functions, frames routed to functions, and `@connections`.
//!
//! As on AWS, a client is let in by the authorizer and `$connect`, its frames are routed by their body, and
//! `$disconnect` comes at the end, if it comes. One difference is deliberate: AWS runs the functions for several
//! frames of one connection at the same time, while the desk runs them one after the other, in order of arrival.
//! What relies on that order is wrong on AWS; what does not cannot tell.

mod authorizer;
mod connections;
mod dispatch;
mod event;
mod goodbye;
mod handshake;
mod session;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bytes::Bytes;
use tokio::net::TcpListener;

use crate::guard::Guard;
use crate::invoke::Invoker;
use crate::server;
use crate::template::WebSocketApiSpec;

pub use connections::{ConnectionInfo, PostError};

/// The largest message, to a function or to a client.
/// From "Amazon API Gateway quotas", WebSocket APIs: message payload size 128 KB.
pub const MESSAGE_LIMIT_BYTES: usize = 128 * 1024;
/// The largest frame of a client; a longer message comes in several. From the same page: 32 KB.
pub const FRAME_LIMIT_BYTES: usize = 32 * 1024;

/// What a desk or a test may change; the defaults are the figures of AWS.
#[derive(Debug, Clone)]
pub struct WebSocketOptions {
    /// How long a connection may be silent in both directions. AWS: 10 minutes.
    pub idle_timeout: Duration,
    /// How long a connection may last. AWS: 2 hours.
    pub lifetime: Duration,
    /// How long an integration may take. AWS: 29 seconds.
    pub integration_timeout: Duration,
    /// How many frames wait for a slow client. AWS does not publish the size of its buffer.
    pub outgoing_frames: usize,
    /// How long a post waits for a place among them before it is throttled. AWS answers a post with 429 if "the
    /// WebSocket client side buffer is full" (`PostToConnection`, `LimitExceededException`).
    pub post_timeout: Duration,
    /// How long a client may take nothing at all before it is cut off, as TCP does in the end.
    pub write_timeout: Duration,
    /// While true, `$disconnect` never comes; AWS delivers it as best it can and promises nothing.
    pub drop_disconnect: Arc<AtomicBool>,
}

impl Default for WebSocketOptions {
    fn default() -> Self {
        Self {
            idle_timeout: Duration::from_mins(10),
            lifetime: Duration::from_hours(2),
            integration_timeout: Duration::from_secs(29),
            outgoing_frames: 1024,
            post_timeout: Duration::from_secs(1),
            write_timeout: Duration::from_secs(20),
            drop_disconnect: Arc::default(),
        }
    }
}

/// A WebSocket API that listens on the desk, and the connections it has.
#[derive(Clone)]
pub struct WebSocketGateway {
    inner: Arc<Inner>,
}

struct Inner {
    spec: WebSocketApiSpec,
    invoker: Arc<dyn Invoker>,
    options: WebSocketOptions,
    guard: Guard,
    connections: connections::Connections,
}

impl WebSocketGateway {
    /// Builds the API that the template describes, for everybody.
    pub fn new(spec: WebSocketApiSpec, invoker: Arc<dyn Invoker>, options: WebSocketOptions) -> Self {
        Self::with_guard(spec, invoker, options, Guard::open())
    }

    /// Builds the API that the template describes, for those whom the guard admits.
    pub fn with_guard(
        spec: WebSocketApiSpec,
        invoker: Arc<dyn Invoker>,
        options: WebSocketOptions,
        guard: Guard,
    ) -> Self {
        let connections = connections::Connections::default();
        Self {
            inner: Arc::new(Inner {
                spec,
                invoker,
                options,
                guard,
                connections,
            }),
        }
    }

    /// Serves the listener until `shutdown` resolves, and then closes every connection with 1001.
    pub async fn serve(&self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let gateway = self.clone();
        let result = server::serve(listener, shutdown, move |request, peer| {
            let gateway = gateway.clone();
            // Its own task: a client that hangs up does not stop the functions that decide about it.
            let decision = tokio::spawn(async move { gateway.handshake(request, peer).await });
            async move { decision.await.unwrap_or_else(|_| handshake::broken()) }
        })
        .await;
        self.close_all().await;
        result
    }

    /// Sends a text frame to a connection; accepted means queued for it. A post to a client that is too slow to take
    /// what is queued waits, and is throttled in the end.
    pub async fn post(&self, connection_id: &str, data: &Bytes) -> Result<(), PostError> {
        let patience = self.inner.options.post_timeout;
        self.inner.connections.post(connection_id, data, patience).await
    }

    /// Returns what is known of a live connection.
    pub fn get(&self, connection_id: &str) -> Option<ConnectionInfo> {
        self.inner.connections.get(connection_id)
    }

    /// Closes a connection after what is queued for it; `$disconnect` follows.
    pub fn disconnect(&self, connection_id: &str) -> Result<(), PostError> {
        self.inner
            .connections
            .close(connection_id, &goodbye::Goodbye::by_server())
    }

    /// Returns how many connections are live.
    pub fn connections(&self) -> usize {
        self.inner.connections.count()
    }

    /// Closes every connection with 1001 and waits until their `$disconnect` events are through.
    pub async fn close_all(&self) {
        self.inner
            .connections
            .close_all(&goodbye::Goodbye::going_away())
            .await;
    }
}
