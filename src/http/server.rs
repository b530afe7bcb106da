//! The server: HTTP/1.1 on a socket, until it is told to stop.

mod received;

use std::{io, net::SocketAddr, pin::pin, time::Duration};

use axum::{Router, body::Body};
use http::Request;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time,
};
use tower::Service as _;

use super::Arrival;
use received::Received;

/// The longest head of a request, in bytes: several times what clients send, upload states and tokens included.
const HEAD: usize = 64 << 10;

/// What a connection may read ahead and hold back, in bytes.
const BUFFER: usize = 256 << 10;

/// How long the server waits for its clients.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For the head of the next request, on a connection that is new or idle.
    pub head: Duration,
    /// For the next bytes of a request's body.
    pub body: Duration,
    /// How long a body is read on that nobody wants, so that the client sees the answer rather than a broken pipe.
    pub linger: Duration,
    /// For requests under way when the server is told to stop.
    pub drain: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { head: seconds(60), body: seconds(120), linger: seconds(30), drain: seconds(30) }
    }
}

/// Serves `router` on `listener` until `shutdown` completes. Then takes no more connections, closes those that are
/// idle, and returns when all requests under way are answered, or when [`Timeouts::drain`] is over.
pub async fn serve(listener: TcpListener, router: Router, timeouts: Timeouts, shutdown: impl Future<Output = ()>) {
    let connections = GracefulShutdown::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut shutdown => break,
        };
        match accepted {
            Ok((stream, peer)) => converse(stream, peer, &router, timeouts, &connections),
            Err(error) => refused(&error).await,
        }
    }
    drop(listener);
    let under_way = connections.count();
    if time::timeout(timeouts.drain, connections.shutdown()).await.is_err() {
        tracing::warn!(under_way, "stopped before every request was answered");
    }
}

/// Serves one connection, in a task of its own.
fn converse(stream: TcpStream, peer: SocketAddr, router: &Router, timeouts: Timeouts, connections: &GracefulShutdown) {
    // Answers are written whole; waiting to fill a packet only delays them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, %error, "TCP_NODELAY was not set");
    }
    let router = router.clone();
    let service = service_fn(move |request| router.clone().call(arrived(request, peer, timeouts)));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(timeouts.head)
        .max_header_size(HEAD)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(stream), service);
    let connection = connections.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%peer, %error, "connection broke off");
        }
    });
}

/// The request as the router takes it.
fn arrived(request: Request<Incoming>, peer: SocketAddr, timeouts: Timeouts) -> Request<Body> {
    let (mut parts, body) = request.into_parts();
    parts.extensions.insert(Arrival { remote: Some(peer.ip()), ..Arrival::default() });
    let body = Received::body(&parts.headers, body, timeouts);
    Request::from_parts(parts, body)
}

/// A connection that could not be taken. Most often the client has left; when the process is out of file descriptors,
/// trying again at once would only spin.
async fn refused(error: &io::Error) {
    let left = [io::ErrorKind::ConnectionAborted, io::ErrorKind::ConnectionReset, io::ErrorKind::ConnectionRefused];
    if left.contains(&error.kind()) {
        return;
    }
    tracing::error!(%error, "a connection was not taken");
    time::sleep(Duration::from_millis(100)).await;
}
