//! The threads that emulators run on, and their listening sockets.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::{AbortHandle, JoinSet};
use tracing::subscriber::NoSubscriber;

use crate::front::{Dropped, ResponseBody};

/// Large enough that a gigabyte moves in few reads, small enough that fifty connections cost little.
const READ_BUFFER: usize = 512 << 10;

/// A runtime of its own, so that emulators serve whatever runtime the test has: one thread, several, paused time or none.
///
/// Everything that runs on it ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Host(Option<Runtime>);

impl Host {
    /// # Errors
    /// Those of the operating system when it refuses a thread.
    pub(crate) fn start() -> io::Result<Arc<Self>> {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(2).thread_name("emulator").thread_keep_alive(Duration::from_secs(2)).enable_all();
        // s3s logs every refusal as an error: that is no part of what the program under test says.
        builder.on_thread_start(|| std::mem::forget(tracing::subscriber::set_default(NoSubscriber::new())));
        Ok(Arc::new(Self(Some(builder.build()?))))
    }

    pub(crate) fn handle(&self) -> Option<&Handle> {
        self.0.as_ref().map(Runtime::handle)
    }

    /// Listens, and answers every request with `service` until this host is dropped. Returns the address, whose port is
    /// a free one when 0 was asked for.
    ///
    /// # Errors
    /// Those of the operating system: the address is taken or not this machine's.
    pub(crate) fn serve<S, F>(&self, address: SocketAddr, service: S) -> io::Result<SocketAddr>
    where
        S: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<Response<ResponseBody>, Dropped>> + Send + 'static,
    {
        let Some(handle) = self.handle() else { return Ok(address) };
        let mut listening = listen(handle, address, service)?;
        listening.task = None;
        Ok(listening.address)
    }
}

/// A listening socket and its connections; all close when this is dropped.
#[derive(Debug)]
pub(crate) struct Listening {
    address: SocketAddr,
    /// None when they are to last as long as their runtime.
    task: Option<AbortHandle>,
}

impl Listening {
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// The two ends of a connection: an extension of each request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends {
    pub(crate) peer: SocketAddr,
    pub(crate) own: SocketAddr,
}

/// Listens on the runtime of `handle`, and answers every request with `service`.
///
/// # Errors
/// As [`Host::serve`].
pub(crate) fn listen<S, F>(handle: &Handle, address: SocketAddr, service: S) -> io::Result<Listening>
where
    S: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<Response<ResponseBody>, Dropped>> + Send + 'static,
{
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let _context = handle.enter();
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let task = handle.spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        connections.spawn(connection(stream, Ends { peer, own: address }, service.clone()));
                    }
                    // Out of file descriptors: connections that end give some back.
                    Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                },
                Some(_) = connections.join_next() => {}
            }
        }
    });
    Ok(Listening { address, task: Some(task.abort_handle()) })
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // Waiting for it is not allowed where this may be dropped, inside another runtime.
            runtime.shutdown_background();
        }
    }
}

/// Serves one connection until either side closes it, or a fault resets it.
async fn connection<S, F>(stream: TcpStream, ends: Ends, service: S)
where
    S: Fn(Request<Incoming>) -> F,
    F: Future<Output = Result<Response<ResponseBody>, Dropped>>,
{
    // Without it small answers wait for the client's delayed acknowledgement; a failure only makes them slower.
    let _ = stream.set_nodelay(true);
    let mut server = http1::Builder::new();
    // Never closed for idleness: a client could not tell that from a fault.
    server.header_read_timeout(None).max_buf_size(READ_BUFFER);
    let reset = AtomicBool::new(false);
    let answer = service_fn(|mut request: Request<Incoming>| {
        request.extensions_mut().insert(ends);
        let answer = service(request);
        async { answer.await.inspect_err(|Dropped| reset.store(true, Ordering::Relaxed)) }
    });
    let mut connection = server.serve_connection(TokioIo::new(stream), answer);
    if (&mut connection).await.is_err() && reset.load(Ordering::Relaxed) {
        // Closing with linger 0 sends a reset, as a crashed peer would; the client may be gone already.
        let _ = connection.into_parts().io.into_inner().set_zero_linger();
    }
}
