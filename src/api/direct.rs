//! Direct uploads on the wire (`docs/direct-upload.md`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// Asks for a target: the digest of the blob to come.
pub const BERTH_BLOB_DIGEST: &str = "berth-blob-digest";

/// Asks for a target: the size of the blob to come, in bytes.
pub const BERTH_BLOB_SIZE: &str = "berth-blob-size";

/// Says that an answer has a [`DirectAnswer`] for its body, and of which kind.
pub const BERTH_DIRECT_UPLOAD: &str = "berth-direct-upload";

/// The query's key that asks for parts, `<first>-<last>`.
pub const PARTS: &str = "parts";

/// The body of an answer that bears [`BERTH_DIRECT_UPLOAD`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum DirectAnswer {
    /// The blob goes there by one request.
    Put {
        /// Of the blob.
        digest: Digest,
        /// Of the blob, in bytes.
        size: u64,
        /// The request.
        put: SignedRequest,
    },
    /// The blob goes there in parts.
    Parts {
        /// Of the blob.
        digest: Digest,
        /// Of the blob, in bytes.
        size: u64,
        /// Of each part but the last, in bytes.
        part_size: u64,
        /// How many there are.
        parts: u32,
    },
    /// The blob is being put in its place: close again.
    Commit {
        /// Of the blob, in bytes.
        size: u64,
        /// Bytes whose hash is known.
        verified: u64,
        /// Bytes at their place, out of sight yet.
        copied: u64,
    },
}

impl DirectAnswer {
    /// What [`BERTH_DIRECT_UPLOAD`] says of it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Put { .. } => "put",
            Self::Parts { .. } => "parts",
            Self::Commit { .. } => "commit",
        }
    }
}

/// A request to storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedRequest {
    /// `PUT`.
    pub method: String,
    /// Where to.
    pub url: String,
    /// To be sent verbatim, by their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// When it has to have begun: RFC 3339, UTC.
    pub expires: String,
}

/// The answer to `GET <Location>&parts=<first>-<last>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartsAnswer {
    /// The size of each part but the last, in bytes.
    pub part_size: u64,
    /// In the order of their numbers.
    pub parts: Vec<PartEntry>,
}

/// One part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartEntry {
    /// Counted from 1.
    pub number: u32,
    /// In bytes.
    pub size: u64,
    /// What storage calls its content, if it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// How to send it, if it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub put: Option<SignedRequest>,
}

/// What `detail.direct` of an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DirectProblem {
    /// Nothing is at the target.
    Missing,
    /// Another client's content came first.
    Superseded,
    /// Parts are missing.
    Parts,
    /// The session has no parts, or the range is malformed.
    None,
    /// All parts were put together already.
    Complete,
}
