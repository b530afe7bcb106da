//! Images in one file: as `docker save` writes them, of old and of today, and OCI layouts in a tar file.

mod docker;
mod scan;
mod write;

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

pub use self::write::{ArchiveDestination, ArchiveForm};
use self::{docker::DockerArchive, scan::Tar};
use super::{LayoutOrigin, Origin, Planned, TransferError, pour::blocking};

/// Images on this machine, to give.
pub struct Archive;

/// Where an archive comes from.
enum From {
    Path(PathBuf),
    Input,
}

impl Archive {
    /// The image of the file at `path` that is meant by `wanted`; without that, the only one. What is no plain file is
    /// copied to a temporary one first.
    ///
    /// # Errors
    /// [`TransferError::Local`], [`TransferError::Malformed`]; [`TransferError::Choice`] says what there is.
    pub async fn open(path: &Path, wanted: Option<&str>) -> Result<(Arc<dyn Origin>, Planned), TransferError> {
        Self::read(From::Path(path.to_owned()), path.display().to_string(), wanted).await
    }

    /// The same of what comes on standard input, up to its end.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn of_input(wanted: Option<&str>) -> Result<(Arc<dyn Origin>, Planned), TransferError> {
        Self::read(From::Input, "standard input".to_owned(), wanted).await
    }

    async fn read(
        from: From,
        place: String,
        wanted: Option<&str>,
    ) -> Result<(Arc<dyn Origin>, Planned), TransferError> {
        let local = |cause| TransferError::local(&place, cause);
        let tar = blocking(move || Tar::scan(Arc::new(from.file()?))).await.map_err(local)?;
        let tar = Arc::new(tar);
        // Docker of today writes both: what it has is named there as it is, and pulled back with the same digests.
        if let Some(layout) = LayoutOrigin::of(tar.clone(), place.clone()).await? {
            let root = layout.find(wanted).await?;
            return Ok((Arc::new(layout), root));
        }
        let (docker, root) = DockerArchive::read(tar, place, wanted).await?;
        Ok((Arc::new(docker), root))
    }
}

impl From {
    /// A file that can be read anywhere; a temporary one is gone when this process is.
    fn file(self) -> io::Result<File> {
        let mut input: Box<dyn io::Read> = match self {
            Self::Path(path) => {
                let file = File::open(path)?;
                if file.metadata()?.is_file() {
                    return Ok(file);
                }
                Box::new(file)
            }
            Self::Input => Box::new(io::stdin()),
        };
        let mut spooled = tempfile::tempfile()?;
        let in_folder = |error: io::Error| {
            let folder = std::env::temp_dir();
            io::Error::new(error.kind(), format!("{error}, while it was copied to {} (TMPDIR)", folder.display()))
        };
        io::copy(&mut input, &mut spooled).map_err(in_folder)?;
        Ok(spooled)
    }
}
