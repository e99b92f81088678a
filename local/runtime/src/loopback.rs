//! HTTP/1.1 on loopback, for processes of this machine.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};

/// The timeout of a request's body, after which the connection is closed. S3 has such a timeout too (`RequestTimeout`),
/// of unknown length. Headers have hyper's 30 seconds.
const SILENCE_LIMIT: Duration = Duration::from_secs(30);

/// The caller gets no response: the connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the connection is closed without an answer")]
pub struct HungUp;

/// A server, which stops when this value is dropped, with its connections.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    accepting: AbortHandle,
}

impl Server {
    /// Starts serving on a free port; requests are read completely.
    pub async fn start<H, F, B>(handler: H) -> io::Result<Self>
    where
        H: Fn(Request<Bytes>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<Response<B>, HungUp>> + Send + 'static,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        Self::on(TcpListener::bind(("127.0.0.1", 0)).await?, handler)
    }

    /// Starts serving on a listener.
    pub fn on<H, F, B>(listener: TcpListener, handler: H) -> io::Result<Self>
    where
        H: Fn(Request<Bytes>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<Response<B>, HungUp>> + Send + 'static,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let address = listener.local_addr()?;
        let accepting = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                // Without it, small responses would wait for acknowledgements.
                stream.set_nodelay(true).ok();
                connections.spawn(converse(stream, handler.clone()));
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Self {
            address,
            accepting: accepting.abort_handle(),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Serves one connection until either side ends it.
pub async fn converse<S, H, F, B>(stream: S, handler: H)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Fn(Request<Bytes>) -> F,
    F: Future<Output = Result<Response<B>, HungUp>>,
    B: Body<Data = Bytes> + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let service = service_fn(|request: Request<Incoming>| {
        let handler = &handler;
        async move {
            let (parts, body) = request.into_parts();
            let body = read(body, SILENCE_LIMIT).await?;
            handler(Request::from_parts(parts, body)).await
        }
    });
    // A killed process leaves its connection half-open: not worth reporting.
    hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service)
        .await
        .ok();
}

/// Reads a body completely, unless it stalls.
async fn read<B>(mut body: B, patience: Duration) -> Result<Bytes, HungUp>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut whole = BytesMut::new();
    while let Some(frame) = tokio::time::timeout(patience, body.frame())
        .await
        .map_err(|_| HungUp)?
    {
        if let Ok(data) = frame.map_err(|_| HungUp)?.into_data() {
            whole.extend_from_slice(&data);
        }
    }
    Ok(whole.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A body of one frame that then stalls.
    struct Silent(Option<Bytes>);

    impl Body for Silent {
        type Data = Bytes;
        type Error = io::Error;

        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, io::Error>>> {
            self.0.take().map_or(std::task::Poll::Pending, |data| {
                std::task::Poll::Ready(Some(Ok(hyper::body::Frame::data(data))))
            })
        }
    }

    #[tokio::test]
    async fn a_body_that_falls_silent_is_given_up() {
        let body = Silent(Some(Bytes::from_static(b"half")));
        assert_eq!(read(body, Duration::from_millis(10)).await, Err(HungUp));
        let body = http_body_util::Full::new(Bytes::from_static(b"whole"));
        assert_eq!(read(body, SILENCE_LIMIT).await.unwrap(), "whole");
    }
}
