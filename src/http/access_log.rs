//! One line in the log for each request, written when the last byte of its answer has left, or the client has.

use std::{
    net::IpAddr,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Instant,
};

use axum::{
    body::{Body, HttpBody},
    response::Response,
};
use bytes::Bytes;
use http::{Method, Uri, header, request::Parts};
use http_body::{Frame, SizeHint};
use tracing::Level;

use super::{Arrival, request_id::RequestId};
use crate::context::Caller;

/// The target under which the lines are logged, so that a filter can name them.
const TARGET: &str = "access";

/// A request that is being answered.
pub(super) struct AccessLine {
    began: Instant,
    method: Method,
    uri: Uri,
    remote: Option<IpAddr>,
    request_id: String,
    user_agent: String,
    user: String,
}

impl AccessLine {
    /// `None` when no line would be written.
    pub(super) fn begin(parts: &Parts, arrival: &Arrival, id: &RequestId) -> Option<Self> {
        tracing::enabled!(target: TARGET, Level::INFO).then(|| Self {
            began: Instant::now(),
            method: parts.method.clone(),
            uri: parts.uri.clone(),
            remote: arrival.remote,
            request_id: id.as_str().to_owned(),
            user_agent: parts
                .headers
                .get(header::USER_AGENT)
                .map(|value| value.as_bytes().escape_ascii().to_string())
                .unwrap_or_default(),
            user: String::new(),
        })
    }

    /// `response` to `caller`, whose end writes the line.
    pub(super) fn follow(mut self, response: Response, caller: Caller) -> Response {
        if let Caller::Named(name) = caller {
            self.user = name;
        }
        let status = response.status().as_u16();
        response.map(|body| Body::new(Followed { body, line: self, status, bytes: 0 }))
    }
}

/// A body that counts what is taken of it.
struct Followed {
    body: Body,
    line: AccessLine,
    status: u16,
    bytes: u64,
}

impl HttpBody for Followed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(data) = frame.as_ref().and_then(|frame| frame.as_ref().ok()).and_then(Frame::data_ref) {
            self.bytes += data.len() as u64;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        let Self {
            line: AccessLine { began, method, uri, remote, request_id, user_agent, user }, status, bytes, ..
        } = self;
        let ms = began.elapsed().as_micros() as f64 / 1000.0;
        let remote = remote.map(|remote| remote.to_string()).unwrap_or_default();
        // The query is left out: it may hold an upload's signed state.
        tracing::info!(
            target: TARGET,
            parent: None,
            %method,
            path = uri.path(),
            status,
            bytes,
            ms,
            request_id,
            remote,
            user_agent,
            user,
        );
    }
}
