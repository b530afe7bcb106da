//! OCI layouts: folders, and archives that hold one.

mod partial;
mod write;

use std::{collections::HashMap, io, path::Path, sync::Arc};

use async_trait::async_trait;
use tokio::sync::OnceCell;

pub use self::write::LayoutDestination;
use super::{
    Origin, Planned, TransferError,
    index::{Index, MARKER},
    members::{Folder, Members},
    pour::blocking,
    section::Section,
};
use crate::{
    client::Source,
    digest::Digest,
    manifest::{ContentReference, MAX_SIZE, Manifest},
};

/// The file that lists what a layout holds.
const INDEX: &str = "index.json";

/// Where a layout keeps the content called `digest`.
pub(super) fn blob_path(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm().as_str(), digest.encoded())
}

/// A layout that gives.
pub struct LayoutOrigin {
    members: Arc<dyn Members>,
    place: String,
    index: Index,
    /// By what they refer to; found out when that is asked for.
    referrers: OnceCell<HashMap<Digest, Vec<Digest>>>,
}

impl LayoutOrigin {
    /// The layout in the folder at `path`.
    ///
    /// # Errors
    /// [`TransferError::Malformed`] when it is none; [`TransferError::Local`].
    pub async fn open(path: &Path) -> Result<Self, TransferError> {
        let (place, path) = (path.display().to_string(), path.to_owned());
        let folder =
            blocking(move || Folder::open(&path)).await.map_err(|cause| TransferError::local(&place, cause))?;
        match Self::of(Arc::new(folder), place.clone()).await? {
            Some(layout) => Ok(layout),
            None => Err(TransferError::malformed(place, "is no OCI layout: it has no file oci-layout")),
        }
    }

    /// The layout that `members` of `place` are; `None` where they are none.
    pub(super) async fn of(members: Arc<dyn Members>, place: String) -> Result<Option<Self>, TransferError> {
        let local = |cause: io::Error| TransferError::local(&place, cause);
        let files = members.clone();
        let found = blocking(move || Ok((files.open(MARKER.0)?, files.open(INDEX)?))).await.map_err(local)?;
        let (marker, index) = match found {
            (None, _) => return Ok(None),
            (Some(_), None) => {
                return Err(TransferError::malformed(place, "has no index.json, so it holds nothing yet"));
            }
            (Some(marker), Some(index)) => (marker, index),
        };
        let limit = MAX_SIZE as u64;
        let (marker, index) = blocking(move || Ok((marker.read(limit)?, index.read(limit)?))).await.map_err(local)?;
        let version = serde_json::from_slice::<serde_json::Value>(&marker).ok();
        let version = version.as_ref().and_then(|marker| marker.get("imageLayoutVersion")?.as_str());
        if !version.is_some_and(|version| version.starts_with("1.")) {
            return Err(TransferError::malformed(place, "is a layout of another version than 1 (oci-layout)"));
        }
        let index = Index::read(&place, &index)?;
        Ok(Some(Self { members, place, index, referrers: OnceCell::new() }))
    }

    /// The image that is meant by `wanted`, a name or a digest; without that, the only one.
    ///
    /// # Errors
    /// [`TransferError::Choice`] says what there is; those of [`Origin::manifest`].
    pub async fn find(&self, wanted: Option<&str>) -> Result<Planned, TransferError> {
        let digest = self.index.select(&self.place, wanted)?;
        Ok(Planned { digest, manifest: self.manifest(&digest).await? })
    }

    async fn section(&self, digest: &Digest, what: &'static str) -> Result<Section, TransferError> {
        let (members, path) = (self.members.clone(), blob_path(digest));
        let found = blocking(move || members.open(&path)).await;
        let missing = TransferError::Missing { place: self.place.clone(), what, digest: *digest, by: None };
        found.map_err(|cause| TransferError::local(&self.place, cause))?.ok_or(missing)
    }

    fn corrupt(&self, digest: &Digest, what: String) -> TransferError {
        TransferError::Corrupt { place: self.place.clone(), digest: *digest, what }
    }

    async fn by_subject(&self) -> Result<HashMap<Digest, Vec<Digest>>, TransferError> {
        let mut found: HashMap<Digest, Vec<Digest>> = HashMap::new();
        for digest in self.index.digests() {
            if let Some(subject) = self.manifest(&digest).await?.subject() {
                found.entry(*subject).or_default().push(digest);
            }
        }
        Ok(found)
    }
}

#[async_trait]
impl Origin for LayoutOrigin {
    fn place(&self) -> &str {
        &self.place
    }

    async fn manifest(&self, digest: &Digest) -> Result<Manifest, TransferError> {
        let section = self.section(digest, "manifest").await?;
        let bytes = blocking(move || section.read(MAX_SIZE as u64)).await;
        let bytes = bytes.map_err(|error| self.corrupt(digest, error.to_string()))?;
        let actual = Digest::of(digest.algorithm(), &bytes);
        if actual != *digest {
            return Err(self.corrupt(digest, format!("it is {actual}")));
        }
        let refused = |fault| TransferError::Manifest { place: self.place.clone(), digest: *digest, fault };
        Manifest::parse(None, bytes).map_err(refused)
    }

    async fn blob(&self, blob: &ContentReference) -> Result<Arc<dyn Source>, TransferError> {
        let section = self.section(&blob.digest, "blob").await?;
        if section.size() != blob.size {
            let what = format!("it has {} bytes, and the manifest says {}", section.size(), blob.size);
            return Err(self.corrupt(&blob.digest, what));
        }
        Ok(Arc::new(section))
    }

    async fn referrers(&self, subject: &Digest) -> Result<Vec<Digest>, TransferError> {
        let all = self.referrers.get_or_try_init(|| self.by_subject()).await?;
        Ok(all.get(subject).cloned().unwrap_or_default())
    }
}
