//! A folder that becomes an OCI layout, or is one already.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use async_trait::async_trait;
use cap_std::fs::Dir;

use super::{INDEX, partial};
use crate::{
    client::Source,
    digest::Digest,
    manifest::{ContentReference, MAX_SIZE, ReferenceKind},
    transfer::{
        Destination, Origin, Outcome, Plan, Planned, TransferError,
        index::{Index, MARKER, Names},
        members::{Folder, Members as _},
        pour::blocking,
    },
};

/// A layout that takes. Other images in it stay; one of the same name is no longer listed.
pub struct LayoutDestination {
    path: PathBuf,
    place: String,
    names: Names,
    folder: OnceLock<Arc<Folder>>,
}

impl LayoutDestination {
    /// The folder at `path`, made when there is something for it; in it, the image is called by `names`.
    pub fn new(path: &Path, names: Names) -> Self {
        Self { path: path.to_owned(), place: path.display().to_string(), names, folder: OnceLock::new() }
    }

    fn local(&self, cause: io::Error) -> TransferError {
        TransferError::local(&self.place, cause)
    }

    fn folder(&self) -> Result<&Arc<Folder>, TransferError> {
        self.folder.get().ok_or_else(|| self.local(io::ErrorKind::NotFound.into()))
    }

    async fn keep(&self, planned: &Planned) -> Result<Outcome, TransferError> {
        let bytes = planned.manifest.bytes().clone();
        let size = bytes.len() as u64;
        let blob = ContentReference { digest: planned.digest, size, kind: ReferenceKind::Manifest };
        partial::keep(self.folder()?, &self.place, &blob, &bytes, &self.place).await
    }
}

#[async_trait]
impl Destination for LayoutDestination {
    fn place(&self) -> &str {
        &self.place
    }

    async fn prepare(&self, _plan: &Plan) -> Result<(), TransferError> {
        let path = self.path.clone();
        let opened = blocking(move || {
            std::fs::create_dir_all(&path)?;
            let folder = Folder::open(&path)?;
            let strange = strange(folder.dir())?;
            Ok((folder, strange))
        });
        let (folder, strange) = opened.await.map_err(|cause| self.local(cause))?;
        if let Some(strange) = strange {
            let what = format!("is no OCI layout and not empty (it has {strange}); name another folder, or a new one");
            return Err(TransferError::malformed(&self.place, what));
        }
        self.folder.get_or_init(|| Arc::new(folder));
        Ok(())
    }

    /// Never: to look is cheap, and somebody may have removed a part.
    async fn vouches_for(&self, _digest: &Digest) -> Result<bool, TransferError> {
        Ok(false)
    }

    async fn take_blob(
        &self,
        blob: &ContentReference,
        source: Arc<dyn Source>,
        origin: &dyn Origin,
    ) -> Result<Outcome, TransferError> {
        partial::keep(self.folder()?, &self.place, blob, &*source, origin.place()).await
    }

    async fn take_manifest(&self, manifest: &Planned) -> Result<Outcome, TransferError> {
        self.keep(manifest).await
    }

    async fn finish(&self, plan: &Plan) -> Result<Outcome, TransferError> {
        self.keep(plan.root()).await?;
        let (folder, path, names) = (self.folder()?.clone(), self.path.clone(), self.names.clone());
        let listed: Vec<Planned> = plan.referrers().cloned().collect();
        let (root, place) = (plan.root().clone(), self.place.clone());
        let work = move || {
            // Whoever else adds to it waits.
            let lock = std::fs::File::open(&path)?;
            lock.lock()?;
            let outcome = list(&folder, &place, &root, &names, &listed);
            // It stays where another process still writes into it.
            let _ = folder.dir().remove_dir(partial::FOLDER);
            Ok(outcome)
        };
        blocking(work).await.map_err(|cause| self.local(cause))?
    }
}

/// Has the index of `folder` list `root` and `others`.
fn list(
    folder: &Folder,
    place: &str,
    root: &Planned,
    names: &Names,
    others: &[Planned],
) -> Result<Outcome, TransferError> {
    let local = |cause| TransferError::local(place, cause);
    let dir = folder.dir();
    let before = match folder.open(INDEX).map_err(local)? {
        Some(index) => Some(index.read(MAX_SIZE as u64).map_err(local)?),
        None => None,
    };
    let mut index = match &before {
        Some(bytes) => Index::read(place, bytes)?,
        None => Index::empty(),
    };
    for other in others {
        index.list(other, &Names::default());
    }
    index.list(root, names);
    let after = index.bytes();
    if before.as_ref() == Some(&after) {
        return Ok(Outcome::Present);
    }
    if folder.open(MARKER.0).map_err(local)?.is_none() {
        replace(dir, MARKER.0, MARKER.1.as_bytes()).map_err(local)?;
    }
    replace(dir, INDEX, &after).map_err(local)?;
    Ok(Outcome::Sent)
}

/// Has the file `name` hold `content`, all at once.
fn replace(dir: &Dir, name: &str, content: &[u8]) -> io::Result<()> {
    let beside = format!("{}/{name}", partial::FOLDER);
    dir.create_dir_all(partial::FOLDER)?;
    dir.write(&beside, content)?;
    dir.rename(&beside, dir, name)
}

/// Something in `dir` that has no place in a layout, unless it is one already.
fn strange(dir: &Dir) -> io::Result<Option<String>> {
    let ours = ["blobs", MARKER.0, INDEX, partial::FOLDER];
    let mut strange = None;
    for entry in dir.entries()? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name == MARKER.0 {
            return Ok(None);
        }
        if !ours.contains(&&*name) {
            strange = Some(name.escape_default().to_string());
        }
    }
    Ok(strange)
}
