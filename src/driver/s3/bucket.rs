//! The bucket: keys of paths.

use std::sync::atomic::AtomicBool;

use aws_sdk_s3::{Client, config::SharedHttpClient};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    conditional::Unimplemented,
    config::{self, S3Config, Sizes},
};
use crate::driver::Path;

/// What a URL's path holds as it is.
pub(in crate::driver) const PLAIN: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// A bucket and the client for it.
pub(super) struct Bucket {
    pub(super) client: Client,
    pub(super) name: String,
    pub(super) sizes: Sizes,
    /// What all keys begin with: nothing, or something that ends in a slash.
    root: String,
    /// The conditional writes that the store does not implement.
    pub(super) unimplemented: Unimplemented,
    /// Whether the store was seen to copy a part without reporting its checksum.
    pub(super) hides_part_checksums: AtomicBool,
}

impl Bucket {
    pub(super) async fn open(config: S3Config, http: &SharedHttpClient) -> Self {
        let client = config::client(&config, http).await;
        let root = config.root.as_deref().unwrap_or_default().trim_matches('/');
        let root = if root.is_empty() { String::new() } else { format!("{root}/") };
        Self {
            client,
            name: config.bucket,
            sizes: config.sizes.within_bounds(),
            root,
            unimplemented: Unimplemented::default(),
            hides_part_checksums: AtomicBool::new(false),
        }
    }

    /// The key of the file at `path`.
    pub(super) fn key(&self, path: &Path) -> String {
        format!("{}{}", self.root, path.relative())
    }

    /// What the keys of everything below `path` begin with.
    pub(super) fn prefix(&self, path: &Path) -> String {
        match path.relative() {
            "" => self.root.clone(),
            below => format!("{}{below}/", self.root),
        }
    }

    /// The file at `path`, as the source of a copy ("CopyObject": bucket and key, URL-encoded).
    pub(super) fn copy_source(&self, path: &Path) -> String {
        utf8_percent_encode(&format!("{}/{}", self.name, self.key(path)), PLAIN).to_string()
    }
}
