//! Tags over storage.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::{links::Links, path, path_spec::PathSpec};
use crate::{
    context::Context,
    digest::Digest,
    distribution::{BackendError, Page, Paging, TagError, TagService},
    driver::StorageDriver,
    name::{RepositoryName, Tag},
};

/// Tags that are read at once when those of a manifest are looked for.
const CONCURRENT: usize = 16;

/// The tags of one repository.
#[derive(Clone)]
pub(super) struct TagStore {
    name: RepositoryName,
    driver: Arc<dyn StorageDriver>,
    links: Links,
}

impl TagStore {
    pub(super) fn new(name: &RepositoryName, driver: &Arc<dyn StorageDriver>) -> Self {
        Self { name: name.clone(), driver: driver.clone(), links: Links::new(driver.clone()) }
    }

    pub(super) fn name(&self) -> &RepositoryName {
        &self.name
    }

    /// Points `tag` at the manifest of `digest`, which the repository has.
    pub(super) async fn point(&self, ctx: &Context, tag: &Tag, digest: &Digest) -> Result<(), BackendError> {
        self.links.write(ctx, PathSpec::TagCurrent(&self.name, tag), digest).await?;
        Ok(self.links.write(ctx, PathSpec::TagIndex(&self.name, tag, digest), digest).await?)
    }

    /// Removes every tag that points at one of `digests`.
    pub(super) async fn untag_all(&self, ctx: &Context, digests: &[Digest]) -> Result<(), BackendError> {
        let tags = self.all(ctx).await?.unwrap_or_default();
        stream::iter(tags)
            .map(|tag| async move {
                match self.links.read(ctx, PathSpec::TagCurrent(&self.name, &tag)).await? {
                    Some(target) if digests.contains(&target) => self.remove(ctx, &tag).await,
                    _ => Ok(()),
                }
            })
            .buffer_unordered(CONCURRENT)
            .try_collect()
            .await
    }

    async fn remove(&self, ctx: &Context, tag: &Tag) -> Result<(), BackendError> {
        // First what makes it a tag, so that a removal that breaks off leaves none that points nowhere.
        self.links.remove(ctx, &[PathSpec::TagCurrent(&self.name, tag)]).await?;
        match self.driver.delete_tree(ctx, &path(PathSpec::Tag(&self.name, tag))?).await {
            Err(error) if !error.is_not_found() => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Every tag, in lexical order; `None` without a folder of tags.
    async fn all(&self, ctx: &Context) -> Result<Option<Vec<Tag>>, BackendError> {
        match self.driver.list(ctx, &path(PathSpec::Tags(&self.name))?).await {
            Ok(entries) => {
                let folders = entries.into_iter().filter(|entry| entry.is_folder);
                Ok(Some(folders.filter_map(|entry| entry.name.parse().ok()).collect()))
            }
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether anything was ever pushed here, and is linked still.
    async fn repository_exists(&self, ctx: &Context) -> Result<bool, BackendError> {
        for place in [PathSpec::Manifests(&self.name), PathSpec::Layers(&self.name)] {
            if self.driver.is_folder(ctx, &path(place)?).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

#[async_trait]
impl TagService for TagStore {
    async fn resolve(&self, ctx: &Context, tag: &Tag) -> Result<Digest, TagError> {
        let target = self.links.read(ctx, PathSpec::TagCurrent(&self.name, tag)).await.map_err(BackendError::from)?;
        target.ok_or_else(|| TagError::Unknown { name: self.name.clone(), tag: tag.clone() })
    }

    async fn list(&self, ctx: &Context, paging: &Paging) -> Result<Page<Tag>, TagError> {
        match self.all(ctx).await? {
            Some(tags) => Ok(Page::of(tags, paging)),
            None if self.repository_exists(ctx).await? => Ok(Page { entries: Vec::new(), more: false }),
            None => Err(TagError::RepositoryUnknown(self.name.clone())),
        }
    }

    async fn untag(&self, ctx: &Context, tag: &Tag) -> Result<(), TagError> {
        self.resolve(ctx, tag).await?;
        Ok(self.remove(ctx, tag).await?)
    }
}
