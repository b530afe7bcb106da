//! An archive that is being written: the place of each file in it is known beforehand, so that several are written at
//! once, each where it belongs.

mod form;
mod partial;

use std::{
    collections::HashMap,
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use async_trait::async_trait;

pub use self::form::ArchiveForm;
use self::{form::Member, partial::Partial};
use crate::{
    client::Source,
    digest::Digest,
    manifest::{ContentReference, ReferenceKind},
    transfer::{
        Destination, Names, Origin, Outcome, Plan, Planned, TransferError,
        pour::{Place, Spilt, blocking, pour},
    },
};

/// An archive that takes one image. It has its name once all of it is there; until then a file beside it is written,
/// with which the next run goes on.
pub struct ArchiveDestination {
    /// Standard output without one.
    path: Option<PathBuf>,
    place: String,
    form: ArchiveForm,
    names: Names,
    open: OnceLock<Open>,
}

struct Open {
    file: Arc<File>,
    partial: Option<PathBuf>,
    blobs: HashMap<Digest, Member>,
    /// Where the last file ends.
    end: u64,
}

impl ArchiveDestination {
    /// The file at `path`, replaced when the new one is whole; in it, the image is called by `names`.
    pub fn new(path: &Path, form: ArchiveForm, names: Names) -> Self {
        Self { path: Some(path.to_owned()), place: path.display().to_string(), form, names, open: OnceLock::new() }
    }

    /// Standard output, which gets all of it at the end.
    pub fn output(form: ArchiveForm, names: Names) -> Self {
        Self { path: None, place: "standard output".to_owned(), form, names, open: OnceLock::new() }
    }

    fn local(&self, cause: io::Error) -> TransferError {
        TransferError::local(&self.place, cause)
    }

    fn open(&self) -> Result<&Open, TransferError> {
        self.open.get().ok_or_else(|| self.local(io::ErrorKind::NotFound.into()))
    }

    async fn take(&self, blob: &ContentReference, source: &dyn Source, origin: &str) -> Result<Outcome, TransferError> {
        let Open { file, blobs, .. } = self.open()?;
        let Some(member) = blobs.get(&blob.digest).filter(|member| member.size == blob.size) else {
            return Err(TransferError::malformed(origin, format!("names {} with two sizes", blob.digest)));
        };
        let place = |written| Place { file, start: member.start(), written, name: &self.place };
        // Its header is written last. What an earlier run wrote is read once more: not all of it need have reached the
        // disk when the power failed.
        if partial::has(file, member).map_err(|cause| self.local(cause))? {
            match pour(blob, source, place(blob.size), origin).await {
                Ok(()) => return Ok(Outcome::Present),
                Err(Spilt::Failed(error)) => return Err(error),
                Err(Spilt::Other(_)) => {}
            }
        }
        match pour(blob, source, place(0), origin).await {
            Ok(()) => {}
            Err(Spilt::Failed(error)) => return Err(error),
            Err(Spilt::Other(actual)) => {
                let (place, what) = (origin.to_owned(), format!("it is {actual}"));
                return Err(TransferError::Corrupt { place, digest: blob.digest, what });
            }
        }
        let (file, member) = (file.clone(), member.clone());
        blocking(move || partial::mark(&file, &member)).await.map_err(|cause| self.local(cause))?;
        Ok(Outcome::Sent)
    }
}

#[async_trait]
impl Destination for ArchiveDestination {
    fn place(&self) -> &str {
        &self.place
    }

    async fn prepare(&self, plan: &Plan) -> Result<(), TransferError> {
        let form::Contents { small, blobs, end } = form::contents(plan, self.form, &self.names)?;
        let path = self.path.clone();
        let opened = blocking(move || Partial::open(path.as_deref(), &small)).await;
        let Partial { file, path } = opened.map_err(|cause| self.local(cause))?;
        self.open.get_or_init(|| Open { file: Arc::new(file), partial: path, blobs, end });
        Ok(())
    }

    async fn vouches_for(&self, _digest: &Digest) -> Result<bool, TransferError> {
        Ok(false)
    }

    async fn take_blob(
        &self,
        blob: &ContentReference,
        source: Arc<dyn Source>,
        origin: &dyn Origin,
    ) -> Result<Outcome, TransferError> {
        self.take(blob, &*source, origin.place()).await
    }

    async fn take_manifest(&self, manifest: &Planned) -> Result<Outcome, TransferError> {
        let bytes = manifest.manifest.bytes().clone();
        let size = bytes.len() as u64;
        let blob = ContentReference { digest: manifest.digest, size, kind: ReferenceKind::Manifest };
        self.take(&blob, &bytes, &self.place).await
    }

    async fn finish(&self, plan: &Plan) -> Result<Outcome, TransferError> {
        self.take_manifest(plan.root()).await?;
        let Open { file, partial, end, .. } = self.open()?;
        let (file, end) = (file.clone(), *end);
        let (partial, path) = (partial.clone(), self.path.clone());
        let finished = blocking(move || {
            partial::end(&file, end)?;
            match (partial, path) {
                (Some(partial), Some(path)) => std::fs::rename(partial, path),
                _ => partial::print(&file),
            }
        });
        finished.await.map_err(|cause| self.local(cause))?;
        Ok(Outcome::Sent)
    }
}
