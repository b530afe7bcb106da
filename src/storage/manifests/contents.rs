//! Contents of manifests that this process has read lately. Content never changes under its digest, so they stay
//! true for as long as they are kept; who may see them is asked elsewhere, each time.

use std::sync::Arc;

use bytes::Bytes;
use quick_cache::{Weighter, sync::Cache};

use crate::{
    digest::Digest,
    manifest::{Manifest, stored_media_type},
};

/// Bytes of manifests that are kept: thousands of common ones, and little beside a function's smallest memory.
const CAPACITY: u64 = 8 << 20;

/// What is kept beside the bytes, about: digest, links of the cache, references.
const OVERHEAD: u64 = 512;

/// A manifest as it is stored.
#[derive(Debug)]
pub(in crate::storage) struct ManifestContent {
    /// What it says that it is.
    pub(in crate::storage) media_type: String,
    /// Its exact bytes.
    pub(in crate::storage) bytes: Bytes,
    /// As parsed; `None` for what another registry has taken and this one would not (schema 1).
    pub(in crate::storage) manifest: Option<Manifest>,
}

impl ManifestContent {
    /// The content of stored bytes.
    pub(in crate::storage) fn new(bytes: Bytes) -> Self {
        match Manifest::parse(None, bytes.clone()) {
            Ok(manifest) => Self::of(&manifest),
            Err(_) => Self { media_type: stored_media_type(&bytes), bytes, manifest: None },
        }
    }

    /// The content of a manifest.
    pub(in crate::storage) fn of(manifest: &Manifest) -> Self {
        let media_type = manifest.media_type().as_str().to_owned();
        Self { media_type, bytes: manifest.bytes().clone(), manifest: Some(manifest.clone()) }
    }
}

/// A bounded cache of contents, shared by all repositories.
pub(in crate::storage) struct Contents(Cache<Digest, Arc<ManifestContent>, Weight>);

#[derive(Clone)]
struct Weight;

impl Weighter<Digest, Arc<ManifestContent>> for Weight {
    fn weight(&self, _: &Digest, content: &Arc<ManifestContent>) -> u64 {
        content.bytes.len() as u64 + OVERHEAD
    }
}

impl Contents {
    pub(in crate::storage) fn new() -> Self {
        Self(Cache::with_weighter(4096, CAPACITY, Weight))
    }

    pub(super) fn get(&self, digest: &Digest) -> Option<Arc<ManifestContent>> {
        self.0.get(digest)
    }

    pub(super) fn insert(&self, digest: Digest, content: Arc<ManifestContent>) {
        self.0.insert(digest, content);
    }
}
