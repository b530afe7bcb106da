//! Manifests and their referrers.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{BackendError, ManifestError};
use crate::{
    context::Context,
    digest::Digest,
    manifest::Manifest,
    name::{Reference, Tag},
};

/// A manifest as it was pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredManifest {
    /// Its media type.
    pub media_type: String,
    /// Its canonical digest, or that by which it was asked.
    pub digest: Digest,
    /// Its exact bytes.
    pub bytes: Bytes,
}

/// An entry of a referrers list (OCI distribution specification, "Listing Referrers").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Referrer {
    /// The referrer's media type.
    pub media_type: String,
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Its artifact type, else the media type of its configuration.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub artifact_type: Option<String>,
    /// Its annotations.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub annotations: BTreeMap<String, String>,
}

/// A part of a referrers list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferrersPage {
    /// In the order of their digests.
    pub referrers: Vec<Referrer>,
    /// The digest to go on after, when there are more.
    pub next: Option<Digest>,
}

/// The manifests of one repository.
#[async_trait]
pub trait ManifestService: Send + Sync {
    /// The manifest that `reference` names.
    ///
    /// # Errors
    /// [`ManifestError::Unknown`]; [`ManifestError::Backend`].
    async fn get(&self, ctx: &Context, reference: &Reference) -> Result<StoredManifest, ManifestError>;

    /// Stores a manifest under its digest and points each of `tags` at it. `named` is the digest by which the
    /// client put it, if it did: readers may then ask by that one too. Returns that digest, else the canonical.
    ///
    /// # Errors
    /// [`ManifestError::DigestMismatch`]; [`ManifestError::ReferencesUnknown`] names everything that is missing;
    /// [`ManifestError::Backend`]. Then no tag points to it, though it may be stored.
    async fn put(
        &self,
        ctx: &Context,
        manifest: &Manifest,
        named: Option<&Digest>,
        tags: &[Tag],
    ) -> Result<Digest, ManifestError>;

    /// Removes the manifest, the tags that point at it, and its entry in the referrers of its subject.
    ///
    /// # Errors
    /// [`ManifestError::Unknown`]; [`ManifestError::InUse`] when a stored index names it; [`ManifestError::Backend`].
    async fn delete(&self, ctx: &Context, digest: &Digest) -> Result<(), ManifestError>;

    /// The manifests whose subject is `subject`, of `artifact_type` alone if given, after digest `after`.
    /// A subject that is not stored may have referrers all the same.
    ///
    /// # Errors
    /// [`BackendError`].
    async fn referrers(
        &self,
        ctx: &Context,
        subject: &Digest,
        artifact_type: Option<&str>,
        after: Option<&Digest>,
    ) -> Result<ReferrersPage, BackendError>;
}
