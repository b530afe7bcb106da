//! The manifest service over storage.

use std::sync::Arc;

use async_trait::async_trait;

use super::{
    contents::ManifestContent,
    referrers::{Referrers, fallback_entries, fallback_tag},
    revisions::Revisions,
};
use crate::{
    context::Context,
    digest::Digest,
    distribution::{
        BackendError, BlobError, BlobStatter as _, Content, ManifestError, ManifestService, Missing, Referrer,
        ReferrersPage, StoredManifest, TagError, TagService as _,
    },
    manifest::{Manifest, ReferenceKind},
    name::{Reference, Tag},
    storage::{layers::LayerStore, look_ahead::LookAhead, registry::Validation, tag_store::TagStore},
};

/// The manifests of one repository.
pub(in crate::storage) struct RepositoryManifests {
    pub(in crate::storage) revisions: Revisions,
    pub(in crate::storage) referrers: Referrers,
    pub(in crate::storage) layers: LayerStore,
    pub(in crate::storage) tags: TagStore,
    pub(in crate::storage) validation: Validation,
    /// With a cache that is shared.
    pub(in crate::storage) look_ahead: Option<Arc<LookAhead>>,
}

impl RepositoryManifests {
    fn unknown(&self, reference: &Reference) -> ManifestError {
        ManifestError::Unknown { name: self.tags.name().clone(), reference: reference.to_string() }
    }

    /// Everything that `manifest` names and the repository does not have.
    async fn missing(&self, ctx: &Context, manifest: &Manifest) -> Result<Vec<Missing>, BackendError> {
        let wanted = |wanted: ReferenceKind| {
            let references = manifest.references().iter().filter(move |reference| reference.kind == wanted);
            references.map(|reference| reference.digest).collect::<Vec<_>>()
        };
        let mut missing = Vec::new();
        if self.validation.layers {
            let blobs = wanted(ReferenceKind::Blob);
            let found = self.layers.statter().stat_many(ctx, &blobs).await?;
            missing.extend(absent(blobs, found, false));
        }
        if self.validation.platforms {
            let manifests = wanted(ReferenceKind::Manifest);
            let found = self.revisions.statter().stat_many(ctx, &manifests).await?;
            missing.extend(absent(manifests, found, true));
        }
        Ok(missing)
    }

    /// Stores and links a manifest whose references were checked.
    async fn store(
        &self,
        ctx: &Context,
        manifest: &Manifest,
        named: &Digest,
        canonical: &Digest,
    ) -> Result<(), BackendError> {
        self.revisions.blobs().put(ctx, canonical, Content::from(manifest.bytes().clone())).await?;
        self.revisions.linked().link(ctx, named, canonical).await?;
        if let Some(subject) = manifest.subject() {
            self.referrers.enter(ctx, subject, named, manifest).await?;
        }
        Ok(())
    }

    /// Referrers that clients have listed themselves, under a tag, before this repository was Berth's (OCI distribution
    /// specification, "Enabling the Referrers API": such a list must be part of the answer). Those that the
    /// repository does not have, or no longer, are left out.
    async fn kept_by_clients(&self, ctx: &Context, subject: &Digest) -> Result<Vec<Referrer>, BackendError> {
        let Some(tag) = fallback_tag(subject) else { return Ok(Vec::new()) };
        let index = match self.tags.resolve(ctx, &tag).await {
            Ok(digest) => self.revisions.open(ctx, &digest).await,
            Err(TagError::Backend(error)) => return Err(error),
            Err(_) => return Ok(Vec::new()),
        };
        let entries = match index {
            Ok((_, content)) => fallback_entries(&content.bytes),
            Err(BlobError::Backend(error)) => return Err(error),
            Err(_) => return Ok(Vec::new()),
        };
        let digests: Vec<Digest> = entries.iter().map(|entry| entry.digest).collect();
        let found = self.revisions.statter().stat_many(ctx, &digests).await?;
        Ok(entries.into_iter().zip(found).filter_map(|(entry, found)| found.map(|_| entry)).collect())
    }

    /// Tells the shared cache of what this manifest names, in one batch: the pushes of the blobs did not.
    async fn share(&self, ctx: &Context, manifest: &Manifest) {
        let blobs: Vec<Digest> = manifest
            .references()
            .iter()
            .filter(|reference| reference.kind == ReferenceKind::Blob)
            .map(|reference| reference.digest)
            .collect();
        if let Some(found) = self.layers.statter().cached(ctx, &blobs).await {
            let known = blobs.into_iter().zip(found).filter_map(|(digest, found)| Some((digest, found?)));
            self.layers.statter().fill(ctx, &known.collect::<Vec<_>>()).await;
        }
    }
}

fn absent(
    digests: Vec<Digest>,
    found: Vec<Option<crate::descriptor::Descriptor>>,
    manifest: bool,
) -> impl Iterator<Item = Missing> {
    let absent = digests.into_iter().zip(found).filter(|(_, found)| found.is_none());
    absent.map(move |(digest, _)| Missing { digest, manifest })
}

#[async_trait]
impl ManifestService for RepositoryManifests {
    async fn get(&self, ctx: &Context, reference: &Reference) -> Result<StoredManifest, ManifestError> {
        let named = match reference {
            Reference::Digest(digest) => *digest,
            Reference::Tag(tag) => match self.tags.resolve(ctx, tag).await {
                Ok(digest) => digest,
                Err(TagError::Backend(error)) => return Err(error.into()),
                Err(_) => return Err(self.unknown(reference)),
            },
        };
        // A tag is a link of this repository: it grants what it names, unless it names it by a provisional digest.
        let opened = match reference {
            Reference::Tag(_) if named.is_canonical() => self.revisions.content(ctx, &named).await,
            _ => self.revisions.open(ctx, &named).await.map(|(_, content)| content),
        };
        let content = match opened {
            Ok(content) => content,
            Err(BlobError::Backend(error)) => return Err(error.into()),
            Err(_) => return Err(self.unknown(reference)),
        };
        if let (Some(look_ahead), Some(manifest)) = (&self.look_ahead, &content.manifest) {
            look_ahead.expect(self.tags.name(), manifest);
        }
        Ok(StoredManifest { media_type: content.media_type.clone(), digest: named, bytes: content.bytes.clone() })
    }

    async fn put(
        &self,
        ctx: &Context,
        manifest: &Manifest,
        named: Option<&Digest>,
        tags: &[Tag],
    ) -> Result<Digest, ManifestError> {
        let canonical = Digest::canonical(manifest.bytes());
        let named = match named {
            None => canonical,
            Some(expected) => {
                let actual = Digest::of(expected.algorithm(), manifest.bytes());
                if actual != *expected {
                    return Err(ManifestError::DigestMismatch { expected: *expected, actual });
                }
                actual
            }
        };
        let missing = self.missing(ctx, manifest).await?;
        if !missing.is_empty() {
            return Err(ManifestError::ReferencesUnknown(missing));
        }
        let known = self.revisions.lately_known(ctx, &named).await;
        if !known {
            self.store(ctx, manifest, &named, &canonical).await?;
        }
        for tag in tags {
            self.tags.point(ctx, tag, &named).await?;
        }
        // A deletion that came between has removed the link, and may have looked for tags before ours was there.
        match self.revisions.linked().resolve(ctx, &named).await {
            Ok(_) => {}
            Err(BlobError::Backend(error)) => return Err(error.into()),
            Err(_) => self.store(ctx, manifest, &named, &canonical).await?,
        }
        if !known {
            self.share(ctx, manifest).await;
            self.revisions.remember(ctx, &named, &canonical, ManifestContent::of(manifest)).await;
        }
        Ok(named)
    }

    async fn delete(&self, ctx: &Context, digest: &Digest) -> Result<(), ManifestError> {
        let unknown = || self.unknown(&Reference::Digest(*digest));
        let backend = |error| match error {
            BlobError::Backend(error) => ManifestError::Backend(error),
            _ => unknown(),
        };
        let linked = self.revisions.linked();
        let canonical = linked.resolve(ctx, digest).await.map_err(backend)?;
        let names = linked.names(ctx, &canonical).await?;
        if let Some(index) = self.revisions.naming(ctx, &names).await? {
            return Err(ManifestError::InUse { manifest: *digest, index });
        }
        let content = self.revisions.content(ctx, &canonical).await;
        self.tags.untag_all(ctx, &names).await?;
        self.revisions.statter().revoke(ctx, &names).await.map_err(backend)?;
        // An index that was pushed meanwhile found the manifest still there, and must keep it.
        if let Some(index) = self.revisions.naming(ctx, &names).await? {
            linked.relink(ctx, &names).await?;
            return Err(ManifestError::InUse { manifest: *digest, index });
        }
        // A tag that was set meanwhile would dangle.
        self.tags.untag_all(ctx, &names).await?;
        if let Ok(content) = content
            && let Some(subject) = content.manifest.as_ref().and_then(Manifest::subject)
        {
            self.referrers.remove(ctx, subject, &names).await?;
        }
        Ok(())
    }

    async fn referrers(
        &self,
        ctx: &Context,
        subject: &Digest,
        artifact_type: Option<&str>,
        after: Option<&Digest>,
    ) -> Result<ReferrersPage, BackendError> {
        let others = self.kept_by_clients(ctx, subject).await?;
        self.referrers.list(ctx, subject, others, artifact_type, after).await
    }
}
