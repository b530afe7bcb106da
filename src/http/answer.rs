//! Answers, put together header by header.

use axum::{body::Body, response::Response};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};

use crate::digest::Digest;

/// The digest of the content, as the client named it.
pub(super) const DOCKER_CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// An answer in the making.
pub(super) struct Answer(Response);

impl Answer {
    pub(super) fn new(status: StatusCode) -> Self {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        Self(response)
    }

    /// Sets a header.
    pub(super) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers_mut().insert(name, value);
        self
    }

    /// Adds a header, beside others of that name.
    pub(super) fn and(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers_mut().append(name, value);
        self
    }

    /// Names the content by `digest`.
    pub(super) fn digest(self, digest: &Digest) -> Self {
        self.with(DOCKER_CONTENT_DIGEST, value(digest.to_string()))
    }

    /// Names the content by `digest`, and says that what has the same digest is the same (RFC 9110, section 8.8.3).
    pub(super) fn entity(self, digest: &Digest) -> Self {
        let quoted = Bytes::from(format!("\"{digest}\""));
        let bare = quoted.slice(1..quoted.len() - 1);
        let of = |bytes| HeaderValue::from_maybe_shared(bytes).unwrap_or(HeaderValue::from_static(""));
        self.with(DOCKER_CONTENT_DIGEST, of(bare)).with(header::ETAG, of(quoted))
    }

    /// With `content` of `media_type`.
    pub(super) fn content(self, media_type: &str, content: Bytes) -> Response {
        let media_type =
            HeaderValue::from_str(media_type).unwrap_or(HeaderValue::from_static(crate::descriptor::OCTET_STREAM));
        self.with(header::CONTENT_TYPE, media_type).body(Body::from(content))
    }

    /// With `content`, which is JSON.
    pub(super) fn json_bytes(self, content: Bytes) -> Response {
        self.with(header::CONTENT_TYPE, HeaderValue::from_static("application/json")).body(Body::from(content))
    }

    /// With `content` as JSON.
    pub(super) fn json(self, content: &serde_json::Value) -> Response {
        self.json_bytes(content.to_string().into())
    }

    /// With `body`; its length, where it is known, becomes the Content-Length.
    pub(super) fn body(mut self, body: Body) -> Response {
        *self.0.body_mut() = body;
        self.0
    }

    /// With nothing more.
    pub(super) fn empty(self) -> Response {
        self.0
    }
}

/// A header value of our own making. Text that cannot stand in a header is left out, rather than the whole answer.
pub(super) fn value(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}
