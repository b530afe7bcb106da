//! One request to one server, and how its answer begins.

use std::{
    error::Error,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, HeaderValue, Method, header};
use reqwest::Url;

use super::{Answer, Failure, authority, connections::Connections, request::Payload};
use crate::{
    client::{Patience, spoken::innermost},
    context::Context,
    distribution::ByteStream,
};

/// Sends requests, within a call.
pub(in crate::client) struct Exchange<'a> {
    connections: &'a Connections,
    patience: Patience,
    ctx: &'a Context,
}

/// How far a body has been sent.
#[derive(Clone)]
struct Progress(Arc<Mutex<Sent>>);

struct Sent {
    last: Instant,
    is_whole: bool,
    /// Why the source broke off, which is nothing that the server did.
    fault: Option<String>,
}

impl<'a> Exchange<'a> {
    pub(in crate::client) fn new(connections: &'a Connections, ctx: &'a Context) -> Self {
        Self { connections, patience: connections.patience(), ctx }
    }

    /// The answer of `url`, wherever it leads.
    pub(in crate::client) async fn run(
        &self,
        method: &Method,
        url: &Url,
        headers: &HeaderMap,
        payload: Option<&Payload>,
        authorization: Option<&HeaderValue>,
    ) -> Result<Answer, Failure> {
        let mut headers = headers.clone();
        if let Some(authorization) = authorization {
            headers.insert(header::AUTHORIZATION, authorization.clone());
        }
        let payload = payload
            .filter(|payload| payload.length() > 0 || matches!(*method, Method::POST | Method::PUT | Method::PATCH));
        if let Some(payload) = payload {
            payload.describe(method, &mut headers);
        }
        let progress = Progress::new();
        let mut request = self.connections.to(url)?.request(method.clone(), url.clone()).headers(headers);
        match payload.filter(|payload| payload.length() > 0) {
            Some(Payload::Bytes(bytes)) if bytes.len() <= SMALL => {
                request = request.body(bytes.clone());
                progress.done();
            }
            Some(payload) => {
                let stream = payload.open().await.map_err(|error| Failure::Source(error.to_string()))?;
                request = request.body(reqwest::Body::wrap_stream(progress.watch(stream, payload.length())));
            }
            None => progress.done(),
        }
        let host = authority(url);
        let response = tokio::select! {
            response = request.send() => response.map_err(|error| progress.failure(&host, &error))?,
            failure = self.impatience(&host, &progress) => return Err(failure),
        };
        Ok(Answer::new(response, self.patience.stall, self.ctx.deadline()))
    }

    /// Waits until there is nothing more to wait for.
    async fn impatience(&self, host: &str, progress: &Progress) -> Failure {
        loop {
            let left = match self.ctx.remaining() {
                Ok(left) => left.unwrap_or(Duration::MAX),
                Err(passed) => return passed.into(),
            };
            let after = if progress.is_whole() { self.patience.answer } else { self.patience.stall };
            let silent = progress.silent();
            if silent >= after {
                return Failure::Silent { host: host.to_owned(), after };
            }
            tokio::time::sleep((after - silent).min(left)).await;
        }
    }
}

/// Bodies that go out at once, in bytes: no progress is to be seen in them.
const SMALL: usize = 64 << 10;

impl Progress {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Sent { last: Instant::now(), is_whole: false, fault: None })))
    }

    fn with<T>(&self, look: impl FnOnce(&mut Sent) -> T) -> T {
        // A panic elsewhere leaves three plain values.
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn done(&self) {
        self.with(|sent| (sent.last, sent.is_whole) = (Instant::now(), true));
    }

    fn is_whole(&self) -> bool {
        self.with(|sent| sent.is_whole)
    }

    fn silent(&self) -> Duration {
        self.with(|sent| sent.last.elapsed())
    }

    /// `stream`, of `length` bytes, watched as it is taken. Of another length it is an error, which ends it.
    fn watch(&self, stream: ByteStream, length: u64) -> ByteStream {
        let watched = stream::try_unfold((self.clone(), stream, length), |(this, mut stream, left)| async move {
            let chunk = match stream.next().await.transpose() {
                Ok(Some(chunk)) if chunk.len() as u64 > left => Err(io::Error::other("it is longer than it was")),
                Ok(None) if left > 0 => Err(io::Error::other("it is shorter than it was")),
                chunk => chunk,
            };
            let left = left - chunk.as_ref().ok().and_then(Option::as_ref).map_or(0, |chunk| chunk.len() as u64);
            this.with(|sent| {
                (sent.last, sent.is_whole) = (Instant::now(), left == 0);
                sent.fault = chunk.as_ref().err().map(ToString::to_string);
            });
            Ok(chunk?.map(|chunk| (chunk, (this, stream, left))))
        });
        watched.boxed()
    }

    /// What `error` is: of the source, or of the way to `host`.
    fn failure(&self, host: &str, error: &reqwest::Error) -> Failure {
        if let Some(fault) = self.with(|sent| sent.fault.take()) {
            return Failure::Source(fault);
        }
        let (host, cause) = (host.to_owned(), innermost(error));
        if !error.is_connect() {
            return Failure::BrokenOff { host, cause };
        }
        let tls = tls_error(error).map(Box::new);
        let passing = tls.is_none();
        let hint = if passing {
            "is the name right, and the network there?"
        } else {
            "a registry without TLS needs --plain-http, and one with a certificate of its own needs SSL_CERT_FILE"
        };
        Failure::Unreachable { host, cause, hint, passing, tls }
    }
}

/// Why TLS failed, if it did: then so it will again.
fn tls_error(error: &(dyn Error + 'static)) -> Option<rustls::Error> {
    if let Some(found) = error.downcast_ref::<rustls::Error>() {
        return Some(found.clone());
    }
    // An I/O error hides what it was made of from `source`, and may be made of another one.
    let hidden = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    hidden.map(|hidden| hidden as &(dyn Error + 'static)).or_else(|| error.source()).and_then(tls_error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_errors_are_found_in_whatever_wraps_them() {
        let error = || rustls::Error::General("x".to_owned());
        let once = io::Error::other(error());
        let twice = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, error()));
        for wrapped in [&once as &(dyn Error + 'static), &twice, &error()] {
            assert_eq!(tls_error(wrapped), Some(error()), "{wrapped:?}");
        }
        assert_eq!(tls_error(&io::Error::from(io::ErrorKind::ConnectionReset)), None);
    }
}
