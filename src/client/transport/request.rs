//! Requests that can be sent again, as often as it takes.

use std::{io, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use reqwest::Url;

use crate::{
    client::{Source, door::Scopes},
    distribution::{ByteStream, Content},
};

/// A request.
pub(in crate::client) struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) payload: Payload,
    pub(super) scopes: Scopes,
    /// Whether it may be sent again although it may have been done already.
    pub(super) is_repeatable: bool,
    /// Whether a redirection is followed, rather than handed back.
    pub(super) follows: bool,
    /// Whether no credentials go with it, wherever it goes.
    pub(super) is_bare: bool,
    /// Whether it announces a blob: what a challenge to one asks for beyond its repository, others ask for at once.
    pub(super) announces: bool,
}

/// What it carries.
pub(in crate::client) enum Payload {
    Bytes(Bytes),
    Source { source: Arc<dyn Source>, offset: u64, length: u64 },
}

impl Request {
    /// A request of `method` to `url` for what `scopes` allow. All but PATCH may be sent again.
    pub(in crate::client) fn new(method: Method, url: Url, scopes: Scopes) -> Self {
        let is_repeatable = method != Method::PATCH;
        let payload = Payload::Bytes(Bytes::new());
        let headers = HeaderMap::new();
        Self { method, url, headers, payload, scopes, is_repeatable, follows: true, is_bare: false, announces: false }
    }

    /// With a header.
    pub(in crate::client) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// With a body.
    pub(in crate::client) fn bytes(mut self, bytes: Bytes) -> Self {
        self.payload = Payload::Bytes(bytes);
        self
    }

    /// With `length` bytes of `source`, from `offset`, as its body.
    pub(in crate::client) fn source(mut self, source: &Arc<dyn Source>, offset: u64, length: u64) -> Self {
        self.payload = Payload::Source { source: source.clone(), offset, length };
        self
    }

    /// Sent once: whoever sends it finds out what became of it.
    pub(in crate::client) fn once(mut self) -> Self {
        self.is_repeatable = false;
        self
    }

    /// To storage, by a signature in the URL: no credentials go with it, also where the registry has the same origin.
    pub(in crate::client) fn bare(mut self) -> Self {
        self.is_bare = true;
        self
    }

    /// Announces a blob.
    pub(in crate::client) fn announcing(mut self) -> Self {
        self.announces = true;
        self
    }

    /// Redirections are handed back.
    pub(in crate::client) fn unfollowed(mut self) -> Self {
        self.follows = false;
        self
    }
}

impl Payload {
    pub(super) fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Source { length, .. } => *length,
        }
    }

    /// The bytes, from their beginning.
    pub(super) async fn open(&self) -> io::Result<ByteStream> {
        match self {
            Self::Bytes(bytes) => Ok(Content::from(bytes.clone()).stream),
            Self::Source { source, offset, length } => source.open(*offset, *length).await,
        }
    }

    /// Headers that go with it: its length also where there is nothing, which many servers insist on.
    pub(super) fn describe(&self, method: &Method, headers: &mut HeaderMap) {
        let length = self.length();
        if length > 0 || matches!(*method, Method::POST | Method::PUT | Method::PATCH) {
            headers.insert(header::CONTENT_LENGTH, length.into());
        }
    }
}
