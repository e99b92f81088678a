//! HTTP/1.1 on loopback, for processes of this machine.

use std::error::Error;
use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};

/// The caller gets no answer: its connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the connection is closed without an answer")]
pub struct HungUp;

/// A server, which ends with this value, its connections included.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    accepting: AbortHandle,
}

impl Server {
    /// Starts to answer requests on a free port, each read whole.
    pub async fn start<H, F, B>(handler: H) -> io::Result<Self>
    where
        H: Fn(Request<Bytes>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<Response<B>, HungUp>> + Send + 'static,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        Self::on(TcpListener::bind(("127.0.0.1", 0)).await?, handler)
    }

    /// Starts to answer the requests of a listener.
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
                // Without it, small answers would wait for the acknowledgement of those before.
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

/// Answers the requests of one connection until either side ends it.
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
            let body = body.collect().await.map_err(|_| HungUp)?.to_bytes();
            handler(Request::from_parts(parts, body)).await
        }
    });
    // A process that is killed leaves its connection in the middle: nobody has to hear of it.
    hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await
        .ok();
}
