//! Folders: what keys have in common up to a slash.

use std::collections::BTreeMap;

use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;

use super::{
    attempt::{Question, SHORT},
    bucket::Bucket,
    error::S3Error,
};
use crate::{
    context::Context,
    driver::{DriverError, DriverErrorKind, Entry, Path},
};

/// One page of a listing.
pub(super) struct Listing<'a> {
    pub(super) prefix: &'a str,
    /// Whether what lies below folders is left out.
    pub(super) flat: bool,
    /// At most so many keys; S3's own limit is 1,000.
    pub(super) limit: Option<i32>,
    /// Where the page before ended.
    pub(super) token: Option<String>,
}

impl Bucket {
    pub(super) async fn list(&self, ctx: &Context, path: &Path) -> Result<Vec<Entry>, DriverError> {
        let prefix = self.prefix(path);
        // S3 sorts by whole keys, in which a folder's slash counts. A name may be a file's and a folder's.
        let mut entries = BTreeMap::new();
        let mut token = None;
        loop {
            let listing = Listing { prefix: &prefix, flat: true, limit: None, token };
            let page = self.page(ctx, &listing).await.map_err(|error| error.on(path, self))?;
            for folder in page.common_prefixes() {
                let name = folder.prefix().and_then(|key| key.strip_prefix(&prefix)?.strip_suffix('/'));
                entries.extend(name.filter(|name| !name.is_empty()).map(|name| (name.to_owned(), true)));
            }
            for file in page.contents() {
                // The folder itself may have a key, which consoles make.
                if let Some(name) = file.key().and_then(|key| key.strip_prefix(&prefix)).filter(|name| !name.is_empty())
                {
                    entries.entry(name.to_owned()).or_insert(false);
                }
            }
            token = page.next_continuation_token;
            if token.is_none() {
                break;
            }
        }
        if entries.is_empty() {
            return Err(DriverError::new(DriverErrorKind::NotFound, path, "nothing lies below it"));
        }
        Ok(entries.into_iter().map(|(name, is_folder)| Entry { name, is_folder }).collect())
    }

    pub(super) async fn is_folder(&self, ctx: &Context, path: &Path) -> Result<bool, DriverError> {
        let prefix = self.prefix(path);
        // Two, because the folder itself may have a key.
        let listing = Listing { prefix: &prefix, flat: false, limit: Some(2), token: None };
        let page = self.page(ctx, &listing).await.map_err(|error| error.on(path, self))?;
        Ok(page.contents().iter().any(|object| object.key() != Some(&prefix)))
    }

    pub(super) async fn page(&self, ctx: &Context, listing: &Listing<'_>) -> Result<ListObjectsV2Output, S3Error> {
        let question = Question { operation: "ListObjectsV2", key: listing.prefix, patience: SHORT };
        self.ask(ctx, question, || {
            let list = self.client.list_objects_v2().bucket(&self.name).prefix(listing.prefix);
            let list = list.set_delimiter(listing.flat.then(|| "/".to_owned())).set_max_keys(listing.limit);
            list.set_continuation_token(listing.token.clone()).send()
        })
        .await
    }
}
