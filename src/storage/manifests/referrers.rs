//! The referrers index: one entry file for each manifest that names a subject, holding its descriptor, so that a list
//! is answered without opening the manifests.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::{
    context::Context,
    digest::Digest,
    distribution::{BackendError, Referrer, ReferrersPage},
    driver::{DriverError, DriverErrorKind, PutOptions, StorageDriver},
    manifest::{MAX_SIZE, Manifest},
    name::{RepositoryName, Tag},
    storage::{path, path_spec::PathSpec},
};

/// Entries that are read at once.
const CONCURRENT: usize = 16;

/// The most bytes of entries that one page has (OCI distribution specification, "Listing Referrers": what does not
/// fit a single manifest is paged).
const PAGE: usize = MAX_SIZE - (64 << 10);

/// The longest entry: a manifest's annotations, and some.
const LONGEST: u64 = 2 * MAX_SIZE as u64;

/// The referrers of one repository's manifests.
#[derive(Clone)]
pub(in crate::storage) struct Referrers {
    pub(in crate::storage) name: RepositoryName,
    pub(in crate::storage) driver: Arc<dyn StorageDriver>,
}

impl Referrers {
    /// Enters `manifest` under its subject.
    pub(super) async fn enter(
        &self,
        ctx: &Context,
        subject: &Digest,
        digest: &Digest,
        manifest: &Manifest,
    ) -> Result<(), BackendError> {
        let path = path(PathSpec::ReferrerEntry(&self.name, subject, digest))?;
        let entry = Referrer {
            media_type: manifest.media_type().as_str().to_owned(),
            digest: *digest,
            size: manifest.bytes().len() as u64,
            artifact_type: manifest.artifact_type().map(str::to_owned),
            annotations: manifest.annotations().clone(),
        };
        let content = serde_json::to_vec(&entry).map_err(|error| unreadable(&path, &error))?;
        self.driver.put(ctx, &path, Bytes::from(content).into(), PutOptions::default()).await?;
        Ok(())
    }

    /// Removes the entries of `digests` under `subject`.
    pub(super) async fn remove(&self, ctx: &Context, subject: &Digest, digests: &[Digest]) -> Result<(), BackendError> {
        let entries = digests.iter().map(|digest| path(PathSpec::ReferrerEntry(&self.name, subject, digest)));
        let entries = entries.collect::<Result<Vec<_>, _>>()?;
        Ok(self.driver.delete(ctx, &entries).await?)
    }

    /// A page of the entries under `subject` and of `others`, after digest `after`, of `artifact_type` alone if given.
    pub(super) async fn list(
        &self,
        ctx: &Context,
        subject: &Digest,
        others: Vec<Referrer>,
        artifact_type: Option<&str>,
        after: Option<&Digest>,
    ) -> Result<ReferrersPage, BackendError> {
        let folder = path(PathSpec::Referrers(&self.name, subject))?;
        let entries = match self.driver.list(ctx, &folder).await {
            Ok(entries) => entries,
            Err(error) if error.is_not_found() => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        let name = |digest: &Digest| format!("{}-{}", digest.algorithm(), digest.encoded());
        let mut known: BTreeMap<String, Option<Referrer>> =
            others.into_iter().map(|referrer| (name(&referrer.digest), Some(referrer))).collect();
        known.extend(entries.into_iter().map(|entry| (entry.name, None)));
        let after = after.map(name);
        let wanted = known.into_iter().filter(|(name, _)| Some(name) > after.as_ref());
        let mut found = stream::iter(wanted)
            .map(|(name, known)| async move {
                match known {
                    Some(referrer) => {
                        let size = serde_json::to_vec(&referrer).map_or(0, |text| text.len());
                        Ok(Some((referrer, size)))
                    }
                    None => self.entry(ctx, subject, name).await,
                }
            })
            .buffered(CONCURRENT)
            .boxed();
        let mut page = ReferrersPage { referrers: Vec::new(), next: None };
        let mut size = 0;
        while let Some(entry) = found.try_next().await? {
            let Some((referrer, length)) = entry else { continue };
            if artifact_type.is_some_and(|wanted| referrer.artifact_type.as_deref() != Some(wanted)) {
                continue;
            }
            size += length;
            if size > PAGE
                && let Some(last) = page.referrers.last()
            {
                page.next = Some(last.digest);
                break;
            }
            page.referrers.push(referrer);
        }
        Ok(page)
    }

    /// An entry and its size; `None` when it was removed since the listing.
    async fn entry(
        &self,
        ctx: &Context,
        subject: &Digest,
        name: String,
    ) -> Result<Option<(Referrer, usize)>, BackendError> {
        let Some(digest) = name.split_once('-').and_then(|(algorithm, hex)| format!("{algorithm}:{hex}").parse().ok())
        else {
            return Ok(None);
        };
        let path = path(PathSpec::ReferrerEntry(&self.name, subject, &digest))?;
        match self.driver.get(ctx, &path, LONGEST).await {
            Ok(content) => {
                let entry = serde_json::from_slice(&content).map_err(|error| unreadable(&path, &error))?;
                Ok(Some((entry, content.len())))
            }
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

fn unreadable(path: &crate::driver::Path, error: &serde_json::Error) -> BackendError {
    DriverError::new(DriverErrorKind::Failed, path, format!("unreadable referrer: {error}")).into()
}

/// The tag under which clients keep the referrers of `subject` in a registry without this index (OCI distribution
/// specification, "Referrers Tag Schema": at most 32 characters of the algorithm and 64 of the value).
pub(super) fn fallback_tag(subject: &Digest) -> Option<Tag> {
    let encoded = subject.encoded();
    format!("{}-{}", subject.algorithm(), encoded.get(..64)?).parse().ok()
}

/// The entries of an index that a client keeps under [`fallback_tag`].
pub(super) fn fallback_entries(index: &[u8]) -> Vec<Referrer> {
    #[derive(serde::Deserialize)]
    struct Index {
        #[serde(default)]
        manifests: Vec<Referrer>,
    }
    serde_json::from_slice::<Index>(index).map(|index| index.manifests).unwrap_or_default()
}
