//! Bytes on their way into a chunk: hashed and counted as they pass.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::StreamExt as _;

use crate::{
    digest::MultiHasher,
    distribution::{Content, UploadError},
    driver::{DriverError, DriverErrorKind},
};

/// The hash of what has passed so far, shared with the stream that feeds it.
pub(super) struct Tap(Arc<Mutex<MultiHasher>>);

impl Tap {
    /// `content` with a tap on it that goes on from `hasher`.
    pub(super) fn on(hasher: MultiHasher, content: Content) -> (Self, Content) {
        let shared = Arc::new(Mutex::new(hasher));
        let feed = shared.clone();
        let stream = content.stream.map(move |chunk| {
            if let Ok(bytes) = &chunk {
                feed.lock().unwrap_or_else(PoisonError::into_inner).update(bytes);
            }
            chunk
        });
        (Self(shared), Content { length: content.length, stream: stream.boxed() })
    }

    /// The hash, once the stream has ended.
    pub(super) fn hasher(&self) -> MultiHasher {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What a driver's refusal of content means to the sender of it.
pub(super) fn upload_error(error: DriverError) -> UploadError {
    match error.kind {
        DriverErrorKind::Content => UploadError::Interrupted(error.message),
        _ => UploadError::Backend(error.into()),
    }
}
