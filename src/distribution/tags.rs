//! Tags.

use async_trait::async_trait;

use super::{Page, Paging, TagError};
use crate::{context::Context, digest::Digest, name::Tag};

/// The tags of one repository. They are set by [`super::ManifestService::put`], so that none dangles.
#[async_trait]
pub trait TagService: Send + Sync {
    /// The digest that `tag` points at now.
    ///
    /// # Errors
    /// [`TagError::Unknown`]; [`TagError::Backend`].
    async fn resolve(&self, ctx: &Context, tag: &Tag) -> Result<Digest, TagError>;

    /// Tags in lexical order.
    ///
    /// # Errors
    /// [`TagError::RepositoryUnknown`] (a repository without tags has an empty list); [`TagError::Backend`].
    async fn list(&self, ctx: &Context, paging: &Paging) -> Result<Page<Tag>, TagError>;

    /// Removes `tag`; the manifest stays.
    ///
    /// # Errors
    /// [`TagError::Unknown`]; [`TagError::Backend`].
    async fn untag(&self, ctx: &Context, tag: &Tag) -> Result<(), TagError>;
}
