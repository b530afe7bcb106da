//! The view that one repository has of the blob store: a link is the access check.
//!
//! A link path function chooses the link set, so that one piece of code serves layers and manifests.

use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::{blob_store::BlobStore, links::Links, path_spec::PathSpec};
use crate::{
    cache::LinkSet,
    context::Context,
    descriptor::Descriptor,
    digest::{Algorithm, Digest},
    distribution::{BackendError, BlobError, BlobStatter},
    name::RepositoryName,
};

/// Look-ups of one request that are under way at once: enough to hide latency, few enough to be fair.
const CONCURRENT: usize = 16;

/// One link set of one repository.
#[derive(Clone)]
pub(super) struct LinkedBlobStore {
    name: RepositoryName,
    set: LinkSet,
    links: Links,
    blobs: BlobStore,
}

impl LinkedBlobStore {
    pub(super) fn new(name: RepositoryName, set: LinkSet, links: Links, blobs: BlobStore) -> Self {
        Self { name, set, links, blobs }
    }

    /// Where the link of `digest` is.
    fn place<'a>(&'a self, digest: &'a Digest) -> PathSpec<'a> {
        match self.set {
            LinkSet::Layers => PathSpec::LayerLink(&self.name, digest),
            LinkSet::Manifests => PathSpec::RevisionLink(&self.name, digest),
        }
    }

    /// Where the links of `algorithm` are.
    fn folder(&self, algorithm: Algorithm) -> PathSpec<'_> {
        match self.set {
            LinkSet::Layers => PathSpec::LayerLinks(&self.name, algorithm),
            LinkSet::Manifests => PathSpec::Revisions(&self.name, algorithm),
        }
    }

    /// The canonical digest of linked content. A provisional link alone grants nothing: the canonical link is the
    /// one that a delete revokes.
    ///
    /// # Errors
    /// [`BlobError::Unknown`] without a link; [`BlobError::Backend`].
    pub(super) async fn resolve(&self, ctx: &Context, digest: &Digest) -> Result<Digest, BlobError> {
        let unknown = || BlobError::Unknown(*digest);
        let read = async |digest: &Digest| self.links.read(ctx, self.place(digest)).await.map_err(BackendError::from);
        let target = read(digest).await?.ok_or_else(unknown)?;
        if target == *digest || !target.is_canonical() {
            return Ok(target);
        }
        read(&target).await?.ok_or_else(unknown)
    }

    /// Links content that is stored: under its canonical digest, and under `digest` where that is another.
    ///
    /// # Errors
    /// [`BackendError`].
    pub(super) async fn link(&self, ctx: &Context, digest: &Digest, canonical: &Digest) -> Result<(), BackendError> {
        self.links.write(ctx, self.place(canonical), canonical).await?;
        if digest != canonical {
            self.links.write(ctx, self.place(digest), canonical).await?;
        }
        Ok(())
    }

    /// Every digest by which the repository has the content of `canonical`: that one first, then the provisional ones.
    /// All provisional links are looked through, which only deletions do.
    ///
    /// # Errors
    /// [`BackendError`].
    pub(super) async fn names(&self, ctx: &Context, canonical: &Digest) -> Result<Vec<Digest>, BackendError> {
        let mut names = vec![*canonical];
        for algorithm in Algorithm::ALL.into_iter().filter(|algorithm| *algorithm != Algorithm::CANONICAL) {
            for name in self.links.list(ctx, self.folder(algorithm), algorithm).await? {
                if self.links.read(ctx, self.place(&name)).await? == Some(*canonical) {
                    names.push(name);
                }
            }
        }
        Ok(names)
    }

    /// Removes the links of `names`, as [`Self::names`] gives them: access ends with the first.
    ///
    /// # Errors
    /// [`BackendError`].
    pub(super) async fn unlink(&self, ctx: &Context, names: &[Digest]) -> Result<(), BackendError> {
        let places: Vec<PathSpec<'_>> = names.iter().map(|name| self.place(name)).collect();
        let (canonical, provisional) = places.split_at(places.len().min(1));
        self.links.remove(ctx, canonical).await?;
        if provisional.is_empty() { Ok(()) } else { Ok(self.links.remove(ctx, provisional).await?) }
    }

    /// Links `names` again, whose first is the canonical one.
    ///
    /// # Errors
    /// [`BackendError`].
    pub(super) async fn relink(&self, ctx: &Context, names: &[Digest]) -> Result<(), BackendError> {
        let Some(canonical) = names.first() else { return Ok(()) };
        for name in names {
            self.links.write(ctx, self.place(name), canonical).await?;
        }
        Ok(())
    }

    /// The canonical digests that have a link, or once had.
    ///
    /// # Errors
    /// [`BackendError`].
    pub(super) async fn all(&self, ctx: &Context) -> Result<Vec<Digest>, BackendError> {
        Ok(self.links.list(ctx, self.folder(Algorithm::CANONICAL), Algorithm::CANONICAL).await?)
    }
}

#[async_trait]
impl BlobStatter for LinkedBlobStore {
    async fn stat(&self, ctx: &Context, digest: &Digest) -> Result<Descriptor, BlobError> {
        let canonical = self.resolve(ctx, digest).await?;
        self.blobs.stat(ctx, &canonical).await.map_err(|error| match error {
            // A link without content, as an interrupted deletion by hand leaves it: not to be had here.
            BlobError::Unknown(_) => BlobError::Unknown(*digest),
            other => other,
        })
    }

    async fn stat_many(&self, ctx: &Context, digests: &[Digest]) -> Result<Vec<Option<Descriptor>>, BackendError> {
        stream::iter(digests.to_vec())
            .map(|digest| async move {
                match self.stat(ctx, &digest).await {
                    Ok(descriptor) => Ok(Some(descriptor)),
                    Err(BlobError::Backend(error)) => Err(error),
                    Err(_) => Ok(None),
                }
            })
            .buffered(CONCURRENT)
            .try_collect()
            .await
    }
}
