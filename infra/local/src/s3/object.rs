//! An object, as the bucket keeps it.

use std::time::SystemTime;

use s3s::dto::{Checksum, ETag, Metadata};

use super::blob::Content;

/// The headers that S3 keeps with an object and gives back with it ("System-defined object metadata").
#[derive(Clone, Debug, Default)]
pub(super) struct Described {
    pub(super) content_type: Option<String>,
    pub(super) content_encoding: Option<String>,
    pub(super) content_language: Option<String>,
    pub(super) content_disposition: Option<String>,
    pub(super) cache_control: Option<String>,
    pub(super) expires: Option<s3s::dto::Timestamp>,
    pub(super) storage_class: Option<String>,
    /// `x-amz-meta-*`, without that prefix.
    pub(super) metadata: Option<Metadata>,
}

impl Described {
    /// S3's answer for an object that was stored without a type.
    pub(super) fn content_type(&self) -> String {
        self.content_type.clone().unwrap_or_else(|| "binary/octet-stream".to_owned())
    }
}

/// One object; never changed once it is stored.
#[derive(Clone, Debug)]
pub(super) struct Object {
    pub(super) content: Content,
    pub(super) etag: ETag,
    pub(super) modified: SystemTime,
    pub(super) described: Described,
    pub(super) checksum: Checksum,
    /// How many parts it was uploaded in, when by multipart upload.
    pub(super) parts: Option<i32>,
}

/// What a test may compare of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Bytes.
    pub length: u64,
    /// Without quotes; of equal content, equal, unless it was uploaded in other parts.
    pub etag: String,
    /// The Content-Type it was stored with.
    pub content_type: Option<String>,
}

impl Stored {
    pub(super) fn of(object: &Object) -> Self {
        let content_type = object.described.content_type.clone();
        Self { length: object.content.length(), etag: object.etag.value().to_owned(), content_type }
    }
}
