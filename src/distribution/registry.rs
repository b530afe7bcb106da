//! The registry as a whole.

use std::sync::Arc;

use async_trait::async_trait;

use super::{BackendError, BlobService, ManifestService, SignatureService, TagService};
use crate::{context::Context, name::RepositoryName};

/// Which part of a list is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paging {
    /// At most so many entries; all when not given.
    pub limit: Option<usize>,
    /// Only what follows this text in lexical order; it need not be in the list.
    pub after: Option<String>,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// In lexical order.
    pub entries: Vec<T>,
    /// Whether there are more after the last one.
    pub more: bool,
}

impl<T: AsRef<str>> Page<T> {
    /// The part that `paging` wants of `sorted`, a whole list in lexical order.
    pub fn of(sorted: Vec<T>, paging: &Paging) -> Self {
        let skipped = match &paging.after {
            Some(after) => sorted.partition_point(|entry| entry.as_ref() <= after.as_str()),
            None => 0,
        };
        let left = sorted.len() - skipped;
        let limit = paging.limit.unwrap_or(left).min(left);
        let entries = sorted.into_iter().skip(skipped).take(limit).collect();
        Self { entries, more: limit > 0 && limit < left }
    }
}

/// All repositories.
#[async_trait]
pub trait Namespace: Send + Sync {
    /// The repository of that name, whether or not there is anything in it yet.
    fn repository(&self, name: &RepositoryName) -> Arc<dyn Repository>;

    /// The names of the repositories that hold something, in lexical order.
    ///
    /// # Errors
    /// [`BackendError`].
    async fn repositories(&self, ctx: &Context, paging: &Paging) -> Result<Page<RepositoryName>, BackendError>;
}

/// One repository: its services are views of the same content.
pub trait Repository: Send + Sync {
    /// Its name.
    fn name(&self) -> &RepositoryName;
    /// Its blobs.
    fn blobs(&self) -> &dyn BlobService;
    /// Its manifests.
    fn manifests(&self) -> &dyn ManifestService;
    /// Its tags.
    fn tags(&self) -> &dyn TagService;
    /// The signatures of its manifests.
    fn signatures(&self) -> &dyn SignatureService;
}
