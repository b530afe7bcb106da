//! Descriptors: the handle by which content is known (OCI image specification, "Content Descriptors").

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// The media type of content whose type nobody said.
pub const OCTET_STREAM: &str = "application/octet-stream";

/// What a registry knows of a blob without opening it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// Media type, [`OCTET_STREAM`] where none was given.
    pub media_type: String,
    /// Size in bytes.
    pub size: u64,
    /// The canonical digest: that under which the content is stored.
    pub digest: Digest,
}

impl Descriptor {
    /// A descriptor of content without a type of its own.
    pub fn blob(digest: Digest, size: u64) -> Self {
        Self { media_type: OCTET_STREAM.to_owned(), size, digest }
    }
}
