//! The HTTP front doors before a function: a function URL, or an HTTP API.

mod answer;
mod behavior;
mod event;
mod mapping;
mod options;
mod refusal;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use http::{HeaderName, HeaderValue, Method, Request, Response, header, request::Parts};
use hyper::body::Incoming;

use self::answer::ResponseBody;
pub use self::behavior::{Bodies, ChunkedRequests, HeadLength, Renaming, RepeatedAuthorization, TrailingSlash};
pub use self::mapping::{MappingError, ResponseParameters};
pub use self::options::{DoorOptions, Front, Scheme};
use self::refusal::Refusal;
use super::event::request_id;
use super::payload::{Unread, collect};
use super::pool::Pool;
use super::{Function, InvokeError};
use crate::Error;
use crate::front::{Dropped, split};
use crate::host::{Ends, Listening, listen};

/// A front door on a loopback socket, for any HTTP/1.1 client. It closes, and connections to it with it, on drop.
#[derive(Debug)]
pub struct Door {
    listening: Listening,
    function: Function,
}

impl Door {
    pub(super) fn open(function: Function, options: DoorOptions) -> Result<Self, Error> {
        let address = options.address;
        let refused = |source| Error::Address(address, source);
        let handle = function.host().handle().ok_or_else(|| refused(std::io::ErrorKind::NotConnected.into()))?;
        // Not the function itself: a connection that is still open must not keep it alive.
        let (pool, options) = (function.pool().clone(), Arc::new(options));
        let service = move |request| answer(pool.clone(), options.clone(), request);
        let listening = listen(handle, address, service).map_err(refused)?;
        Ok(Self { listening, function })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.listening.address()
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// What is behind it.
    pub fn function(&self) -> &Function {
        &self.function
    }
}

/// One request, from the socket to its answer.
async fn answer(
    pool: Arc<Pool>,
    options: Arc<DoorOptions>,
    request: Request<Incoming>,
) -> Result<Response<ResponseBody>, Dropped> {
    let (parts, body) = request.into_parts();
    let id = request_id();
    // A client that waits for 100 Continue has not sent its body: there is nothing to read on.
    let waits = parts.headers.contains_key(header::EXPECT);
    let (mut upload, rest) = split(body);
    let body = match options.refuses(&parts.headers) {
        Some(refusal) => Err(refusal),
        None => match collect(&mut upload, options.body_limit(pool.settings.event_limit)).await {
            Ok(body) => Ok(body),
            Err(Unread::TooLarge) => Err(Refusal::TooLarge),
            Err(Unread::Broken) => return Err(Dropped),
        },
    };
    drop(upload);
    let outcome = match body {
        Ok(body) => handle(&pool, &options, &id, &parts, body).await,
        Err(refusal) => {
            if !waits {
                // Beside the answer, which the client may already read.
                tokio::spawn(rest.drain());
            }
            Err(refusal)
        }
    };
    let mut response = outcome.unwrap_or_else(|refusal| refusal.answer(options.front, pool.settings.event_limit));
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(options.front.id_header(), id);
    }
    if parts.method == Method::HEAD {
        answer::to_head(&options, &mut response);
    }
    Ok(response)
}

/// Turns the request into an event, and the function's answer into a response.
async fn handle(
    pool: &Arc<Pool>,
    options: &DoorOptions,
    id: &str,
    parts: &Parts,
    body: bytes::Bytes,
) -> Result<Response<ResponseBody>, Refusal> {
    let ends = parts.extensions.get().copied().unwrap_or(Ends { peer: options.address, own: options.address });
    let event = event::build(options, id, parts, ends, SystemTime::now(), &body);
    drop(body);
    let outcome = pool.submit(id.to_owned(), event.into());
    let outcome = match options.patience() {
        None => outcome.await,
        // The function goes on, for nobody.
        Some(patience) => tokio::time::timeout(patience, outcome).await.map_err(|_| Refusal::Overdue)?,
    };
    let payload = outcome.unwrap_or(Err(InvokeError::Stopped))?;
    answer::build(options, &parts.method, payload).ok_or(Refusal::Failed)
}

/// Headers that concern one connection only (RFC 9110, section 7.6.1).
pub(crate) fn is_hop_by_hop(name: &HeaderName) -> bool {
    const NAMES: [HeaderName; 7] = [
        header::CONNECTION,
        header::PROXY_AUTHENTICATE,
        header::PROXY_AUTHORIZATION,
        header::TE,
        header::TRAILER,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
    ];
    NAMES.contains(name) || name == "keep-alive" || name == "proxy-connection"
}
