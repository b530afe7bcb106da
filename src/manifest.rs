//! Manifests: parsed strictly enough to find every reference, kept as the exact bytes that were pushed.

mod media_type;
mod parse;

use std::collections::BTreeMap;

use bytes::Bytes;

pub use media_type::MediaType;
pub use parse::ManifestFault;

use crate::digest::Digest;

/// The largest manifest that is taken, in bytes: 4 MiB (OCI distribution specification, "Pushing Manifests").
pub const MAX_SIZE: usize = 4 << 20;

/// A manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    media_type: MediaType,
    bytes: Bytes,
    references: Vec<ContentReference>,
    subject: Option<Digest>,
    artifact_type: Option<String>,
    annotations: BTreeMap<String, String>,
}

/// Content that a manifest names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentReference {
    /// Its digest, as the manifest has it.
    pub digest: Digest,
    /// Its size in bytes, as the manifest has it.
    pub size: u64,
    /// What it is.
    pub kind: ReferenceKind,
}

/// What a manifest names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReferenceKind {
    /// A configuration or layer, which the repository must link.
    Blob,
    /// A layer that may be fetched elsewhere (it has `urls`), so need not be here.
    ForeignBlob,
    /// A manifest of an index, which the repository must have.
    Manifest,
}

impl Manifest {
    /// Parses `bytes`. `content_type` is what the client sent, if it did; parameters are ignored.
    ///
    /// # Errors
    /// [`ManifestFault`]: not JSON, a wrong or contradictory media type, or a form that its type does not have.
    pub fn parse(content_type: Option<&str>, bytes: Bytes) -> Result<Self, ManifestFault> {
        parse::parse(content_type, bytes)
    }

    /// Its media type.
    pub fn media_type(&self) -> MediaType {
        self.media_type
    }

    /// Its exact bytes.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Everything it names but its subject, each digest once.
    pub fn references(&self) -> &[ContentReference] {
        &self.references
    }

    /// The manifest that it refers to.
    pub fn subject(&self) -> Option<&Digest> {
        self.subject.as_ref()
    }

    /// Its artifact type; for an image without one, the media type of its configuration.
    pub fn artifact_type(&self) -> Option<&str> {
        self.artifact_type.as_deref()
    }

    /// Its annotations.
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        &self.annotations
    }
}

/// The media type of stored bytes that [`Manifest::parse`] refuses, as another registry may have taken them: what
/// the body says, and for Docker schema 1, which says nothing, whether it is signed.
pub fn stored_media_type(bytes: &[u8]) -> String {
    parse::stored_media_type(bytes)
}
