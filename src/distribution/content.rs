//! Bytes on their way.

use std::{io, pin::Pin};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};

/// Bytes as they arrive. An error ends the stream: what came before it is incomplete and must not be kept.
pub type ByteStream = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// Content that is about to be stored.
pub struct Content {
    /// Its length in bytes, where the sender said it. A stream of any other length is an error.
    pub length: Option<u64>,
    /// The bytes.
    pub stream: ByteStream,
}

impl Content {
    /// No bytes.
    pub fn empty() -> Self {
        Self::from(Bytes::new())
    }

    /// Whether it is known to have no bytes.
    pub fn is_empty(&self) -> bool {
        self.length == Some(0)
    }
}

impl From<Bytes> for Content {
    fn from(bytes: Bytes) -> Self {
        let length = Some(bytes.len() as u64);
        let chunks = (!bytes.is_empty()).then_some(Ok(bytes));
        Self { length, stream: stream::iter(chunks).boxed() }
    }
}

/// Content that is about to be read.
pub struct Reading {
    /// Size in bytes of the whole content, whatever part of it the stream gives.
    pub size: u64,
    /// The bytes.
    pub stream: ByteStream,
}
